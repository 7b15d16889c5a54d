import type { LogIndex } from '../ids.ts';
import type { AppendAccepted, AppendRejected, HeartbeatReply, RaftMessage } from './message.ts';
import type { Progress } from './progress.ts';
import type { RaftState } from './raft-state.ts';
import type { ReadRequest } from './read-rounds.ts';
import {
  advanceCommit,
  beginRead,
  broadcastAppend,
  broadcastHeartbeat,
  releaseReads,
  sendAppend,
  streamAppends,
} from './replication.ts';
import type { RaftId } from './types.ts';

/** Appends a proposal. Returns its index; undefined when too much is uncommitted already (R13). */
export function appendProposal(raft: RaftState, data: Uint8Array): LogIndex | undefined {
  const { log } = raft;
  const isTooMuch = log.uncommittedBytes + data.length > raft.config.uncommittedBytesMax;
  // One proposal is always let in, or one larger than the limit could never be made.
  if (log.uncommittedBytes > 0 && isTooMuch) return undefined;
  const index = log.appendOwn(raft.term, data);
  broadcastAppend(raft);
  return index;
}

/** Takes up a read. Returns false when too many are waiting. */
export function takeRead(raft: RaftState, request: ReadRequest): boolean {
  if (raft.reads.isFull) return false;
  if (raft.hasCommittedInTerm) beginRead(raft, request);
  else raft.reads.postpone(request);
  return true;
}

export function handleAccepted(raft: RaftState, message: RaftMessage & AppendAccepted): void {
  const progress = heardFrom(raft, message.from);
  if (progress === undefined || message.index > raft.log.lastIndex) return;
  const isNews = progress.accepted(message.index);
  if (!isNews && !(progress.state === 'probe' && progress.match === message.index)) return;
  resumeStreaming(raft, progress);
  if (advanceCommit(raft)) {
    broadcastAppend(raft);
  } else if (progress.lacksCommit(raft.log.committed)) {
    sendAppend(raft, message.from);
  }
  streamAppends(raft, message.from);
}

/**
 * Finds the next place where the logs may agree: skipping, here, all terms above the follower's, as the follower skipped all
 * those above ours (R9). Between them they need one round trip for each term that differs.
 */
export function handleRejected(raft: RaftState, message: RaftMessage & AppendRejected): void {
  const progress = heardFrom(raft, message.from);
  if (progress === undefined || message.hintIndex > raft.log.lastIndex) return;
  const { hintIndex, hintTerm } = message;
  const candidate = hintTerm > 0 ? raft.log.lastWithTermAtMost(hintIndex, hintTerm).index : hintIndex;
  if (progress.rejected(message.rejectedIndex, candidate)) sendAppend(raft, message.from);
}

export function handleHeartbeatReply(raft: RaftState, message: RaftMessage & HeartbeatReply): void {
  const progress = heardFrom(raft, message.from);
  if (progress === undefined) return;
  progress.resume();
  if (progress.match < raft.log.lastIndex || progress.state === 'probe') sendAppend(raft, message.from);
  raft.reads.answer(message.from, message.round);
  releaseReads(raft);
}

/** What the transport knows of a message that never arrived: stream no further into the void. */
export function handleUnreachable(raft: RaftState, id: RaftId): void {
  const progress = raft.tracker.progress(id);
  if (progress?.state === 'replicate') progress.becomeProbe();
}

export function handleSnapshotReport(raft: RaftState, id: RaftId, arrived: boolean): void {
  const progress = raft.tracker.progress(id);
  if (progress?.state === 'snapshot') progress.snapshotReported(arrived);
}

export function tickLeader(raft: RaftState): void {
  raft.electionElapsed++;
  raft.heartbeatElapsed++;
  if (raft.electionElapsed >= raft.config.electionTicks) {
    raft.electionElapsed = 0;
    if (!raft.tracker.takeQuorumActivity(raft.id)) {
      raft.becomeFollower(raft.term, undefined);
      return;
    }
  }
  if (raft.heartbeatElapsed < raft.config.heartbeatTicks) return;
  raft.heartbeatElapsed = 0;
  broadcastHeartbeat(raft);
}

/** The sender's progress, now marked as active; undefined for a stranger, who is never counted. */
function heardFrom(raft: RaftState, id: RaftId): Progress | undefined {
  const progress = raft.tracker.progress(id);
  if (progress !== undefined) progress.recentlyActive = true;
  return progress;
}

function resumeStreaming(raft: RaftState, progress: Progress): void {
  const isCaughtUp = progress.match + 1 >= raft.log.firstIndex;
  if (progress.state === 'probe' || (progress.state === 'snapshot' && isCaughtUp)) progress.becomeReplicate();
}
