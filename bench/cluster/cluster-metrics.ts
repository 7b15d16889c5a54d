import { get } from './get.ts';
import { type Metrics, metric, parseMetrics, sentBytes } from './metrics.ts';
import { until } from './until.ts';

/** What the nodes of a cluster have done since their starts, all together: differences between two of these are what a load took. */
export interface ClusterMetrics {
  /** From node to node, answers included. */
  readonly sentBytes: number;
  /** Of the log. */
  readonly flushes: number;
  readonly logBytes: number;
  /** Handed to the state by checkpoints. */
  readonly checkpointBytes: number;
  /** Changes that are in the log and in no checkpoint yet. */
  readonly waitingChanges: number;
}

/** Asks the nodes at these URLs, and adds up. Rejects when one does not answer, or is none of ours. */
export async function clusterMetrics(urls: readonly string[]): Promise<ClusterMetrics> {
  const all = await Promise.all(urls.map(async (url) => parseMetrics(await get(`${url}/metrics`))));
  const sum = (read: (metrics: Metrics) => number): number => all.reduce((total, one) => total + read(one), 0);
  return {
    sentBytes: sum((metrics) => sentBytes(metrics)),
    flushes: sum((metrics) => metric(metrics, 'store_flushes')),
    logBytes: sum((metrics) => metric(metrics, 'store_log_bytes')),
    checkpointBytes: sum((metrics) => metric(metrics, 'store_checkpoint_bytes')),
    waitingChanges: sum((metrics) => metric(metrics, 'store_memtable_entries')),
  };
}

/** Resolves once checkpoints have taken in all changes, to the counts of that moment. Rejects after a minute. */
export async function settledMetrics(urls: readonly string[]): Promise<ClusterMetrics> {
  let latest = await clusterMetrics(urls);
  const isSettled = async (): Promise<boolean> => {
    latest = await clusterMetrics(urls);
    return latest.waitingChanges === 0;
  };
  await until(isSettled, SETTLED_WITHIN_MS, `all changes are in the state of ${urls}`);
  return latest;
}

const SETTLED_WITHIN_MS = 60_000;
