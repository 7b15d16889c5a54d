/** Ports for the tests of this folder. */
import { performance } from 'node:perf_hooks';
import type { Clock, Logger, Random, Timer } from '../ports.ts';

/** Time stands still until {@link ManualClock.advance}. */
export class ManualClock implements Clock {
  private now = 0;
  private readonly tasks = new Set<{ readonly atMs: number; readonly task: () => void }>();

  wallMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }

  after(delayMs: number, task: () => void): Timer {
    const entry = { atMs: this.now + delayMs, task };
    this.tasks.add(entry);
    return { cancel: () => void this.tasks.delete(entry) };
  }

  /** Runs what is due by then, earliest first, tasks set meanwhile included. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (let due = this.earliest(end); due.length > 0; due = this.earliest(end)) {
      for (const entry of due) {
        if (!this.tasks.delete(entry)) continue;
        this.now = Math.max(this.now, entry.atMs);
        entry.task();
      }
    }
    this.now = end;
  }

  /** All that is due at the earliest time up to `end`, in the order in which it was set. */
  private earliest(end: number) {
    const atMs = Math.min(...Array.from(this.tasks, (entry) => entry.atMs));
    return atMs > end ? [] : [...this.tasks].filter((entry) => entry.atMs === atMs);
  }
}

/** Real time, for real sockets. */
export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, task) => {
    const timeout = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};

/** Mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function memoryLogger(): Logger & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const log = (level: keyof Logger) => (fields: object, message: string) => {
    lines.push({ level, message, fields: { ...fields } });
  };
  return { lines, debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

/** Waits, turn by turn, for what other turns bring about; the test's own time-out ends a wait that is in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
