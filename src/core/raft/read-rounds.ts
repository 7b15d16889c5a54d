import type { LogIndex } from '../ids.ts';
import { reachedByQuorum, type VoterSets } from './quorum.ts';
import type { RaftId } from './types.ts';

/** A read that the leader is to confirm for `from` (itself or a follower). */
export interface ReadRequest {
  readonly from: RaftId;
  readonly token: string;
}

/** A read as of `index`: what is applied up to there includes every change acknowledged before the read was asked for. */
export interface ConfirmedRead extends ReadRequest {
  readonly index: LogIndex;
}

/**
 * A leader's reads without a write (dissertation 6.4): each gets a number, its heartbeats carry it, and once a quorum has
 * answered that number or a later one in this term, nobody else led when the read came.
 *
 * No leases (R11): after a pause of the process a clock says nothing about who leads now; a quorum's answer does.
 * The index is the commit index when the read came, which is only meaningful once an entry of the leader's own term is
 * committed: until then the reads wait in `early`.
 */
export class ReadRounds {
  private lastRound = 0;
  private early: ReadRequest[] = [];
  private waiting: { readonly round: number; readonly read: ConfirmedRead }[] = [];
  private readonly answered = new Map<RaftId, number>();
  private readonly pendingMax: number;

  constructor(pendingMax: number) {
    this.pendingMax = pendingMax;
  }

  /** The latest round, 0 before the first: what heartbeats carry. */
  get round(): number {
    return this.lastRound;
  }

  get isFull(): boolean {
    return this.early.length + this.waiting.length >= this.pendingMax;
  }

  /** Keeps a read until the leader can tell what is committed. */
  postpone(request: ReadRequest): void {
    this.early.push(request);
  }

  /** What was postponed, for once. */
  takePostponed(): readonly ReadRequest[] {
    const requests = this.early;
    this.early = [];
    return requests;
  }

  /** Starts a round for a read that came when `committed` was the commit index. */
  begin(request: ReadRequest, committed: LogIndex): void {
    this.lastRound++;
    this.waiting.push({ round: this.lastRound, read: { ...request, index: committed } });
  }

  /** `id` has answered a heartbeat of `round`, and so, for what matters, of all before it. */
  answer(id: RaftId, round: number): void {
    if (round <= this.lastRound) this.answered.set(id, Math.max(round, this.answered.get(id) ?? 0));
  }

  /** Takes the reads, oldest first, whose round a quorum of `sets` has answered; the leader itself always has. */
  takeConfirmed(sets: VoterSets, self: RaftId): readonly ConfirmedRead[] {
    const confirmed = reachedByQuorum(sets, (id) => (id === self ? this.lastRound : (this.answered.get(id) ?? 0)));
    const done = this.waiting.filter((pending) => pending.round <= confirmed);
    this.waiting = this.waiting.filter((pending) => pending.round > confirmed);
    return done.map((pending) => pending.read);
  }
}
