import { actorGrant, actorMember } from '../../src/core/causality/dot.ts';
import { EMPTY_DOTS, floorGrant, hasDot } from '../../src/core/causality/dot-set.ts';
import type { Retirement } from '../../src/core/causality/retirement.ts';
import type { ClusterState } from '../../src/core/cluster/cluster-state.ts';
import type { MemberNumber } from '../../src/core/ids.ts';
import type { WriteEvent } from './history.ts';
import type { Machine } from './machine.ts';
import type { Simulation } from './simulation.ts';

/**
 * Rule C9, at the moment when actors are retired: a write of theirs that is not among the agreed entries was lost. No owner has it in
 * its clock then, and nobody keeps it. It is noted as lost: what it overwrote where it was made was not overwritten.
 */
export class RetirementWatch {
  private readonly floors = new Map<MemberNumber, number>();
  private readonly atMs = new Map<MemberNumber, number>();
  private readonly seen = new Map<Machine, ClusterState['retirements']>();

  /** When actors of the member were last retired. */
  lastMs(member: MemberNumber): number {
    return this.atMs.get(member) ?? 0;
  }

  /** After every event. */
  look(simulation: Simulation): void {
    for (const machine of simulation.machines) {
      const retirements = machine.node?.membership.view?.state.retirements;
      if (retirements === undefined || this.seen.get(machine) === retirements) continue;
      this.seen.set(machine, retirements);
      for (const retirement of retirements.values()) this.retired(simulation, retirement);
    }
  }

  private retired(simulation: Simulation, retirement: Retirement): void {
    const { member, floor, entries } = retirement;
    const before = this.floors.get(member) ?? 0;
    if (floor <= before) return;
    this.floors.set(member, floor);
    this.atMs.set(member, simulation.world.nowMs);
    simulation.tally.note('ended actors were retired');
    for (const event of simulation.history.events.values()) {
      const { actor } = event.dot;
      if (actorMember(actor) !== member || actorGrant(actor) <= before || actorGrant(actor) > floor) continue;
      if (!hasDot(entries.get(event.partition) ?? EMPTY_DOTS, event.dot)) this.lost(simulation, event);
    }
  }

  private lost(simulation: Simulation, event: WriteEvent): void {
    simulation.tally.note('a write was lost with its actor');
    simulation.history.lose(event);
    for (const machine of simulation.machines) {
      if (!machine.isLost && holds(machine, event))
        simulation.violated('retirement', `${event.name} of ${event.key} is retired as lost, and ${machine.id} has it`);
    }
  }
}

function holds({ node, store }: Machine, { dot, partition, key }: WriteEvent): boolean {
  if (node === undefined || store === undefined) return false;
  if (node.hints.hintsOf(key).some(({ dots }) => hasDot(dots, dot))) return true;
  const clock = store.clock(partition);
  return hasDot(clock, dot) && floorGrant(clock, actorMember(dot.actor)) < actorGrant(dot.actor);
}
