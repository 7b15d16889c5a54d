import { type ClusterMetrics, settledMetrics } from '../cluster/cluster-metrics.ts';
import type { LocalCluster } from '../cluster/local-cluster.ts';
import { ProcessMeter } from '../cluster/process-meter.ts';
import type { Costs } from '../report/bench-report.ts';
import type { Load } from './load.ts';

export interface PerPutOptions {
  /** Of puts with values of `valueBytes`. */
  readonly load: Load;
  readonly valueBytes: number;
  /** That the cluster has: those are put. */
  readonly keys: number;
  readonly seconds: number;
  /** Of the same load before, which is not counted: a node that was just started has its code still to be compiled. 0: none. */
  readonly warmupS: number;
}

/**
 * What nodes do for one put, from before the load until checkpoints have taken in all of it. What they do anyway is part of it
 * (heartbeats, looks at each other), for up to 10 s after the load as well: about a hundredth of what a load of 30 s takes.
 * Undefined where processes cannot be watched.
 */
export async function perPut(cluster: LocalCluster, options: PerPutOptions): Promise<Costs['perPut']> {
  const { load, keys, valueBytes, seconds, warmupS } = options;
  const { urls } = cluster;
  if (warmupS > 0) await load(urls, keys, warmupS);
  const before = await settledMetrics(urls);
  const meter = new ProcessMeter(cluster.pids);
  const { operations, clientCpuUs } = await load(urls, keys, seconds);
  // Checkpoints that are still to come write what was put, and take their time for it.
  const after = await settledMetrics(urls);
  const used = meter.used();
  if (used === undefined || operations === 0) return undefined;
  const each = (name: keyof ClusterMetrics): number => (after[name] - before[name]) / operations;
  return {
    valueBytes,
    wireBytes: Math.round(each('sentBytes')),
    diskBytesPerReplica: Math.round(used.writtenBytes / operations / cluster.n),
    flushes: Math.round(each('flushes') * 1000) / 1000,
    nodeCpuUs: Math.round(used.cpuUs / operations),
    clientCpuUs: Math.round(clientCpuUs),
  };
}
