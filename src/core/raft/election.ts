import { term } from '../ids.ts';
import type { RaftMessage, VoteReply, VoteRequest } from './message.ts';
import type { RaftState } from './raft-state.ts';
import { beginTerm } from './replication.ts';
import type { RaftId } from './types.ts';

/** Tries to become the leader, beginning with a pre-election. Does nothing at a leader and where this node may not lead. */
export function campaign(raft: RaftState): void {
  if (raft.role === 'leader' || !raft.isPromotable) return;
  raft.becomePreCandidate();
  requestVotes(raft, 'pre-vote');
  // Saying that one would vote for oneself promises nothing, so it need not be on disk to count.
  countVote(raft, raft.id, true);
}

/** The candidate's own vote is on disk: only now does it count (R1). */
export function countOwnVote(raft: RaftState): void {
  if (raft.role === 'candidate') countVote(raft, raft.id, true);
}

/**
 * Grants a vote if it is free and the candidate's log is at least as up to date (5.4.1). Nothing else matters, not even
 * whether this node believes to be a voter: the candidate may know a later configuration (R6).
 */
export function answerVoteRequest(raft: RaftState, message: RaftMessage & VoteRequest): void {
  const isPreVote = message.kind === 'pre-vote';
  const kind = isPreVote ? 'pre-vote-reply' : 'vote-reply';
  const isFree = raft.vote === undefined && raft.leader === undefined;
  const mayVote = raft.vote === message.from || isFree || (isPreVote && message.term > raft.term);
  const granted = mayVote && raft.log.isCoveredBy({ index: message.lastIndex, term: message.lastTerm });
  if (granted && !isPreVote) raft.castVote(message.from);
  // A pre-vote is granted for the term asked about, which this node has not entered; a refusal brings this node's own term.
  raft.send(message.from, { kind, granted }, granted ? message.term : raft.term);
}

export function handleVoteReply(raft: RaftState, message: RaftMessage & VoteReply): void {
  const awaited = { 'pre-candidate': 'pre-vote-reply', candidate: 'vote-reply', follower: '', leader: '' }[raft.role];
  if (message.kind === awaited) countVote(raft, message.from, message.granted);
}

function countVote(raft: RaftState, from: RaftId, granted: boolean): void {
  raft.tracker.recordVote(from, granted);
  const result = raft.tracker.tally();
  if (result === 'lost') raft.becomeFollower(raft.term, undefined);
  if (result === 'won') advance(raft);
}

function advance(raft: RaftState): void {
  if (raft.role === 'pre-candidate') {
    raft.becomeCandidate();
    requestVotes(raft, 'vote');
  } else {
    raft.becomeLeader();
    beginTerm(raft);
  }
}

function requestVotes(raft: RaftState, kind: VoteRequest['kind']): void {
  const electionTerm = kind === 'pre-vote' ? term(raft.term + 1) : raft.term;
  const { lastIndex, lastTerm } = raft.log;
  for (const id of raft.tracker.voters) {
    if (id !== raft.id) raft.send(id, { kind, lastIndex, lastTerm }, electionTerm);
  }
}
