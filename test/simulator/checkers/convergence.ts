import { formatDot } from '../../../src/core/causality/dot.ts';
import { equalDotSets, subtract } from '../../../src/core/causality/dot-set.ts';
import type { ObjectKey } from '../../../src/core/ids.ts';
import type { Simulation } from '../simulation.ts';
import { type OwnedContainer, ownedContainers } from './stored-containers.ts';

/**
 * Invariant 4: once all owners have exchanged, their clocks and contents are equal. What still differs, for a person; undefined when
 * all owners that have a folder of their own agree on every key.
 */
export function divergence(simulation: Simulation): string | undefined {
  for (const key of simulation.history.keys()) {
    const [first, ...others] = ownedContainers(simulation, key);
    if (first === undefined) continue;
    for (const other of others) {
      const difference = differenceOf(key, first, other);
      if (difference !== undefined) return difference;
    }
  }
  return undefined;
}

function differenceOf(key: ObjectKey, a: OwnedContainer, b: OwnedContainer): string | undefined {
  const where = `${key} at ${a.machine.id} and ${b.machine.id}`;
  if (!equalDotSets(a.clock, b.clock)) {
    const missing = (x: OwnedContainer, y: OwnedContainer) => JSON.stringify(subtract(x.clock, y.clock));
    return `${where}: the clocks differ by ${missing(a, b)} and ${missing(b, a)}`;
  }
  const [mine, theirs] = [siblings(a), siblings(b)];
  return mine === theirs ? undefined : `${where}: the siblings are [${mine}] and [${theirs}]`;
}

function siblings({ stored }: OwnedContainer): string {
  return stored.siblings
    .map(({ dot, version }) => `${formatDot(dot)}=${Buffer.from(version).toString('hex')}`)
    .join(', ');
}
