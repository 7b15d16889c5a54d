import type { Epoch } from '../core/ids.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Durability } from '../ports.ts';

/** How durable a change must be before it is acknowledged or shown, to whoever asks on a view of that epoch. */
export type DurabilityOf = (epoch: Epoch) => Durability;

/** As the setting says; on disk where the sender's view is not this node's: it may know another setting, and tells its client of that one. */
export function durabilityOn(currentView: () => ClusterView | undefined): DurabilityOf {
  return (epoch) => {
    const view = currentView();
    return view?.epoch === epoch ? view.state.settings.durability : 'flush';
  };
}
