import { hasDot } from '../../src/core/causality/dot-set.ts';
import { VOTERS_MAX } from '../../src/core/cluster/metadata-configuration.ts';
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
   * every acknowledged write is on the disk of another machine that is kept.
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

  private everythingIsElsewhere(machine: Machine): boolean {
    const { history, machines } = this.simulation;
    const others = machines.filter((other) => other !== machine && !other.isLost);
    // What was kept for the machine in question will reach nobody, but it is not lost.
    const hints = others.flatMap(({ node, disk }) => (node === undefined || disk.isDirty ? [] : [node.hints]));
    for (const key of history.keys()) {
      for (const { dot, partition } of history.eventsOf(key)) {
        const held = others.some((other) => this.rotting.holds(other, partition, key, dot));
        if (held || hints.some((kept) => kept.hintsOf(key).some(({ dots }) => hasDot(dots, dot)))) continue;
        return false;
      }
    }
    return true;
  }
}
