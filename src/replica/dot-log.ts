import type { Actor, Dot } from '../core/causality/dot.ts';
import { addDot, type DotSet, EMPTY_DOTS, hasDot, subtract } from '../core/causality/dot-set.ts';
import type { ObjectKey, Partition } from '../core/ids.ts';

/** The keys of one actor's dots in one partition, from the counter `first` on. */
interface ActorKeys {
  first: number;
  /** Undefined: a dot that has not come this way. */
  keys: (ObjectKey | undefined)[];
}

const ENTRIES_MAX = 262_144;

/**
 * Which key a write was to, for the writes that some other owner may lack: so that what is missing there can be sent without
 * looking through the partition, and so that a read can tell who lacks a deletion, which shows in no sibling. In memory and bounded:
 * it may forget anything at any time, and then the partition is compared.
 *
 * What it says is true: it never names another key than the dot's.
 */
export class DotLog {
  private readonly partitions = new Map<Partition, Map<Actor, ActorKeys>>();
  /** Of each key the logged dots that came without a sibling. */
  private readonly deletions = new Map<Partition, Map<ObjectKey, DotSet>>();
  private readonly entriesMax: number;
  /** Places held, gaps included. */
  private places = 0;

  constructor(entriesMax = ENTRIES_MAX) {
    this.entriesMax = entriesMax;
  }

  get size(): number {
    return this.places;
  }

  /** `isDeletion`: the write left no sibling. */
  add(partition: Partition, dot: Dot, key: ObjectKey, isDeletion = false): void {
    const { actor, counter } = dot;
    let known = this.actorKeys(partition, actor, counter);
    if (counter < known.first) return;
    if (counter - known.first > known.keys.length + GAP_MAX) {
      // So far ahead of the rest: what is before it is given up, rather than paying for the gap.
      this.drop(partition, actor, known, known.keys.length);
      known = this.actorKeys(partition, actor, counter);
    }
    const at = counter - known.first;
    const before = known.keys.length;
    while (known.keys.length < at) known.keys.push(undefined);
    known.keys[at] = key;
    this.places += known.keys.length - before;
    if (isDeletion) this.addDeletion(partition, dot, key);
    if (this.places > this.entriesMax) this.forgetHalf();
  }

  keyOf(partition: Partition, { actor, counter }: Dot): ObjectKey | undefined {
    const known = this.partitions.get(partition)?.get(actor);
    return known?.keys[counter - known.first];
  }

  /** The dots of the key's logged writes that left no sibling: a clock that lacks one has not seen that something is gone. */
  deletionsOf(partition: Partition, key: ObjectKey): DotSet {
    return this.deletions.get(partition)?.get(key) ?? EMPTY_DOTS;
  }

  /** Forgets the oldest of each actor, as far as every one of `clocks` has them. */
  forgetKnown(partition: Partition, clocks: readonly DotSet[]): void {
    for (const [actor, known] of this.partitions.get(partition) ?? []) {
      let count = 0;
      while (count < known.keys.length && isKnown(clocks, actor, known.first + count)) count++;
      if (count > 0) this.drop(partition, actor, known, count);
    }
  }

  private forgetHalf(): void {
    for (const [partition, actors] of this.partitions) {
      for (const [actor, known] of actors) this.drop(partition, actor, known, Math.ceil(known.keys.length / 2));
    }
  }

  private drop(partition: Partition, actor: Actor, known: ActorKeys, count: number): void {
    const { first } = known;
    const dropped = known.keys.splice(0, count);
    known.first += count;
    this.places -= count;
    if (known.keys.length === 0) this.partitions.get(partition)?.delete(actor);
    const deletions = this.deletions.get(partition);
    if (deletions !== undefined) this.dropDeletions(partition, deletions, actor, first, dropped);
  }

  private addDeletion(partition: Partition, dot: Dot, key: ObjectKey): void {
    const keys = this.deletions.get(partition) ?? new Map<ObjectKey, DotSet>();
    this.deletions.set(partition, keys);
    keys.set(key, addDot(keys.get(key) ?? EMPTY_DOTS, dot));
  }

  private dropDeletions(
    partition: Partition,
    keys: Map<ObjectKey, DotSet>,
    actor: Actor,
    first: number,
    dropped: readonly (ObjectKey | undefined)[],
  ): void {
    const gone: DotSet = [{ actor, runs: [first, first + dropped.length - 1] }];
    for (const key of new Set(dropped)) {
      const deletions = key === undefined ? undefined : keys.get(key);
      if (key === undefined || deletions === undefined) continue;
      const left = subtract(deletions, gone);
      if (left.length > 0) keys.set(key, left);
      else keys.delete(key);
    }
    if (keys.size === 0) this.deletions.delete(partition);
  }

  private actorKeys(partition: Partition, actor: Actor, counter: number): ActorKeys {
    let actors = this.partitions.get(partition);
    if (actors === undefined) {
      actors = new Map();
      this.partitions.set(partition, actors);
    }
    let known = actors.get(actor);
    if (known === undefined) {
      known = { first: counter, keys: [] };
      actors.set(actor, known);
    }
    return known;
  }
}

const GAP_MAX = 1024;

function isKnown(clocks: readonly DotSet[], actor: Actor, counter: number): boolean {
  const dot = { actor, counter };
  return clocks.every((clock) => hasDot(clock, dot));
}

/**
 * The keys of the first `limit` dots, in the order in which they come, each with all of its dots, those behind the limit included;
 * undefined when one of the dots is not known. They are distinct.
 *
 * Why all: who takes in a key with some of its dots has the rest of them still to come, and nothing to tell it that they were
 * overwritten. A late copy of such a write would live again, and stay.
 */
export function keysOfDots(
  log: DotLog,
  partition: Partition,
  dots: Iterable<Dot>,
  limit: number,
): ReadonlyMap<ObjectKey, readonly Dot[]> | undefined {
  const keys = new Map<ObjectKey, Dot[]>();
  let count = 0;
  for (const dot of dots) {
    const key = log.keyOf(partition, dot);
    if (key === undefined) return undefined;
    const named = keys.get(key);
    if (named !== undefined) named.push(dot);
    else if (count < limit) keys.set(key, [dot]);
    count++;
  }
  return keys;
}
