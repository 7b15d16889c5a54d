import { mayHaveStrays, type Retirement } from '../core/causality/retirement.ts';
import type { ClusterState } from '../core/cluster/cluster-state.ts';
import type { NodeId, Partition } from '../core/ids.ts';
import type { CatchUp } from '../membership/catch-up.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import type { Clock, Logger, Store } from '../ports.ts';
import type { HintStore } from './hint-store.ts';
import { discardStray } from './hinted-dots.ts';

export interface OlderFolderNeeds {
  readonly self: NodeId;
  readonly store: Store;
  readonly hints: HintStore;
  readonly catchUp: CatchUp;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isStopped: () => boolean;
}

const KEYS_PER_STEP = 100;
const STEP_BYTES = 1 << 20;
/** Between two steps: messages of the metadata group and heartbeats come first. */
const PAUSE_MS = 2;

/**
 * Gives up what a folder that was put back has of writes that were retired without it (rule C9, H1, H24).
 *
 * A write that reached this folder alone, before the folder was lost, was told of by nobody when its actor was retired: every owner's
 * floor claims it, and it was to stay lost. Here it has overwritten another one, whose dot is in this clock. Dropping the write alone
 * would make both seem deleted, and every owner that compares or reads would delete what it had overwritten, though all had
 * acknowledged that. What such writes overwrote cannot be told from the clock. So where it has one, the partition becomes as that of an
 * emptied folder, objects and clock, and is had again from the other owners (rule C8). Of what a quorum has acknowledged another owner
 * has a copy, and this one waits for every other.
 *
 * Its time is between the grant, since nothing can be retired without this folder from there on, and the moment when that comes into
 * force: before, nothing of a folder that is to be examined is compared, shown or acknowledged. Once only: a later start may have
 * acknowledged what is here.
 *
 * After a crash in between it begins again, and finds the same: the objects go first, the clock that shows why they have to go after
 * them, and the record that all was looked through is the last.
 */
export async function examineOlderFolder(needs: OlderFolderNeeds, state: ClusterState): Promise<void> {
  const { self, store, catchUp, logger } = needs;
  const retirements = [...state.retirements.values()];
  for (const partition of new ClusterView(state).partitionsOf(self)) {
    if (!mayHaveStrays(store.clock(partition), partition, retirements)) continue;
    logger.warn(
      { partition },
      'this older data folder has writes of the partition that are lost to the cluster: it is given up, and had again from the other owners',
    );
    if (!(await removed(needs, partition))) return;
    store.forgetClock(partition);
  }
  if (!(await withoutStrayHints(needs, retirements))) return;
  await store.durable(catchUp.examined(), 'flush');
}

/** False: the node stops. */
async function removed(needs: OlderFolderNeeds, partition: Partition): Promise<boolean> {
  const { store } = needs;
  for (;;) {
    const found = store.scan(partition, undefined, KEYS_PER_STEP, STEP_BYTES);
    for (const { key } of found) store.apply(partition, key, undefined, []);
    if (found.length === 0) return true;
    if (!(await paused(needs))) return false;
  }
}

/** Also what they say of a key is read by others. False: the node stops. */
async function withoutStrayHints(needs: OlderFolderNeeds, retirements: readonly Retirement[]): Promise<boolean> {
  for (const _ of discardStray(needs.hints, retirements)) if (!(await paused(needs))) return false;
  return true;
}

/** Also until the disk has caught up. False: the node stops. */
async function paused({ store, clock, isStopped }: OlderFolderNeeds): Promise<boolean> {
  do await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
  while (store.overloaded && !isStopped());
  return !isStopped();
}
