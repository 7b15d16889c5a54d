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
  /** Partitions, each counted once by each owner, of which a hash is still to be made: after a start. */
  readonly unknownContents: number;
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
    unknownContents: sum((metrics) => metric(metrics, 'content_unknown')),
  };
}

/**
 * Resolves once nothing of what nodes do after writes or a start is left to do: checkpoints have taken in all changes, and the keys
 * were looked through. To the counts of that moment. Checkpoints come every 10 s, so it may take that long. Rejects after ten minutes.
 */
export async function settledMetrics(urls: readonly string[]): Promise<ClusterMetrics> {
  let latest = await clusterMetrics(urls);
  const isSettled = async (): Promise<boolean> => {
    latest = await clusterMetrics(urls);
    return latest.waitingChanges === 0 && latest.unknownContents === 0;
  };
  await until(isSettled, SETTLED_WITHIN_MS, `${urls} have nothing left to do`);
  return latest;
}

const SETTLED_WITHIN_MS = 600_000;
