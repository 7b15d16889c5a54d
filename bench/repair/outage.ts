import { metric } from '../cluster/metrics.ts';
import { AWAY, type BenchCluster } from './bench-cluster.ts';
import { FOREGROUND_KEYS } from './foreground-load.ts';
import type { Generations } from './generations.ts';
import { EXCHANGE_METHODS, HINT_METHODS } from './methods.ts';

export interface Outage {
  readonly served: string;
  /** Of the writes that were missed, as they are stored: keys, dots and values. */
  readonly differingBytes: number;
  /** All that nodes have sent of such things from the node's start until nothing differed, their answers included. */
  readonly hintBytes: number;
  readonly exchangeBytes: number;
  readonly timesDiffering: number;
  /** Hints that were sent, or found to be known to their owner. */
  readonly hints: number;
  readonly exchangedKeys: number;
  readonly comparisons: number;
  /** From the node being ready until no node knew of a difference or kept a hint. */
  readonly healedS: number;
}

/** Lets a node miss a generation of writes, and looks at what its return takes. `whileAway` may make it harder. */
export async function outage(
  served: string,
  cluster: BenchCluster,
  generations: Generations,
  whileAway: () => Promise<void> = async () => {},
): Promise<Outage> {
  await cluster.sendAway();
  const differingBytes = await generations.next(cluster.staying);
  await whileAway();
  const hintsBefore = await sum(cluster, cluster.staying, 'hints_removed');
  const sent = (methods: readonly string[]) => cluster.sentBytes(cluster.staying, methods);
  const [hintBytesBefore, exchangeBytesBefore] = [await sent(HINT_METHODS), await sent(EXCHANGE_METHODS)];
  await cluster.bringBack();
  const readyMs = performance.now();
  await cluster.healed();
  const healedS = (performance.now() - readyMs) / 1000;
  await checkObjects(cluster, generations.present + FOREGROUND_KEYS);
  const { ids } = cluster.nodes;
  const hintBytes = (await cluster.sentBytes(ids, HINT_METHODS)) - hintBytesBefore;
  const exchangeBytes = (await cluster.sentBytes(ids, EXCHANGE_METHODS)) - exchangeBytesBefore;
  return {
    served,
    differingBytes,
    hintBytes,
    exchangeBytes,
    timesDiffering: Math.round((100 * (hintBytes + exchangeBytes)) / differingBytes) / 100,
    hints: (await sum(cluster, cluster.staying, 'hints_removed')) - hintsBefore,
    exchangedKeys: await sum(cluster, [AWAY], 'sync_keys'),
    comparisons: await sum(cluster, [AWAY], 'sync_comparisons'),
    healedS: Math.round(healedS * 10) / 10,
  };
}

async function sum(cluster: BenchCluster, ids: readonly string[], name: string): Promise<number> {
  const all = await Promise.all(ids.map((id) => cluster.metrics(id)));
  return all.reduce((total, metrics) => total + metric(metrics, name), 0);
}

async function checkObjects(cluster: BenchCluster, expected: number): Promise<void> {
  const objects = await cluster.objects();
  if (objects.some((count) => count !== expected)) {
    throw new Error(`the nodes say that nothing differs, and have ${objects} objects where ${expected} were written`);
  }
}
