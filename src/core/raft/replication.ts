import { type LogIndex, logIndex } from '../ids.ts';
import { invariant } from '../invariant.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import type { ReadRequest } from './read-rounds.ts';
import type { RaftId } from './types.ts';

const NO_DATA = new Uint8Array(0);

/** Adds the entry that begins a term, so that what earlier terms left behind can be committed with it (5.4.2). */
export function beginTerm(raft: RaftState): void {
  raft.log.appendOwn(raft.term, NO_DATA);
  broadcastAppend(raft);
}

/** Sends everyone what they lack, or nothing but the news of a commit. */
export function broadcastAppend(raft: RaftState): void {
  for (const id of followers(raft)) sendAppend(raft, id);
}

/** Sends as many further appends as the follower's window and the log allow. */
export function streamAppends(raft: RaftState, to: RaftId): void {
  while (hasEntriesFor(raft, to) && sendAppend(raft, to));
}

/**
 * Sends the next append, possibly an empty one, or the snapshot when what the follower needs is compacted.
 * Returns whether anything was sent.
 */
export function sendAppend(raft: RaftState, to: RaftId): boolean {
  const progress = raft.tracker.progress(to);
  if (progress === undefined || progress.isPaused) return false;
  const previousIndex = logIndex(progress.next - 1);
  const previousTerm = raft.log.termAt(previousIndex);
  if (previousTerm === undefined) return sendSnapshot(raft, to, progress);

  // A full window still lets an empty append through (once for each heartbeat answered): were all of the window lost,
  // only the rejection of a later append tells.
  const entries = progress.isInflightFull ? [] : raft.log.entriesFrom(progress.next, raft.config.appendBytesMax);
  const commit = raft.log.committed;
  raft.send(to, { kind: 'append', previousIndex, previousTerm, entries, commit });
  progress.sentAppend(entries.length, commit);
  return true;
}

/** Heartbeats say how far the receiver may commit: never beyond what it has acknowledged, for the rest may differ. */
export function broadcastHeartbeat(raft: RaftState): void {
  for (const id of followers(raft)) {
    const progress = raft.tracker.progress(id);
    const commit = logIndex(Math.min(progress?.match ?? 0, raft.log.committed));
    raft.send(id, { kind: 'heartbeat', commit, round: raft.reads.round });
    progress?.sentCommit(commit);
  }
}

/** The leader's own log is on disk up to here: only now does it count itself (R1). */
export function acknowledgeOwn(raft: RaftState): void {
  const own = raft.tracker.progress(raft.id);
  if (own?.accepted(raft.log.persisted) === true && advanceCommit(raft)) broadcastAppend(raft);
}

/**
 * Commits what a quorum has on disk. Returns whether anything was.
 * Only an entry of the leader's own term is committed by counting (R2): one of an earlier term may be on a majority and yet
 * be replaced by a leader that never saw it (Raft, figure 8); it is committed along with a later one.
 */
export function advanceCommit(raft: RaftState): boolean {
  const matched = raft.tracker.matchedByQuorum();
  if (matched <= raft.log.committed) return false;
  invariant(matched <= raft.log.lastIndex, 'nobody has more of the leader\u2019s log than the leader');
  const index: LogIndex = logIndex(matched);
  if (raft.log.termAt(index) !== raft.term) return false;
  raft.log.commitTo(index);
  for (const request of raft.reads.takePostponed()) beginRead(raft, request);
  return true;
}

/** Takes up a read at the leader: to be confirmed by the answers to the heartbeats that leave now. */
export function beginRead(raft: RaftState, request: ReadRequest): void {
  raft.reads.begin(request, raft.log.committed);
  broadcastHeartbeat(raft);
  releaseReads(raft);
}

/** Answers the reads that a quorum has confirmed. */
export function releaseReads(raft: RaftState): void {
  for (const read of raft.reads.takeConfirmed(raft.tracker.configuration, raft.id)) {
    if (read.from === raft.id) raft.confirmedReads.push(read);
    else raft.send(read.from, { kind: 'read-index-reply', token: read.token, index: read.index });
  }
}

function sendSnapshot(raft: RaftState, to: RaftId, progress: Progress): boolean {
  // To a node that is down a snapshot would be sent for nothing; its first answer to a heartbeat will bring us back here.
  if (!progress.recentlyActive) return false;
  raft.send(to, { kind: 'snapshot', snapshot: raft.log.snapshot });
  progress.becomeSnapshot(raft.log.snapshot.index);
  return true;
}

function hasEntriesFor(raft: RaftState, to: RaftId): boolean {
  const progress = raft.tracker.progress(to);
  return progress !== undefined && !progress.isInflightFull && progress.next <= raft.log.lastIndex;
}

function followers(raft: RaftState): readonly RaftId[] {
  return raft.tracker.members.filter((id) => id !== raft.id);
}
