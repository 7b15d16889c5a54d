import type { LogIndex, Term } from '../ids.ts';
import type { Entry, RaftId, Snapshot } from './types.ts';

/**
 * What machines say to each other: plain data.
 *
 * `term` is the sender's, with one exception: a pre-vote and the reply that grants it carry the term that the election
 * would have. Whoever sees a higher term than its own enters it; what carries a lower one is not acted upon.
 */
export type RaftMessage = Envelope & MessageBody;

/** Tokens of reads travel: longer ones are refused where they arrive. */
export const READ_TOKEN_LENGTH_MAX = 128;

interface Envelope {
  readonly from: RaftId;
  readonly to: RaftId;
  readonly term: Term;
}

export type MessageBody =
  | VoteRequest
  | VoteReply
  | Append
  | AppendAccepted
  | AppendRejected
  | Heartbeat
  | HeartbeatReply
  | InstallSnapshot
  | StaleTerm
  | Propose
  | ReadIndex
  | ReadIndexReply;

/** Asks for a vote (Raft 5.2), or whether one would be given (dissertation 9.6). The two ids decide by the log rule (5.4.1). */
export interface VoteRequest {
  readonly kind: 'vote' | 'pre-vote';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

export interface VoteReply {
  readonly kind: 'vote-reply' | 'pre-vote-reply';
  readonly granted: boolean;
}

/** Entries that follow the one at (previousIndex, previousTerm), and how far the leader has committed. */
export interface Append {
  readonly kind: 'append';
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

/** The sender's log agrees with the leader's up to `index`, on disk. Also the answer to a snapshot. */
export interface AppendAccepted {
  readonly kind: 'append-accepted';
  readonly index: LogIndex;
}

/**
 * The sender has no such entry at `rejectedIndex`. The logs can agree at `hintIndex` at the latest, and only if the
 * leader's term there is at most `hintTerm` (0: unknown): one round trip for each term, not for each entry (R9).
 */
export interface AppendRejected {
  readonly kind: 'append-rejected';
  readonly rejectedIndex: LogIndex;
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
}

/** `commit` never exceeds what the receiver acknowledged. `round` numbers the leader's read rounds in its term, from 0. */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly commit: LogIndex;
  readonly round: number;
}

export interface HeartbeatReply {
  readonly kind: 'heartbeat-reply';
  readonly round: number;
}

export interface InstallSnapshot {
  readonly kind: 'snapshot';
  readonly snapshot: Snapshot;
}

/** Tells a leader of an earlier term that it was superseded; the envelope's term says all. */
interface StaleTerm {
  readonly kind: 'stale-term';
}

/** A proposal on its way from a follower to the leader. Never empty. */
export interface Propose {
  readonly kind: 'propose';
  readonly data: Uint8Array;
}

/** A read on its way from a follower to the leader. */
export interface ReadIndex {
  readonly kind: 'read-index';
  readonly token: string;
}

export interface ReadIndexReply {
  readonly kind: 'read-index-reply';
  readonly token: string;
  readonly index: LogIndex;
}
