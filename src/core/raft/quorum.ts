import type { RaftId } from './types.ts';

/**
 * Majorities, and pairs of them.
 *
 * - A majority of n voters is floor(n / 2) + 1 of them; two majorities of one set share a voter.
 * - A pair decides only when both majorities do, so it shares voters with every majority of either set (joint consensus, Raft 6).
 * - An empty set has no say: it has committed everything and votes for everyone. So a pair with one empty set is the other set.
 */
export interface VoterSets {
  readonly voters: readonly RaftId[];
  readonly outgoing: readonly RaftId[];
}

export type VoteResult = 'won' | 'pending' | 'lost';

/** The highest number that a majority of either set has reached; Infinity when both sets are empty. */
export function reachedByQuorum(sets: VoterSets, reached: (id: RaftId) => number): number {
  return Math.min(reachedByMajority(sets.voters, reached), reachedByMajority(sets.outgoing, reached));
}

/** The outcome of an election in both sets. `vote` says what a voter answered, undefined for not yet. */
export function voteOfQuorum(sets: VoterSets, vote: (id: RaftId) => boolean | undefined): VoteResult {
  const results = [voteOfMajority(sets.voters, vote), voteOfMajority(sets.outgoing, vote)];
  if (results.includes('lost')) return 'lost';
  return results.includes('pending') ? 'pending' : 'won';
}

function reachedByMajority(voters: readonly RaftId[], reached: (id: RaftId) => number): number {
  const descending = voters.map(reached).sort((a, b) => b - a);
  return descending[majority(voters) - 1] ?? Number.POSITIVE_INFINITY;
}

function voteOfMajority(voters: readonly RaftId[], vote: (id: RaftId) => boolean | undefined): VoteResult {
  if (voters.length === 0) return 'won';
  const votes = voters.map(vote);
  const granted = votes.filter((answer) => answer === true).length;
  const open = votes.filter((answer) => answer === undefined).length;
  if (granted >= majority(voters)) return 'won';
  return granted + open >= majority(voters) ? 'pending' : 'lost';
}

function majority(voters: readonly RaftId[]): number {
  return Math.floor(voters.length / 2) + 1;
}
