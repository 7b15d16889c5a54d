import { dotsOf } from '../../../src/core/causality/container.ts';
import { formatDot } from '../../../src/core/causality/dot.ts';
import { hasDot, isSubset } from '../../../src/core/causality/dot-set.ts';
import type { Simulation } from '../simulation.ts';
import { ownedContainers } from './stored-containers.ts';

/**
 * Invariant 3: a dot in a clock means that its effect is incorporated; objects and clock are atomic on disk.
 *
 * At every owner, for every write event of the key whose dot the clock has: the sibling is there, or something rightly covers it;
 * and nothing is there that the event covers (invariant 5). And the clock has the dots of all that is stored. A write that was lost
 * with its actor has no effect to be incorporated (rule C9).
 */
export function checkClocks(simulation: Simulation): void {
  const { history } = simulation;
  for (const key of history.keys()) {
    const coverable = history.coverableSince(key);
    const covered = new Map(history.eventsOf(key).map((event) => [event, history.coveredBy(event)]));
    for (const { machine, clock, stored } of ownedContainers(simulation, key)) {
      const present = dotsOf(stored);
      for (const event of history.eventsOf(key)) {
        const { dot, version } = event;
        if (history.isLost(event)) continue;
        if (version === undefined || !hasDot(clock, dot) || hasDot(present, dot) || coverable.has(formatDot(dot)))
          continue;
        simulation.violated(
          'clocks',
          `${machine.id} ${key}: the clock has ${formatDot(dot)}, but its sibling is gone and nothing covers it`,
        );
      }
      for (const event of history.eventsOf(key)) {
        if (history.isLost(event)) continue;
        const back = hasDot(clock, event.dot) ? covered.get(event)?.find((dot) => hasDot(present, dot)) : undefined;
        if (back === undefined) continue;
        simulation.violated(
          'clocks',
          `${machine.id} ${key}: the clock has ${formatDot(event.dot)}, and ${formatDot(back)}, which that covers, is still there`,
        );
      }
      if (!isSubset(present, clock)) {
        simulation.violated('clocks', `${machine.id} ${key}: a sibling is stored without its dot in the clock`);
      }
    }
  }
}
