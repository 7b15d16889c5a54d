import type { NodeId } from '../../../src/core/ids.ts';
import { CONTENT_CORRUPT, CONTENT_DIFFERS } from '../../../src/repair/content-checks.ts';
import { CONTENT_SURPRISES } from '../../../src/repair/inventory.ts';
import type { Simulation } from '../simulation.ts';

const ALARMS: readonly string[] = [CONTENT_DIFFERS, CONTENT_CORRUPT, CONTENT_SURPRISES];

/**
 * C10: an alarm about contents means damage. Where the plan does none, owners with equal clocks have equal contents, whatever else
 * happens, and a store has what was written to it. To be called with everything that nodes log.
 */
export function watchContents(simulation: Simulation, id: NodeId, message: string, fields: object): void {
  if (!ALARMS.includes(message) || simulation.plan.faults.some(({ kind }) => kind === 'damage')) return;
  simulation.violated('contents', `${id}: ${message} ${JSON.stringify(fields)}`);
}

/** C10: what was damaged was found, by the node or by another one, and nothing is left of it. */
export function checkContents(simulation: Simulation): void {
  const damaged = simulation.tally.count('an object was damaged');
  const found = simulation.tally.count(`log: ${CONTENT_DIFFERS}`);
  if (damaged > 0 && found === 0)
    simulation.violated('contents', `${damaged} objects were damaged, and nobody noticed`);
  for (const { id, node, isLost } of simulation.machines) {
    if (node === undefined || isLost || node.contents.corrupt === 0) continue;
    simulation.violated('contents', `${id}: ${node.contents.corrupt} partitions stay different from another owner's`);
  }
}
