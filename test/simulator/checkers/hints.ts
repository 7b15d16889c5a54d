import { formatDot } from '../../../src/core/causality/dot.ts';
import { hasDot } from '../../../src/core/causality/dot-set.ts';
import type { Simulation } from '../simulation.ts';

/**
 * H14-H19, once all faults are over and there was time enough: every hint has reached its owner and is gone, but for owners that never
 * come back; and what was acknowledged is then known to as many owners as were promised, whoever stood in for them.
 */
export function checkHints(simulation: Simulation): void {
  for (const text of undelivered(simulation)) simulation.violated('hints', text);
  checkPromises(simulation);
}

/** What is still kept for owners that are there. */
export function undelivered(simulation: Simulation): readonly string[] {
  const { machines, clusterState } = simulation;
  const names = new Map(clusterState?.members.map(({ number, id }) => [number, id]));
  const lost = new Set(machines.filter(({ isLost }) => isLost).map(({ id }) => id));
  return machines.flatMap(({ id, node, isLost }) => {
    if (node === undefined || isLost) return [];
    return node.hints.totals().flatMap(({ target, count }) => {
      const name = names.get(target);
      return name === undefined || lost.has(name) ? [] : [`${id} still keeps ${count} hints for ${name}`];
    });
  });
}

/** A node that was lost takes with it what it had, and what it kept for another. */
function checkPromises(simulation: Simulation): void {
  const { history, machines } = simulation;
  const lost = machines.filter(({ isLost }) => isLost).length;
  for (const { operation, answer, key } of history.requests) {
    if (answer?.kind !== 'written') continue;
    for (const { dot, partition } of history.eventsOfOperation(operation.id)) {
      const holders = machines.filter(
        ({ id, store, isLost }) =>
          !isLost && simulation.owns(id, partition) && store !== undefined && hasDot(store.clock(partition), dot),
      );
      if (holders.length >= answer.required - lost) continue;
      const names = holders.map(({ id }) => id).join(', ');
      const promise = `#${operation.id} (${formatDot(dot)}) was acknowledged with ${answer.owners} owners and ${answer.fallbacks} fallbacks`;
      simulation.violated(
        'hints',
        `${key}: ${promise}, and of the owners that are left it is known to [${names}] only`,
      );
    }
  }
}
