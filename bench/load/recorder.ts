import type { Histogram } from 'hdr-histogram-js';
import type { Sample, TimelinePoint } from '../report/bench-report.ts';
import type { Failure } from '../stores/store.ts';
import { newLatencies, percentileMs, recordMs } from './latencies.ts';

/** What is measured, in milliseconds of `performance.now()`: start inclusive, end exclusive. The warm-up is before it. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** Of the window. Times that were added up are not exact, and must not make a second more or less of it. */
export const lengthMs = ({ startMs, endMs }: Window): number => Math.round(endMs - startMs);

/**
 * Counts operations, second by second and in all.
 *
 * 1. An operation belongs to the window when it began within it: its latency or its error counts however long it took. Were it to count when
 *    it ends, a stall or a time-out that outlasts the window would be seen by nobody.
 * 2. The rate is of those that ended within the window, whenever they began: so many the store did in that time, and so many the
 *    processor time of the window was spent on. What a backlog owes after the window is none of it.
 */
export class Recorder {
  readonly latencies: Histogram = newLatencies();
  private readonly window: Window;
  private readonly seconds: Second[];
  private readonly failures = new Map<Failure, number>();
  private completed = 0;

  constructor(window: Window) {
    this.window = window;
    this.seconds = Array.from({ length: Math.ceil(lengthMs(window) / 1000) }, () => ({
      errors: 0,
      latencies: newLatencies(2),
    }));
  }

  /** `startMs`: in a closed loop when it began, in an open one when it was to begin. */
  succeeded(startMs: number, latencyMs: number): void {
    if (this.secondOf(startMs + latencyMs) !== undefined) this.completed++;
    const second = this.secondOf(startMs);
    if (second === undefined) return;
    recordMs(this.latencies, latencyMs);
    recordMs(second.latencies, latencyMs);
  }

  failed(startMs: number, why: Failure): void {
    const second = this.secondOf(startMs);
    if (second === undefined) return;
    second.errors++;
    this.failures.set(why, (this.failures.get(why) ?? 0) + 1);
  }

  /** So far: late answers still come to it. */
  point(second: number): TimelinePoint {
    const { errors, latencies } = this.seconds[second] ?? { errors: 0, latencies: newLatencies(2) };
    return {
      second,
      operations: latencies.totalCount,
      errors,
      p50Ms: percentileMs(latencies, 50),
      p99Ms: percentileMs(latencies, 99),
    };
  }

  timeline(): TimelinePoint[] {
    return this.seconds.map((_, second) => this.point(second));
  }

  /** `clientCpuMicros`: processor time of the load generator within the window. */
  sample(clientCpuMicros: number): Omit<Sample, 'serverCpuUs'> {
    const { latencies, completed } = this;
    const seconds = lengthMs(this.window) / 1000;
    return {
      seconds,
      operationsPerS: completed / seconds,
      p50Ms: percentileMs(latencies, 50),
      p90Ms: percentileMs(latencies, 90),
      p99Ms: percentileMs(latencies, 99),
      p999Ms: percentileMs(latencies, 99.9),
      maxMs: percentileMs(latencies, 100),
      errors: Object.fromEntries(this.failures),
      clientCpuUs: completed === 0 ? 0 : clientCpuMicros / completed,
    };
  }

  private secondOf(atMs: number): Second | undefined {
    const { startMs, endMs } = this.window;
    if (atMs < startMs || atMs >= endMs) return undefined;
    return this.seconds[Math.floor((atMs - startMs) / 1000)];
  }
}

interface Second {
  errors: number;
  readonly latencies: Histogram;
}
