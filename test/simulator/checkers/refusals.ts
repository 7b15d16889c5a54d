import { formatDot } from '../../../src/core/causality/dot.ts';
import type { Simulation } from '../simulation.ts';

/**
 * H10: `not_applied` is a proof. No write that was answered so was ever minted; and H4: no token that this cluster did not give out for
 * the key was ever accepted.
 */
export function checkRefusals(simulation: Simulation): void {
  const { history } = simulation;
  const minted = new Map<number, string>();
  for (const { operation, dot } of history.events.values())
    if (operation !== undefined) minted.set(operation, formatDot(dot));
  for (const { operation, answer, isForged, key } of history.requests) {
    const dot = minted.get(operation.id);
    if (answer?.kind === 'refused' && answer.outcome === 'not_applied' && dot !== undefined) {
      simulation.violated('refusals', `${key}: #${operation.id} was said not to be applied, but was written as ${dot}`);
    }
    if (isForged && answer !== undefined && (answer.kind !== 'refused' || answer.code !== 'bad-context')) {
      simulation.violated(
        'refusals',
        `${key}: #${operation.id} was sent with a forged context and not refused for it: ${answer.kind}`,
      );
    }
    if (isForged && dot !== undefined) {
      simulation.violated('refusals', `${key}: #${operation.id} was sent with a forged context and written as ${dot}`);
    }
  }
}
