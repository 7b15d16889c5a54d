import type { LocalCluster } from '../cluster/local-cluster.ts';

/**
 * Seconds from the start of a node's process until it serves, with what the cluster keeps: the median of the nodes, each ended by
 * SIGKILL and started again while the others run. One of them led the metadata group, so that its start waits for an election.
 */
export async function startTime(cluster: LocalCluster): Promise<number> {
  const times: number[] = [];
  for (const id of cluster.ids) {
    await cluster.kill([id]);
    times.push(await cluster.startOne(id));
    await cluster.meet();
  }
  const sorted = times.sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? Number.NaN) * 1000) / 1000;
}
