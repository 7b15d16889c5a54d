import { type LogIndex, logIndex, type Term, term } from '../ids.ts';

declare const brand: unique symbol;

/**
 * One life of one log, from 1: whoever lost its log or had it rolled back comes back under a new id (R3), because the
 * votes and acknowledgements given under the old one can no longer be kept.
 */
export type RaftId = number & { readonly [brand]: 'RaftId' };

export const raftId = (number: number): RaftId => number as RaftId;

/** Names an entry: two logs that agree on it agree on everything before it (Raft 5.3, log matching). */
export interface EntryId {
  readonly index: LogIndex;
  readonly term: Term;
}

/** A place in the log. `data` is opaque; empty data is the entry with which a leader begins its term. */
export interface Entry extends EntryId {
  readonly data: Uint8Array;
}

/**
 * Who takes part. A voter counts towards quorums, a learner only receives the log.
 * `outgoing` is empty unless a change of several voters is under way: then both majorities are needed.
 * The three lists have no repeats and no learner votes.
 */
export interface Configuration {
  readonly voters: readonly RaftId[];
  readonly outgoing: readonly RaftId[];
  readonly learners: readonly RaftId[];
}

/** All that a follower needs in place of the log up to and including `index` (R8). `data` is the state machine's own. */
export interface Snapshot extends EntryId {
  readonly configuration: Configuration;
  readonly data: Uint8Array;
}

/** What must survive a crash besides log and snapshot. `vote` is who got this node's vote in `term`. */
export interface HardState {
  readonly term: Term;
  readonly vote: RaftId | undefined;
  readonly commit: LogIndex;
}

/** What a machine is made of: what its disk holds. `entries` are contiguous; those up to the snapshot's index are ignored. */
export interface StoredState {
  readonly hardState: HardState;
  readonly snapshot: Snapshot;
  readonly entries: readonly Entry[];
}

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

const NO_ONE: Configuration = { voters: [], outgoing: [], learners: [] };
const NO_DATA = new Uint8Array(0);

/**
 * What a founder of the group starts from. Every founder must be given the same configuration and data.
 * It stands at index 1, not 0, so that a node without a log must be sent it, and with it the configuration.
 */
export function foundingState(configuration: Configuration, data: Uint8Array): StoredState {
  const snapshot = { index: logIndex(1), term: term(1), configuration, data };
  return { hardState: { term: term(1), vote: undefined, commit: snapshot.index }, snapshot, entries: [] };
}

/** What a node starts from that is to be added to a group: nothing. The group's leader sends it the rest. */
export function joiningState(): StoredState {
  const snapshot = { index: logIndex(0), term: term(0), configuration: NO_ONE, data: NO_DATA };
  return { hardState: { term: term(0), vote: undefined, commit: logIndex(0) }, snapshot, entries: [] };
}
