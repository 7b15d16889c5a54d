import type { Histogram } from 'hdr-histogram-js';
import type { Sample, TimelinePoint } from '../report/bench-report.ts';
import type { Failure } from '../stores/store.ts';
import { newLatencies, percentileMs, recordMs } from './latencies.ts';

/** What is measured, in milliseconds of `performance.now()`: start inclusive, end exclusive. The warm-up is before it. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/** Counts what happened within the window, second by second and in all. What happened at another time is left out. */
export class Recorder {
  readonly latencies: Histogram = newLatencies();
  private readonly window: Window;
  private readonly seconds: Second[];
  private readonly failures = new Map<Failure, number>();

  constructor(window: Window) {
    this.window = window;
    this.seconds = Array.from({ length: Math.ceil((window.endMs - window.startMs) / 1000) }, () => ({
      errors: 0,
      latencies: newLatencies(2),
    }));
  }

  /** `atMs`: when it counts. In a closed loop that is when it ended, in an open one when it was to start. */
  succeeded(atMs: number, latencyMs: number): void {
    const second = this.secondOf(atMs);
    if (second === undefined) return;
    recordMs(this.latencies, latencyMs);
    recordMs(second.latencies, latencyMs);
  }

  failed(atMs: number, why: Failure): void {
    const second = this.secondOf(atMs);
    if (second === undefined) return;
    second.errors++;
    this.failures.set(why, (this.failures.get(why) ?? 0) + 1);
  }

  get operations(): number {
    return this.latencies.totalCount;
  }

  /** So far: in an open loop late answers still come to it. */
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
    const { latencies, operations } = this;
    const seconds = (this.window.endMs - this.window.startMs) / 1000;
    return {
      seconds,
      operationsPerS: operations / seconds,
      p50Ms: percentileMs(latencies, 50),
      p90Ms: percentileMs(latencies, 90),
      p99Ms: percentileMs(latencies, 99),
      p999Ms: percentileMs(latencies, 99.9),
      maxMs: percentileMs(latencies, 100),
      errors: Object.fromEntries(this.failures),
      clientCpuUs: operations === 0 ? 0 : clientCpuMicros / operations,
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
