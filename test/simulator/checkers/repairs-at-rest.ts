import type { Machine } from '../machine.ts';
import type { Simulation } from '../simulation.ts';

/** So many exchanges with each peer as make sure that one of them would find what differs. */
export const REST_MS = 7000;

/**
 * H27: at rest, repairs go to zero and stay there. All owners are equal by now: from here on every key is read once more, from all
 * of its owners, and whoever repairs anything, or pulls anything from another owner, goes round in circles.
 */
export class RepairsAtRest {
  private readonly simulation: Simulation;
  private readonly before: ReadonlyMap<Machine, string>;

  constructor(simulation: Simulation) {
    this.simulation = simulation;
    this.before = new Map(simulation.machines.map((machine) => [machine, repairsOf(machine)]));
  }

  check(): void {
    for (const [machine, before] of this.before) {
      const after = repairsOf(machine);
      if (after !== before)
        this.simulation.violated('repairs at rest', `${machine.id}: before [${before}], after [${after}]`);
    }
  }
}

/** All that one node has mended so far, in this life. */
function repairsOf({ node }: Machine): string {
  if (node === undefined) return 'not running';
  const { sent, writtenBack } = node.readRepairs.stats();
  const { keys, comparisons } = node.antiEntropy.pulled;
  return `read repairs ${sent}, write-backs ${writtenBack}, keys pulled ${keys}, comparisons ${comparisons}, hints removed ${node.hints.removed}`;
}
