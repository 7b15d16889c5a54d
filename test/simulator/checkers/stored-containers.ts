import { type Container, decodeContainer, EMPTY_CONTAINER } from '../../../src/core/causality/container.ts';
import type { DotSet } from '../../../src/core/causality/dot-set.ts';
import type { ObjectKey, Partition } from '../../../src/core/ids.ts';
import type { Machine } from '../machine.ts';
import type { Simulation } from '../simulation.ts';

export interface OwnedContainer {
  readonly machine: Machine;
  readonly partition: Partition;
  readonly clock: DotSet;
  /** Stripped, as on disk. */
  readonly stored: Container;
}

/** A key at each of its owners that runs. */
export function ownedContainers(simulation: Simulation, key: ObjectKey): readonly OwnedContainer[] {
  const partition = partitionOf(simulation, key);
  if (partition === undefined) return [];
  const owners = simulation.clusterState?.ownership[partition]?.owners ?? [];
  const numbers = new Map(simulation.clusterState?.members.map(({ id, number }) => [id, number]));
  return simulation.machines.flatMap((machine) => {
    const { store } = machine;
    const number = numbers.get(machine.id);
    if (store === undefined || machine.isLost || number === undefined || !owners.includes(number)) return [];
    const bytes = store.read(partition, key);
    const stored = bytes === undefined ? EMPTY_CONTAINER : decodeContainer(bytes);
    return [{ machine, partition, clock: store.clock(partition), stored }];
  });
}

/** What is kept of a key for owners that are away, by nodes that run. */
export function keptContainers(simulation: Simulation, key: ObjectKey): readonly Container[] {
  return simulation.machines.flatMap(({ node, isLost }) =>
    node === undefined || isLost ? [] : node.hints.hintsOf(key).map(({ container }) => container),
  );
}

/** As a write event tells, since every key that is stored has one. */
function partitionOf(simulation: Simulation, key: ObjectKey): Partition | undefined {
  return simulation.history.eventsOf(key)[0]?.partition;
}
