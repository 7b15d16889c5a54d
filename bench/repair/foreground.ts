import { metric } from '../cluster/metrics.ts';
import { AWAY, type BenchCluster } from './bench-cluster.ts';
import { ForegroundLoad, type Latency } from './foreground-load.ts';
import type { Generations } from './generations.ts';

const LOOK_MS = 250;
/** Fewer requests would have no percentile to speak of. */
const LEAST_S = 1;

/** The load with nothing else going on. */
export async function calm(cluster: BenchCluster, value: Uint8Array, seconds: number): Promise<Latency> {
  const load = new ForegroundLoad(cluster, value);
  await busyUntil(cluster, seconds);
  return load.stop('calm');
}

/**
 * The same load from the moment in which a node is back that has missed a generation of writes (none, when none is given), until it
 * has caught up with them, or for `seconds`.
 */
export async function duringReturn(
  phase: string,
  cluster: BenchCluster,
  value: Uint8Array,
  seconds: number,
  missed?: Generations,
): Promise<Latency> {
  await cluster.sendAway();
  await missed?.next(cluster.staying);
  await cluster.bringBack();
  const load = new ForegroundLoad(cluster, value);
  const leastMs = performance.now() + 1000 * Math.min(seconds, LEAST_S);
  const lastMs = await busyUntil(cluster, seconds);
  const latency = await load.stop(phase, missed === undefined ? performance.now() : Math.max(lastMs, leastMs));
  await cluster.healed();
  return latency;
}

/** Looks on for `seconds`, or until the nodes are equal. Resolves to the last moment in which the node was seen to catch up. */
async function busyUntil(cluster: BenchCluster, seconds: number): Promise<number> {
  const endMs = performance.now() + seconds * 1000;
  let lastMs = performance.now();
  let before = await work(cluster);
  while (performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const now = await work(cluster);
    if (now !== before) lastMs = performance.now();
    before = now;
  }
  return lastMs;
}

/** Grows with each key that the node takes in, or of which a hint is delivered. */
async function work(cluster: BenchCluster): Promise<number> {
  const pulled = metric(await cluster.metrics(AWAY), 'sync_keys');
  const others = await Promise.all(cluster.staying.map((id) => cluster.metrics(id)));
  return others.reduce((sum, metrics) => sum + metric(metrics, 'hints_removed'), pulled);
}
