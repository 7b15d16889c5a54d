import { unreachable } from '../invariant.ts';
import { answerVoteRequest, handleVoteReply } from './election.ts';
import { handleAppend, handleHeartbeat, handleReadIndexReply, handleSnapshot, heedLeader } from './follower.ts';
import { appendProposal, handleAccepted, handleHeartbeatReply, handleRejected, takeRead } from './leader.ts';
import type { Append, Heartbeat, InstallSnapshot, Propose, RaftMessage, ReadIndex } from './message.ts';
import type { RaftState } from './raft-state.ts';

/**
 * Takes one message: first its term (Raft 5.1), then its contents. What is not for this life of this node is dropped (R3).
 * Requests are answered whoever asks, since the sender may know a later configuration; answers count from members only.
 */
export function step(raft: RaftState, message: RaftMessage): void {
  if (raft.isHalted || message.to !== raft.id || message.from === raft.id) return;
  if (message.term < raft.term) {
    answerStale(raft, message);
  } else if (message.term === raft.term || enterTerm(raft, message)) {
    dispatch(raft, message);
  }
}

/** A message of a later term. Returns whether it is to be acted upon. */
function enterTerm(raft: RaftState, message: RaftMessage): boolean {
  switch (message.kind) {
    case 'vote':
    case 'pre-vote':
      // Who hears a leader helps nobody to depose it: a node that was cut off comes back without a disturbance (R4).
      if (raft.hasLiveLeader) return false;
      if (message.kind === 'vote') raft.becomeFollower(message.term, undefined);
      return true;
    case 'pre-vote-reply':
      if (!message.granted) raft.becomeFollower(message.term, undefined);
      return true;
    default:
      raft.becomeFollower(message.term, undefined);
      return true;
  }
}

/**
 * A message of an earlier term. A leader, or one who asks for pre-votes, must learn that there is a later one: with pre-vote
 * and check-quorum no election would tell it, and a node whose term ran ahead would stay outside for ever.
 */
function answerStale(raft: RaftState, message: RaftMessage): void {
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      raft.send(message.from, { kind: 'stale-term' });
      return;
    case 'pre-vote':
      raft.send(message.from, { kind: 'pre-vote-reply', granted: false });
      return;
    default:
  }
}

function dispatch(raft: RaftState, message: RaftMessage): void {
  switch (message.kind) {
    case 'vote':
    case 'pre-vote':
      answerVoteRequest(raft, message);
      break;
    case 'vote-reply':
    case 'pre-vote-reply':
      handleVoteReply(raft, message);
      break;
    case 'append-accepted':
      handleAccepted(raft, message);
      break;
    case 'append-rejected':
      handleRejected(raft, message);
      break;
    case 'heartbeat-reply':
      handleHeartbeatReply(raft, message);
      break;
    case 'read-index-reply':
      handleReadIndexReply(raft, message);
      break;
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      dispatchFromLeader(raft, message);
      break;
    case 'propose':
    case 'read-index':
      dispatchToLeader(raft, message);
      break;
    case 'stale-term':
      break;
    default:
      unreachable(message);
  }
}

function dispatchFromLeader(raft: RaftState, message: RaftMessage & (Append | Heartbeat | InstallSnapshot)): void {
  heedLeader(raft, message);
  if (message.kind === 'append') handleAppend(raft, message);
  if (message.kind === 'heartbeat') handleHeartbeat(raft, message);
  if (message.kind === 'snapshot') handleSnapshot(raft, message);
}

/** What was forwarded is for the leader alone: it is not forwarded again. */
function dispatchToLeader(raft: RaftState, message: RaftMessage & (Propose | ReadIndex)): void {
  if (raft.role !== 'leader') return;
  if (message.kind === 'propose') appendProposal(raft, message.data);
  else takeRead(raft, { from: message.from, token: message.token });
}
