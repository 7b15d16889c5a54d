/**
 * Retirement of ended actors (rule C9), as values.
 *
 * Each start of a node writes as a new actor, so clocks would grow with every restart. Actors whose process has ended are folded into
 * a floor, "every dot of these is in the clock", once the owners of each partition agree on which of their dots there are: the
 * *entries*. What the floor claims beyond them are writes that no replica has, and never will have: lost before anybody held them
 * durably. For that to be so:
 *
 * 1. All owners of a partition have told the same entries, of flushed clocks, after every member had begun to refuse direct messages
 *    with other dots of these actors, owner or not: a fallback that refused them later could still have brought one to an owner that
 *    had told. From then on no owner's entries grow: an exchange brings only what another owner has flushed.
 * 2. No hint anywhere holds a dot of these actors that is not among the entries, and no fallback takes in one any more.
 * 3. A replica folds only once its own clock covers the entries: only then is what the floor claims incorporated.
 * 4. A folder that had no say, as an older copy that is put back, may have writes that are claimed as lost. What they overwrote is
 *    neither there nor missing from its clock, so it is not enough to drop them: such a partition is given up as a whole before anything
 *    is compared with it, or folded ({@link mayHaveStrays}).
 *
 * A floor says for itself what it stands for, so a context with floors can be handed to a replica that has not folded yet. There it
 * covers the same writes as the entries would: nothing else of these actors exists.
 */
