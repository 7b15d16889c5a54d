import { logIndex } from '../ids.ts';
import { invariant } from '../invariant.ts';
import { campaign } from './election.ts';
import type { Append, Heartbeat, InstallSnapshot, RaftMessage, ReadIndexReply } from './message.ts';
import type { RaftState } from './raft-state.ts';

/** A message from the leader of this term: whoever campaigned in it has lost. A second leader in one term is the end (5.2). */
export function heedLeader(raft: RaftState, message: RaftMessage): void {
  invariant(raft.leader === undefined || raft.leader === message.from, 'a term has one leader');
  if (raft.role !== 'follower') raft.becomeFollower(raft.term, message.from);
  raft.leader = message.from;
  raft.electionElapsed = 0;
}

export function handleAppend(raft: RaftState, message: RaftMessage & Append): void {
  const { log } = raft;
  if (message.previousIndex < log.committed) {
    raft.send(message.from, { kind: 'append-accepted', index: log.committed });
    return;
  }
  const previous = { index: message.previousIndex, term: message.previousTerm };
  const agreed = log.appendAfter(previous, message.entries);
  if (agreed === undefined) {
    reject(raft, message);
    return;
  }
  // Beyond what this very message confirmed, the log may hold what another leader left.
  log.commitTo(logIndex(Math.min(message.commit, agreed)));
  raft.send(message.from, { kind: 'append-accepted', index: agreed });
}

/**
 * Commits as far as the heartbeat says. The leader names only what this node has acknowledged to it: a log that does not
 * reach that far was lost after it was said to be on disk (R3), so nothing this node promised can be relied on any more.
 */
export function handleHeartbeat(raft: RaftState, message: RaftMessage & Heartbeat): void {
  if (message.commit > raft.log.lastIndex) {
    raft.halt();
    return;
  }
  raft.log.commitTo(message.commit);
  raft.send(message.from, { kind: 'heartbeat-reply', round: message.round });
}

/** Takes the snapshot in place of the log, unless the log has all of it. Either way says how far the logs agree. */
export function handleSnapshot(raft: RaftState, message: RaftMessage & InstallSnapshot): void {
  const { log } = raft;
  const { snapshot } = message;
  if (snapshot.index > log.committed) {
    if (log.termAt(snapshot.index) === snapshot.term) {
      log.commitTo(snapshot.index);
    } else {
      log.restore(snapshot);
      raft.tracker.reconfigure(snapshot.configuration);
    }
  }
  raft.send(message.from, { kind: 'append-accepted', index: log.committed });
}

/** Time passes without a sign of a leader. Who may not campaign forgets the leader, so that nothing is sent to a dead one for ever. */
export function tickFollower(raft: RaftState): void {
  raft.electionElapsed++;
  if (!raft.isElectionDue) return;
  if (raft.isPromotable) campaign(raft);
  else raft.forgetLeader();
}

export function handleReadIndexReply(raft: RaftState, message: RaftMessage & ReadIndexReply): void {
  // A reply that comes twice, or to a read that was given up, answers nobody.
  if (!raft.forwardedReads.delete(message.token)) return;
  raft.confirmedReads.push({ from: raft.id, token: message.token, index: message.index });
}

function reject(raft: RaftState, message: RaftMessage & Append): void {
  const { log } = raft;
  const known = logIndex(Math.min(message.previousIndex, log.lastIndex));
  const hint = log.lastWithTermAtMost(known, message.previousTerm);
  raft.send(message.from, {
    kind: 'append-rejected',
    rejectedIndex: message.previousIndex,
    hintIndex: hint.index,
    hintTerm: hint.term,
  });
}
