import { decodeContainer, EMPTY_CONTAINER } from '../../../src/core/causality/container.ts';
import { formatDot } from '../../../src/core/causality/dot.ts';
import { dotSetOf, hasDot, isSubset, subtract, union } from '../../../src/core/causality/dot-set.ts';
import type { Simulation } from '../simulation.ts';

/**
 * What an owner has acknowledged it has for good: at each owner that an answer names, clock and stored context together still cover
 * the write and all that it covered, and nothing of that is a sibling there. Invariants 1, 3 and 5, one owner at a time: where a
 * quorum still hides the damage, this does not.
 */
export function checkAcknowledgements(simulation: Simulation): void {
  const { history, machines } = simulation;
  for (const { answer, operation, key } of history.requests) {
    if (answer?.kind !== 'written') continue;
    const events = history.eventsOf(key);
    const partition = events[0]?.partition;
    if (partition === undefined) continue;
    const own = dotSetOf(simulation.history.eventsOfOperation(operation.id).map(({ dot }) => dot));
    for (const { id, store, isLost } of machines) {
      if (store === undefined || isLost || !answer.by.includes(id) || !simulation.owns(id, partition)) continue;
      const bytes = store.read(partition, key);
      const stored = bytes === undefined ? EMPTY_CONTAINER : decodeContainer(bytes);
      if (!isSubset(answer.context, union(store.clock(partition), stored.context))) {
        simulation.violated(
          'acknowledgements',
          `${id} ${key}: acknowledged #${operation.id} and has no trace of it, or of what it covered`,
        );
      }
      const covered = subtract(answer.context, own);
      const back = stored.siblings.find(({ dot }) => hasDot(covered, dot));
      if (back !== undefined) {
        simulation.violated(
          'acknowledgements',
          `${id} ${key}: acknowledged #${operation.id} and still holds ${formatDot(back.dot)}, which it covered`,
        );
      }
    }
  }
}
