import { formatDot } from '../../../src/core/causality/dot.ts';
import { hasDot } from '../../../src/core/causality/dot-set.ts';
import type { Simulation } from '../simulation.ts';
import { keptContainers, ownedContainers } from './stored-containers.ts';

/**
 * Invariant 1: an acknowledged write is, at every later time, present or covered by the context of another write.
 *
 * Judged by the sets: every acknowledged dot is a sibling on some owner's disk or in a hint, or some write event rightly covers it. An owner that
 * knows nothing of it is not a loss while another one has it; that all of them have it is convergence.
 */
export function checkAcknowledgedWrites(simulation: Simulation): void {
  const { history } = simulation;
  for (const key of history.keys()) {
    const coverable = history.coverableSince(key);
    const containers = [
      ...ownedContainers(simulation, key).map(({ stored }) => stored),
      ...keptContainers(simulation, key),
    ];
    const present = new Set(containers.flatMap(({ siblings }) => siblings.map(({ dot }) => formatDot(dot))));
    for (const { answer, operation } of history.requestsOf(key)) {
      if (answer?.kind !== 'written') continue;
      const written = operation.kind === 'put' ? history.eventsOfOperation(operation.id) : [];
      for (const { dot } of written) {
        const name = formatDot(dot);
        if (present.has(name) || coverable.has(name)) continue;
        simulation.violated(
          'acknowledged writes',
          `${key}: #${operation.id} (${name}) was acknowledged and is gone, and no write covers it`,
        );
      }
      if (operation.kind === 'put' && written.length === 0) {
        simulation.violated(
          'acknowledged writes',
          `${key}: #${operation.id} was acknowledged, but no owner ever wrote it`,
        );
      }
      const isCovered = written.some(({ dot }) => hasDot(answer.context, dot));
      if (operation.kind === 'put' && !isCovered) {
        simulation.violated(
          'acknowledged writes',
          `${key}: the context of #${operation.id}'s answer does not cover the write itself`,
        );
      }
    }
  }
}
