import { metric } from '../cluster/metrics.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { each } from './client.ts';

export interface Deletion {
  readonly keys: number;
  readonly healedS: number;
  readonly left: readonly { readonly node: string; readonly objects: number; readonly residues: number }[];
}

const WIDTH = 64;

/**
 * Writes every key and deletes every key, and looks at what is left in each store. A node is away for half of the writes and half of
 * the deletes: of a quarter of the keys it misses both, of a quarter the write, of a quarter the delete, of a quarter nothing.
 */
export async function deletion(cluster: BenchCluster, keys: number, value: Uint8Array): Promise<Deletion> {
  const { client } = cluster;
  const [all, quarter] = [cluster.nodes.ids, Math.floor(keys / 4)];
  const change = (method: 'PUT' | 'DELETE', ids: readonly string[], from: number, to: number): Promise<void> =>
    each(to - from, WIDTH, (i) => {
      const path = `/v1/kv/deletion/key-${from + i}?w=2`;
      return client.write(ids[i % ids.length] ?? '', method, path, method === 'PUT' ? value : undefined);
    });
  await change('PUT', all, 0, 2 * quarter);
  await change('DELETE', all, 0, quarter);
  await cluster.sendAway();
  await change('DELETE', cluster.staying, quarter, 2 * quarter);
  await change('PUT', cluster.staying, 2 * quarter, keys);
  await change('DELETE', cluster.staying, 2 * quarter, 3 * quarter);
  await cluster.bringBack();
  const readyMs = performance.now();
  await cluster.healed();
  const healedS = Math.round((performance.now() - readyMs) / 100) / 10;
  await change('DELETE', all, 3 * quarter, keys);
  await cluster.healed();
  await cluster.until(async () => (await left(cluster)).every(({ residues }) => residues === 0));
  return { keys, healedS, left: await left(cluster) };
}

function left(cluster: BenchCluster): Promise<Deletion['left']> {
  return Promise.all(
    cluster.nodes.ids.map(async (node) => {
      const metrics = await cluster.metrics(node);
      return { node, objects: metric(metrics, 'objects'), residues: metric(metrics, 'residues') };
    }),
  );
}
