import type { Simulation } from '../simulation.ts';

/** H1, H24: a machine whose folder was emptied, or put back from before its latest start, is what it was before: with all data and its vote. */
export function checkLostFolders(simulation: Simulation): void {
  for (const machine of simulation.machines) {
    if (machine.losses === 0) continue;
    if (machine.isLost) simulation.violated('lost folders', `${machine.id} has not come back`);
    else simulation.tally.note('a lost folder was caught up with');
  }
}

/**
 * R3, to be called while the cluster runs: what was promised under a Raft id and forgotten is not promised again under it; and no
 * folder is given up that was never lost.
 */
export function watchLostFolders(simulation: Simulation): void {
  for (const { id, node, forsworn, losses } of simulation.machines) {
    if (losses === 0 && node?.membership.catchUp.isOver === false)
      simulation.violated('lost folders', `${id} has given up its data folder, which is the latest`);
    if (forsworn.size === 0) continue;
    const voice = node?.membership.metadata?.id;
    if (voice !== undefined && forsworn.has(voice))
      simulation.violated(
        'lost folders',
        `${id} takes part in the metadata group again, under an id whose promises it has forgotten`,
      );
  }
}
