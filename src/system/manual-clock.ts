import { invariant } from '../core/invariant.ts';
import type { Clock, Timer } from '../ports.ts';

interface Pending {
  readonly atMs: number;
  readonly task: () => void;
}

/**
 * A clock that only moves when told to, for tests.
 *
 * 1. A task runs with the clock at exactly its time, the earlier first, those of one time in the order they were set.
 * 2. A task set while time moves runs in the same move when it falls due.
 * 3. Nothing runs but within `advance`.
 */
export class ManualClock implements Clock {
  private nowMs = 0;
  private wallOffsetMs: number;
  /** By time, then by when they were set. */
  private readonly pending: Pending[] = [];

  constructor(wallMs = Date.UTC(2020, 0, 1)) {
    this.wallOffsetMs = wallMs;
  }

  wallMs(): number {
    return this.nowMs + this.wallOffsetMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    const entry: Pending = { atMs: this.nowMs + Math.max(0, delayMs), task };
    const later = this.pending.findIndex((other) => other.atMs > entry.atMs);
    this.pending.splice(later < 0 ? this.pending.length : later, 0, entry);
    return { cancel: () => this.remove(entry) };
  }

  /** Moves both times on by `ms` and runs what falls due on the way. */
  advance(ms: number): void {
    invariant(ms >= 0, 'time does not go back');
    const untilMs = this.nowMs + ms;
    for (let next = this.pending[0]; next !== undefined && next.atMs <= untilMs; next = this.pending[0]) {
      this.remove(next);
      this.nowMs = next.atMs;
      next.task();
    }
    this.nowMs = untilMs;
  }

  /** Sets the wall time, as a correction of the machine's clock would; the monotonic time and the timers do not notice. */
  setWallMs(wallMs: number): void {
    this.wallOffsetMs = wallMs - this.nowMs;
  }

  /** How many tasks wait for their time. */
  get waiting(): number {
    return this.pending.length;
  }

  private remove(entry: Pending): void {
    const index = this.pending.indexOf(entry);
    if (index >= 0) this.pending.splice(index, 1);
  }
}
