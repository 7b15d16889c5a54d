import type { Simulation } from '../simulation.ts';

/**
 * H1, R3: a folder that was emptied, or put back from before its latest start, is recognised and refused. It never gets the right to
 * write, and an emptied one takes no part in the metadata group under its old name, since it has forgotten its votes.
 */
export function checkLostFolders(simulation: Simulation): void {
  for (const { id, isLost, isRunning, node, isEmptied } of simulation.machines) {
    if (!isLost) continue;
    if (node?.membership.standing.actor !== undefined) simulation.violated('lost folders', `${id} may write again`);
    else if (isRunning)
      simulation.violated(
        'lost folders',
        `${id} still runs, ${isEmptied ? 'on an empty folder' : 'on its old folder'}`,
      );
  }
}

/** To be called while the cluster runs. What forgot its votes must not be asked for another. */
export function watchLostFolders(simulation: Simulation): void {
  for (const { id, isEmptied, node } of simulation.machines) {
    if (isEmptied && node?.membership.metadata !== undefined) {
      simulation.violated('lost folders', `${id} takes part in the metadata group again, on an empty folder`);
    }
  }
}
