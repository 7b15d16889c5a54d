import { metric, sentBytes } from '../cluster/metrics.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { EXCHANGE_METHODS } from './methods.ts';

export interface AtRest {
  readonly partitions: number;
  /** One node asks another one, and is answered. */
  readonly rounds: number;
  readonly bytesPerRound: number;
}

const PARTITIONS = 64;
const ROUNDS_MIN = 4;

/** What owners that agree tell each other, in `seconds` and at least a few rounds. All nodes own all partitions, so that each round is about all of them. */
export async function atRest(cluster: BenchCluster, seconds: number): Promise<AtRest> {
  const before = await spent(cluster);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  await cluster.until(async () => (await spent(cluster)).rounds >= before.rounds + ROUNDS_MIN);
  const after = await spent(cluster);
  const rounds = after.rounds - before.rounds;
  return { partitions: PARTITIONS, rounds, bytesPerRound: Math.round((after.bytes - before.bytes) / rounds) };
}

async function spent(cluster: BenchCluster): Promise<{ readonly rounds: number; readonly bytes: number }> {
  const all = await cluster.allMetrics();
  return {
    rounds: all.reduce((sum, metrics) => sum + metric(metrics, 'sync_rounds'), 0),
    bytes: all.reduce((sum, metrics) => sum + sentBytes(metrics, EXCHANGE_METHODS), 0),
  };
}
