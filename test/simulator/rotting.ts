import type { Dot } from '../../src/core/causality/dot.ts';
import { hasDot } from '../../src/core/causality/dot-set.ts';
import { type ObjectKey, type Partition, partition as partitionOf } from '../../src/core/ids.ts';
import type { StateEntry } from '../../src/storage/devices.ts';
import { objectKeyText } from '../../src/storage/state-format.ts';
import { hintsOf } from './kept-hints.ts';
import type { Machine } from './machine.ts';
import type { Simulation } from './simulation.ts';

interface Rotten {
  readonly machine: Machine;
  readonly partition: Partition;
  readonly key: ObjectKey;
  /** As the disk has it since. */
  readonly record: StateEntry;
}

/**
 * Objects that change where they lie, and which of them are not mended yet. Of a key at most one owner's record is damaged at a time,
 * and only when the other owners, and those that keep hints for some of them, can restore it: else what it held is lost, and nothing
 * that follows proves anything.
 */
export class Rotting {
  private readonly simulation: Simulation;
  private readonly rotten: Rotten[] = [];

  constructor(simulation: Simulation) {
    this.simulation = simulation;
  }

  /** Damages one of the machine's objects that may be, chosen by `place`. False when there is none at present. */
  strike(machine: Machine, place: number): boolean {
    const candidates = machine.disk.objects().flatMap((entry) => {
      const [partition, key] = addressOf(entry);
      return this.mayRot(machine, partition, key) ? [{ partition, key, entry }] : [];
    });
    const chosen = candidates[Math.floor(place * candidates.length)];
    if (chosen === undefined) return false;
    const { partition, key, entry } = chosen;
    this.rotten.push({ machine, partition, key, record: machine.disk.rot(entry) });
    this.simulation.say(machine.id, `its object of ${key} is damaged`);
    this.simulation.tally.note('a stored object was damaged');
    return true;
  }

  /** Whether the machine has the write for good, and could tell of it. */
  holds(machine: Machine, partition: Partition, key: ObjectKey, dot: Dot): boolean {
    const { store } = machine;
    if (store === undefined || !hasDot(store.clock(partition), dot) || store.unflushed(partition, key) !== 0)
      return false;
    return !this.left().some((one) => one.machine === machine && one.partition === partition && one.key === key);
  }

  /** The process on that machine has something damaged under it. */
  isUnder(machine: Machine): boolean {
    return this.left().some((one) => one.machine === machine);
  }

  /** What is damaged still, for a person; undefined when nothing is. */
  remaining(): string | undefined {
    const [one] = this.left();
    return one === undefined ? undefined : `${one.machine.id} ${one.key}: a damaged record has not been mended`;
  }

  /** Those whose place has not been written to since. An older folder may bring one back. */
  private left(): readonly Rotten[] {
    return this.rotten.filter(({ machine, record }) => machine.disk.holds(record));
  }

  /** Every write that the machine's clock has of the key is on the disk of another owner as well, or of who stands in for one. */
  private mayRot(machine: Machine, partition: Partition, key: ObjectKey): boolean {
    const { history, machines, plan } = this.simulation;
    const clock = machine.store?.clock(partition);
    if (clock === undefined || machine.isLost || plan.shape.durability === 'os') return false;
    const isOwner = ({ id }: Machine): boolean => this.simulation.owns(id, partition);
    if (!isOwner(machine) || this.left().some((one) => one.partition === partition && one.key === key)) return false;
    const rest = machines.filter((other) => other !== machine && !other.isLost);
    const others = rest.filter(isOwner);
    const hinting = rest.filter((other) => !isOwner(other) && !other.disk.isDirty);
    const known = history.eventsOf(key).filter(({ dot }) => hasDot(clock, dot));
    return (
      others.length > 0 &&
      known.every(
        ({ dot }) =>
          others.some((other) => this.holds(other, partition, key, dot)) ||
          hinting.some((other) => hintsOf(other, key).some(({ dots }) => hasDot(dots, dot))),
      )
    );
  }
}

function addressOf({ key }: StateEntry): readonly [Partition, ObjectKey] {
  return [partitionOf(Buffer.from(key).readUInt16BE(1)), objectKeyText(key)];
}