import { type ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { type LogIndex, logIndex, type MemberNumber, type Partition, partition as partitionOf } from '../ids.ts';
import { actorGrant, actorMember, type Dot } from './dot.ts';
import {
  type DotSet,
  EMPTY_DOTS,
  equalDotSets,
  floorGrant,
  floorOf,
  hasDot,
  isSubset,
  readDotSet,
  restrictedTo,
  union,
  withoutFloors,
  writeDotSet,
} from './dot-set.ts';

/** Partitions without dots are left out. */
export type PartitionDots = ReadonlyMap<Partition, DotSet>;

export interface Retirement {
  readonly member: MemberNumber;
  /** Every actor of the member with this grant or a lower one has ended. */
  readonly floor: LogIndex;
  /** All dots of these actors that there are. */
  readonly entries: PartitionDots;
}

/** The floors that a clock of the partition may take in and lacks: those of the retirements whose entries it covers. */
export function foldable(clock: DotSet, partition: Partition, retirements: Iterable<Retirement>): DotSet {
  let floors = EMPTY_DOTS;
  for (const { member, floor, entries } of retirements) {
    if (floorGrant(clock, member) >= floor) continue;
    if (isSubset(entries.get(partition) ?? EMPTY_DOTS, clock)) floors = union(floors, floorOf(member, floor));
  }
  return floors;
}

/** The entries of so many actors are told apart, per member and partition; a message that outlives more retirements is taken for theirs. */
export const ACTORS_KEPT = 4;

/**
 * The retirement as it is kept after an earlier one of the member. A message may be later than both, so what the earlier one stands
 * for is kept, of the latest `actorsMax` actors at least. Of the older ones only a floor is, and no higher one than the owners have
 * told: whoever is to fold must cover what is kept, and no clock covers more than that floor before it does.
 */
export function following(earlier: Retirement | undefined, next: Retirement, actorsMax = ACTORS_KEPT): Retirement {
  const { member, floor } = next;
  if (earlier === undefined) return { member, floor, entries: next.entries };
  const entries = new Map(earlier.entries);
  for (const [partition, told] of next.entries) {
    const all = union(entries.get(partition) ?? EMPTY_DOTS, withoutFloors(told));
    const oldest = withoutFloors(all).at(-actorsMax - 1);
    const dropped = oldest === undefined ? 0 : Math.min(actorGrant(oldest.actor), floorGrant(told, member));
    const kept = dropped === 0 ? all : union(all, floorOf(member, logIndex(dropped)));
    if (kept.length > 0) entries.set(partition, kept);
  }
  return { member, floor, entries };
}

/** Whether the dot is of one of the ended actors and not among the entries: a write that no owner had when they agreed. */
export function isStray({ member, floor, entries }: Retirement, partition: Partition, dot: Dot): boolean {
  if (actorMember(dot.actor) !== member || actorGrant(dot.actor) > floor) return false;
  return !hasDot(entries.get(partition) ?? EMPTY_DOTS, dot);
}

/**
 * Whether these dots, of a folder that had no say in the retirements, may name a write that they have claimed as lost: one of a retired
 * actor that is not itself among the entries. A floor there stands for all that was agreed on once, and says nothing of a single dot.
 */
export function mayHaveStrays(dots: DotSet, partition: Partition, retirements: Iterable<Retirement>): boolean {
  for (const { member, floor, entries } of retirements) {
    const ended = withoutFloors(restrictedTo(dots, member, floor));
    if (!isSubset(ended, withoutFloors(entries.get(partition) ?? EMPTY_DOTS))) return true;
  }
  return false;
}

/** Whether the entries speak of the retired actors alone, in partitions that there are. */
export function isSound({ member, floor, entries }: Retirement, partitions: number): boolean {
  for (const [partition, dots] of entries) {
    if (partition >= partitions || dots.length === 0) return false;
    if (!equalDotSets(dots, restrictedTo(dots, member, floor)) || floorGrant(dots, member) >= floor) return false;
  }
  return true;
}

/** What one member holds of the actors in question: in its flushed clocks, and in its hints. */
export interface EndedWrites {
  readonly owned: PartitionDots;
  readonly kept: PartitionDots;
}

export type Agreement =
  | { readonly kind: 'agreed'; readonly entries: PartitionDots }
  | { readonly kind: 'differs' | 'hinted'; readonly partition: Partition };

/** What the members' answers come to; `ownership`: per partition its owners. Every member must have answered. */
export function agreementOf(
  answers: ReadonlyMap<MemberNumber, EndedWrites>,
  ownership: readonly (readonly MemberNumber[])[],
): Agreement {
  const entries = new Map<Partition, DotSet>();
  for (const [index, owners] of ownership.entries()) {
    const partition = partitionOf(index);
    const [first = EMPTY_DOTS, ...others] = owners.map(
      (owner) => answers.get(owner)?.owned.get(partition) ?? EMPTY_DOTS,
    );
    if (!others.every((dots) => equalDotSets(dots, first))) return { kind: 'differs', partition };
    if (first.length > 0) entries.set(partition, first);
  }
  for (const { kept } of answers.values()) {
    for (const [partition, dots] of kept)
      if (!isSubset(dots, entries.get(partition) ?? EMPTY_DOTS)) return { kind: 'hinted', partition };
  }
  return { kind: 'agreed', entries };
}

export function equalPartitionDots(a: PartitionDots, b: PartitionDots): boolean {
  if (a.size !== b.size) return false;
  for (const [partition, dots] of a) {
    const other = b.get(partition);
    if (other === undefined || !equalDotSets(dots, other)) return false;
  }
  return true;
}

/** Of each partition the dots of the member's actors with this grant or a lower one. */
export function restrictedEntries(entries: PartitionDots, member: MemberNumber, floor: LogIndex): PartitionDots {
  const restricted = [...entries].map(([partition, dots]) => [partition, restrictedTo(dots, member, floor)] as const);
  return new Map(restricted.filter(([, dots]) => dots.length > 0));
}

/**
 * The retirement, if its entries take no more bytes than that; of the older ones of its actors, if those are too large. Undefined when
 * there is no smaller one: the entries of the oldest actor alone are.
 */
export function withinBytes(retirement: Retirement, bytesMax: number): Retirement | undefined {
  const { member, entries } = retirement;
  const out = new ByteWriter();
  writePartitionDots(out, entries);
  if (out.length <= bytesMax) return retirement;
  // Not those that a floor stands for: they are retired already, and nothing would be won.
  const actors = [...entries.values()].flatMap((dots) => withoutFloors(dots).map(({ actor }) => actorGrant(actor)));
  const grants = [...new Set(actors)].sort((a, b) => a - b);
  const floor = grants[Math.floor(grants.length / 2) - 1];
  if (floor === undefined) return undefined;
  return withinBytes({ member, floor, entries: restrictedEntries(entries, member, floor) }, bytesMax);
}

/** Wire and disk form: the number of partitions, then of each, ascending, its number and its dots. */
export function writePartitionDots(out: ByteWriter, dots: PartitionDots): void {
  out.varint(dots.size);
  for (const [partition, set] of [...dots].sort(([a], [b]) => a - b)) writeDotSet(out.varint(partition), set);
}

/** Errors: DecodeError. */
export function readPartitionDots(source: ByteReader): PartitionDots {
  const count = source.varint();
  if (count > source.remaining) throw new DecodeError('more partitions than bytes');
  const dots = new Map<Partition, DotSet>();
  let last = -1;
  for (let i = 0; i < count; i++) {
    const partition = partitionOf(source.varint());
    if (partition <= last) throw new DecodeError('partitions must ascend');
    last = partition;
    const set = readDotSet(source);
    if (set.length === 0) throw new DecodeError('a partition without dots');
    dots.set(partition, set);
  }
  return dots;
}
