import { settledMetrics } from '../cluster/cluster-metrics.ts';
import type { LocalCluster } from '../cluster/local-cluster.ts';
import { readings } from '../cluster/process-meter.ts';
import type { Costs } from '../report/bench-report.ts';
import type { Fill, Load } from './load.ts';
import { pause } from './pause.ts';

type MemoryOverTime = NonNullable<Costs['memoryOverTime']>;

/** Between the end of the writes and the look: what they left in the heap is collected by then, or counts. */
const REST_S = 5;

/**
 * RssAnon of the node that takes most, with so many keys on disk: after they were written, not after a start, so that what writing
 * them left behind counts. Undefined where processes cannot be watched.
 */
export async function memoryWith(cluster: LocalCluster, keys: number, fill: Fill): Promise<number | undefined> {
  await fill(cluster.urls, keys);
  await settledMetrics(cluster.urls);
  await pause(REST_S);
  return largest(cluster);
}

export interface MemoryOverTimeOptions {
  readonly load: Load;
  readonly keys: number;
  readonly seconds: number;
  /** Between two looks. */
  readonly everyS: number;
}

/** Of the node that takes most, before the load, while it goes on, and at its end. Empty where processes cannot be watched. */
export async function memoryOverTime(cluster: LocalCluster, options: MemoryOverTimeOptions): Promise<MemoryOverTime> {
  const { load, keys, seconds, everyS } = options;
  const found: MemoryOverTime[number][] = [];
  const startMs = performance.now();
  const look = (): void => {
    const bytesPerNode = largest(cluster);
    const second = Math.round((performance.now() - startMs) / 100) / 10;
    if (bytesPerNode !== undefined) found.push({ second, bytesPerNode });
  };
  look();
  const timer = setInterval(look, everyS * 1000);
  try {
    await load(cluster.urls, keys, seconds);
  } finally {
    clearInterval(timer);
  }
  look();
  return found;
}

function largest(cluster: LocalCluster): number | undefined {
  const all = readings(cluster.pids);
  return all === undefined ? undefined : Math.max(...all.map(({ anonBytes }) => anonBytes));
}
