import type { LocalCluster } from '../cluster/local-cluster.ts';
import { median } from '../median.ts';
import type { Load } from './load.ts';

/** Short of the 10 s between two checkpoints: at most one comes in between, and what is written after it is in the log alone. */
const LOAD_S = 4;

/**
 * Seconds from the start of a node's process until it serves, with the first `keys` keys in the cluster: the median of the nodes, each ended by
 * SIGKILL in the moment after a few seconds of load, and started again at once while the others run. So it opens its files, replays
 * what its log has and no checkpoint, and learns of the others. It is the start after a crash of the process, not of the machine: its
 * files are still in the page cache. One of the nodes led the metadata group, so that its start waits for an election.
 */
export async function startTime(cluster: LocalCluster, keys: number, load: Load): Promise<number> {
  const times: number[] = [];
  for (const id of cluster.ids) {
    await load(cluster.urls, keys, LOAD_S);
    await cluster.kill([id]);
    times.push(await cluster.startOne(id));
    await cluster.meet();
  }
  return Math.round(median(times) * 1000) / 1000;
}
