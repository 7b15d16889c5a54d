import { floorGrant } from '../../../src/core/causality/dot-set.ts';
import { shownBy } from '../history.ts';
import type { Simulation } from '../simulation.ts';
import { ownedContainers } from './stored-containers.ts';

/** An owner looks for what it can fold with every round of exchanges. */
const FOLD_MS = 6000;

/**
 * Rule C9, when all is over: a write that was lost with its actor had been acknowledged to nobody and shown to nobody; and where
 * actors were retired every owner has folded them.
 */
export function checkRetirements(simulation: Simulation): void {
  const { history } = simulation;
  for (const { operation, answer, key } of history.requests) {
    const isAcknowledged = answer?.kind === 'written';
    const lost = isAcknowledged ? history.eventsOfOperation(operation.id).filter((event) => history.isLost(event)) : [];
    for (const { name } of lost) {
      simulation.violated('retirement', `${key}: #${operation.id} (${name}) was acknowledged, and retired as lost`);
    }
    for (const { value } of shownBy(answer)) {
      if (history.eventsOfOperation(Number(value)).some((event) => history.isLost(event)))
        simulation.violated('retirement', `${key}: #${operation.id} was shown ${value}, which was retired as lost`);
    }
  }
  for (const key of history.keys()) checkFolded(simulation, key);
}

function checkFolded(simulation: Simulation, key: Parameters<typeof ownedContainers>[1]): void {
  for (const { machine, clock, partition } of ownedContainers(simulation, key)) {
    const retirements = machine.node?.membership.view?.state.retirements ?? new Map();
    for (const { member, floor } of retirements.values()) {
      if (simulation.world.nowMs - simulation.retirements.lastMs(member) < FOLD_MS) continue;
      if (floorGrant(clock, member) < floor)
        simulation.violated('retirement', `${machine.id} has not folded ${member}.${floor} in partition ${partition}`);
      else simulation.tally.note('ended actors were folded');
    }
  }
}
