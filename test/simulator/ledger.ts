import { hasDot } from '../../src/core/causality/dot-set.ts';
import { VOTERS_MAX } from '../../src/core/cluster/metadata-configuration.ts';
import type { ObjectKey } from '../../src/core/ids.ts';
import { shownBy, type WriteEvent } from './history.ts';
import { hintsOf } from './kept-hints.ts';
import type { Machine } from './machine.ts';
import type { Rotting } from './rotting.ts';
import type { Simulation } from './simulation.ts';

/**
 * Which disks hold what was acknowledged. Without it the injector would sooner or later destroy the last copy of something, and the
 * loss that follows would prove nothing.
 */
export class Ledger {
  private readonly simulation: Simulation;
  private readonly rotting: Rotting;

  constructor(simulation: Simulation, rotting: Rotting) {
    this.simulation = simulation;
    this.rotting = rotting;
  }

  /**
   * Whether the machine's folder may be lost: a majority of the voters keeps theirs, every partition keeps a quorum of owners, and
   * every write that counts is on the disk of another machine that is kept.
   */
  canLose(machine: Machine): boolean {
    const { machines, plan } = this.simulation;
    const kept = machines.filter((other) => other !== machine && !other.isLost);
    const voters = Math.min(VOTERS_MAX, machines.length);
    const votersKept = kept.filter(({ index }) => index < VOTERS_MAX).length;
    if (votersKept <= voters / 2 || kept.length < machines.length - 1) return false;
    if (plan.shape.n < 2 || plan.shape.durability === 'os') return false;
    return this.everythingIsElsewhere(machine);
  }

  /**
   * Whether the machine's folder may go back to what it was before. Unlike an emptied one it votes again before it is recognised, and
   * has forgotten what it had promised: Raft stays safe only if every other voter is at least as far, on its disk.
   */
  canGoBack(machine: Machine): boolean {
    const { machines, raft } = this.simulation;
    if (!this.canLose(machine)) return false;
    const voters = machines.filter((other) => other !== machine && other.index < VOTERS_MAX);
    return voters.every((other) => other.isRunning && !other.disk.isDirty && raft.isAsFar(other, machine));
  }

  /** To be called just before the machine's folder is lost: what owners then have only in hints is noted. */
  loses(machine: Machine): void {
    const { history } = this.simulation;
    const others = this.keptBeside(machine);
    for (const { key, event } of this.events()) {
      if (!others.some((other) => this.isOnDisk(other, key, event))) history.losesItsOwners(event);
    }
  }

  private everythingIsElsewhere(machine: Machine): boolean {
    const others = this.keptBeside(machine);
    // What was kept for the machine in question will reach nobody, but it is not lost.
    const hinting = others.filter(({ disk }) => !disk.isDirty);
    return this.events().every(
      ({ key, event }) =>
        others.some((other) => this.isOnDisk(other, key, event)) ||
        hinting.some((other) => hintsOf(other, key).some(({ dots }) => hasDot(dots, event.dot))) ||
        this.mayVanish(key, event),
    );
  }

  /** A client's put that was neither acknowledged nor shown, and cannot be any more. */
  private mayVanish(key: ObjectKey, { operation }: WriteEvent): boolean {
    const { history } = this.simulation;
    if (operation === undefined || history.requestOf(operation)?.answer?.kind !== 'refused') return false;
    return history
      .requestsOf(key)
      .every(({ answer }) => answer !== undefined && !shownBy(answer).some(({ value }) => value === String(operation)));
  }

  /** Whether the machine holds the write as an owner. */
  private isOnDisk(machine: Machine, key: ObjectKey, { partition, dot }: WriteEvent): boolean {
    return this.rotting.holds(machine, partition, key, dot);
  }

  private keptBeside(machine: Machine): readonly Machine[] {
    return this.simulation.machines.filter((other) => other !== machine && !other.isLost);
  }

  private events(): readonly { readonly key: ObjectKey; readonly event: WriteEvent }[] {
    const { history } = this.simulation;
    return Array.from(history.keys()).flatMap((key) => history.eventsOf(key).map((event) => ({ key, event })));
  }
}
