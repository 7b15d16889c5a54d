import type { NodeId } from '../core/ids.ts';
import type { Clock, Timer } from '../ports.ts';

/** Time-outs closer together than this share a sweep; none comes early, none later than this. */
const GRAIN_MS = 5;

interface Pending<Outcome> {
  readonly deadlineMs: number;
  readonly done: (outcome: Outcome) => void;
}

/**
 * Calls that wait for their answer, by peer and id.
 *
 * One timer for all of them, set for the earliest deadline of the last sweep: since calls are mostly answered long before
 * their time is up, that is one sweep per time-out's length, where a timer per call would be set and cleared for each.
 */
export class PendingCalls<Outcome> {
  private readonly clock: Clock;
  private readonly perPeerMax: number;
  private readonly timeout: Outcome;
  private readonly peers = new Map<NodeId, Map<number, Pending<Outcome>>>();
  private sweepAtMs = Number.POSITIVE_INFINITY;
  private timer: Timer | undefined;
  timeouts = 0;

  constructor(clock: Clock, perPeerMax: number, timeout: Outcome) {
    this.clock = clock;
    this.perPeerMax = perPeerMax;
    this.timeout = timeout;
  }

  get size(): number {
    let size = 0;
    for (const calls of this.peers.values()) size += calls.size;
    return size;
  }

  isFull(peer: NodeId): boolean {
    return (this.peers.get(peer)?.size ?? 0) >= this.perPeerMax;
  }

  add(peer: NodeId, id: number, timeoutMs: number, done: (outcome: Outcome) => void): void {
    const deadlineMs = this.clock.monotonicMs() + timeoutMs;
    let calls = this.peers.get(peer);
    if (calls === undefined) {
      calls = new Map();
      this.peers.set(peer, calls);
    }
    calls.set(id, { deadlineMs, done });
    if (deadlineMs < this.sweepAtMs) this.sweepAt(deadlineMs, timeoutMs);
  }

  /** The call's `done`, which is no longer kept. Undefined when no such call waits. */
  take(peer: NodeId, id: number): ((outcome: Outcome) => void) | undefined {
    const calls = this.peers.get(peer);
    const pending = calls?.get(id);
    if (pending === undefined) return undefined;
    calls?.delete(id);
    return pending.done;
  }

  failAll(peer: NodeId, outcome: Outcome): void {
    const calls = this.peers.get(peer);
    this.peers.delete(peer);
    for (const { done } of calls?.values() ?? []) done(outcome);
  }

  failEverything(outcome: Outcome): void {
    this.timer?.cancel();
    this.sweepAtMs = Number.POSITIVE_INFINITY;
    for (const peer of [...this.peers.keys()]) this.failAll(peer, outcome);
  }

  private sweepAt(atMs: number, delayMs: number): void {
    this.timer?.cancel();
    this.sweepAtMs = atMs;
    this.timer = this.clock.after(delayMs, () => this.sweep());
  }

  /** Calls that are added while others are failed set their own timer: the sweep's comes first. */
  private sweep(): void {
    const now = this.clock.monotonicMs();
    const expired: Pending<Outcome>[] = [];
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const calls of this.peers.values()) {
      for (const [id, pending] of calls) {
        if (pending.deadlineMs > now) earliestMs = Math.min(earliestMs, pending.deadlineMs);
        else if (calls.delete(id)) expired.push(pending);
      }
    }
    this.sweepAtMs = Number.POSITIVE_INFINITY;
    if (earliestMs < Number.POSITIVE_INFINITY) {
      const nextMs = Math.max(earliestMs, now + GRAIN_MS);
      this.sweepAt(nextMs, nextMs - now);
    }
    this.timeouts += expired.length;
    for (const { done } of expired) done(this.timeout);
  }
}
