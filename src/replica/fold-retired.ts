import { subtract } from '../core/causality/dot-set.ts';
import { foldable } from '../core/causality/retirement.ts';
import type { NodeId } from '../core/ids.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Store } from '../ports.ts';

/**
 * Folds the retired actors in the clocks of the node's partitions, where a clock covers what was agreed on; the others must wait for
 * an exchange (rule C9), and what is beyond the limit for the next call. Returns how many entries of actors, or of lower floors, went.
 */
export function foldRetired(store: Store, view: ClusterView, self: NodeId, limit = CLOCKS_MAX): number {
  const retirements = [...view.state.retirements.values()];
  if (retirements.length === 0) return 0;
  let folded = 0;
  let clocks = 0;
  for (const partition of view.partitionsOf(self)) {
    const clock = store.clock(partition);
    const floors = foldable(clock, partition, retirements);
    if (floors.length === 0) continue;
    if (clocks++ === limit) break;
    store.applyClock(partition, floors);
    folded += clock.length - subtract(clock, floors).length;
  }
  return folded;
}

/** Requests are not held up for longer than that many records take. */
const CLOCKS_MAX = 1000;
