import type { Simulation } from '../simulation.ts';

/** Nothing waits for ever: with no request under way, no call between nodes is, and no store holds back changes. */
export function checkResources(simulation: Simulation): void {
  for (const { id, node, store, isLost } of simulation.machines) {
    if (node === undefined || store === undefined || isLost) continue;
    const { pending } = node.calls.stats();
    if (pending > MAINTENANCE_CALLS)
      simulation.violated('resources', `${id}: ${pending} calls still wait for their answer`);
    const { memtableEntries } = store.stats();
    if (memtableEntries > 0 && simulation.history.requests.length > 0 && memtableEntries > RECENT_ENTRIES) {
      simulation.violated('resources', `${id}: ${memtableEntries} changes are still not in the state`);
    }
  }
}

/** Calls that nodes make of their own accord. */
const MAINTENANCE_CALLS = 0;
/** What a node writes of its own accord: the Raft commit index, clocks that fold, hints that go. */
const RECENT_ENTRIES = 64;
