import { formatDot } from '../../../src/core/causality/dot.ts';
import { shownBy } from '../history.ts';
import type { Simulation } from '../simulation.ts';
import { keptContainers, ownedContainers } from './stored-containers.ts';

/**
 * Visible means durable (C7): what a read has shown, acknowledged to its writer or not, is on some owner's disk, or kept for one, for good, until a
 * write covers it. A crash must not take back what somebody has seen.
 */
export function checkShownValues(simulation: Simulation): void {
  const { history } = simulation;
  for (const key of history.keys()) {
    const coverable = history.coverableSince(key);
    const containers = [
      ...ownedContainers(simulation, key).map(({ stored }) => stored),
      ...keptContainers(simulation, key),
    ];
    const present = new Set(containers.flatMap(({ siblings }) => siblings.map(({ dot }) => formatDot(dot))));
    const isThere = (name: string): boolean => present.has(name) || coverable.has(name);
    for (const { answer, operation } of history.requestsOf(key)) {
      const gone = shownBy(answer).find(({ dot }) => !isThere(formatDot(dot)));
      if (gone === undefined) continue;
      const what = `${key}: #${operation.id} was shown ${gone.value} (${formatDot(gone.dot)}), which is gone, and no write covers it`;
      simulation.violated('shown values', what);
    }
  }
}
