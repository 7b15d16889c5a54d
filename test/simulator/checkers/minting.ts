import { formatDot } from '../../../src/core/causality/dot.ts';
import type { Simulation } from '../simulation.ts';

/** Invariant 2: a dot is minted once, ever, and names one value. */
export function checkMinting(simulation: Simulation): void {
  for (const { dot, key, partition } of simulation.history.mintedTwice) {
    simulation.violated(
      'minting',
      `${formatDot(dot)} of partition ${partition} was minted twice, the second time for ${key}`,
    );
  }
}
