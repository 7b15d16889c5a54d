import { type Container, decodeContainer } from '../../../src/core/causality/container.ts';
import { type DotSet, EMPTY_DOTS, subtract, union } from '../../../src/core/causality/dot-set.ts';
import { type Partition, partition as partitionOf } from '../../../src/core/ids.ts';
import type { Store } from '../../../src/ports.ts';
import { HINTS } from '../../../src/replica/hint-record.ts';
import type { Simulation } from '../simulation.ts';

const ALL = 1_000_000;

/**
 * Invariant 5, its second half: once all owners agree, a deleted key costs zero bytes. A store holds the keys that have a value, each
 * without a context, and nothing else; and nothing of partitions that its node does not own.
 *
 * What a context covers and no clock of an owner has was lost with the power of the node that minted it, and nobody can tell any
 * more: such a residue stays. What is left over otherwise, for a person; undefined when nothing is.
 */
export function remains(simulation: Simulation): string | undefined {
  for (const partition of partitionsOf(simulation)) {
    const { owners, others } = storesOf(simulation, partition);
    const known = owners.map(({ store }) => store.clock(partition)).reduce(union, EMPTY_DOTS);
    for (const { id, store } of owners) {
      const left = store
        .scan(partition, undefined, ALL)
        .find(({ object }) => object !== undefined && costs(decodeContainer(object), known));
      if (left !== undefined) return `${id} ${left.key}: a context or a key without a value is still stored`;
    }
    for (const { id, store } of others) {
      const [foreign] = store.scan(partition, undefined, 1);
      if (foreign !== undefined)
        return `${id} ${foreign.key}: stored at a node that does not own partition ${partition}`;
    }
  }
  return undefined;
}

/** The store's entries are then the model's: a key of which nobody wrote a value has none, and a hint that went has no record. */
export function checkRemains(simulation: Simulation): void {
  for (const { id, node, store } of simulation.machines) {
    const records = store?.metaWithPrefix(HINTS).length ?? 0;
    const hints = node?.hints.count ?? 0;
    if (records !== hints) simulation.violated('remains', `${id}: ${hints} hints are kept, and ${records} stored`);
  }
  for (const partition of partitionsOf(simulation)) {
    for (const { id, store } of storesOf(simulation, partition).owners) {
      for (const { key } of store.scan(partition, undefined, ALL)) {
        const isWritten = simulation.history.eventsOf(key).some((event) => event.partition === partition);
        if (!isWritten) simulation.violated('remains', `${id} ${key}: stored, and nobody wrote it`);
      }
    }
  }
}

/** Beside its values: a context that some clock has caught up with, or an entry with neither. */
function costs({ siblings, context }: Container, known: DotSet): boolean {
  const lost = subtract(context, known);
  return lost !== context || (siblings.length === 0 && lost.length === 0);
}

function partitionsOf({ clusterState }: Simulation): readonly Partition[] {
  return (clusterState?.ownership ?? []).map((_, index) => partitionOf(index));
}

interface NamedStore {
  readonly id: string;
  readonly store: Store;
}

function storesOf(simulation: Simulation, partition: Partition) {
  const owners: NamedStore[] = [];
  const others: NamedStore[] = [];
  for (const { id, store, isLost } of simulation.machines) {
    if (store === undefined || isLost) continue;
    (simulation.owns(id, partition) ? owners : others).push({ id, store });
  }
  return { owners, others };
}
