import { formatDot } from '../../../src/core/causality/dot.ts';
import type { Simulation } from '../simulation.ts';

/** Invariant 2: a dot is minted once, ever, and names one value. H3: a request has one coordinator, so a write has one dot. */
export function checkMinting(simulation: Simulation): void {
  for (const { dot, key, partition } of simulation.history.mintedTwice) {
    simulation.violated(
      'minting',
      `${formatDot(dot)} of partition ${partition} was minted twice, the second time for ${key}`,
    );
  }
  const dots = new Map<number, string>();
  for (const { operation, dot, key } of simulation.history.events.values()) {
    if (operation === undefined) continue;
    const earlier = dots.get(operation);
    if (earlier !== undefined) {
      simulation.violated('minting', `${key}: #${operation} was written twice, as ${earlier} and as ${formatDot(dot)}`);
    }
    dots.set(operation, formatDot(dot));
  }
}
