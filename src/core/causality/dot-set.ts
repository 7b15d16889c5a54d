/**
 * A set of dots: for each actor a contiguous base and the exceptions above it. Clocks, contexts and tokens all have this shape.
 *
 * Representation: entries ascend by actor, each with its {@link Runs} of counters: the run that starts at 1 is the base, the others
 * are exceptions. No entry is empty. So equal sets have one representation, and a replica that missed a stretch of writes pays for
 * one run, not for each write that follows.
 *
 * A *floor* stands for every dot of every actor of one member up to a grant: what is left of the entries of ended actors once all
 * replicas agree on them (rule C9). It is the entry of the actor (member, that grant) with all counters, the first of its member: no
 * entry of the member with that grant or a lower one is beside it.
 *
 * Why not a version vector (`actor -> highest counter`): it would claim the writes in the gaps (rule C5).
 *
 * Laws, with `∪` = {@link union}, `\` = {@link subtract}, `⊆` = {@link isSubset}:
 * 1. `∪` is associative, commutative, idempotent, with {@link EMPTY_DOTS} as its neutral element.
 * 2. `d ∈ a ∪ b  ⇔  d ∈ a or d ∈ b`;  `a ⊆ b  ⇔  a \ b = ∅`;  `d ∈ a \ b  ⇔  d ∈ a and d ∉ b`, unless d is below a floor of `a` that is
 *    not in `b`: such a floor stays whole, since what would be left of it could not be enumerated.
 * 3. Equal sets are structurally equal, and encode to equal bytes.
 * 4. `(a \ b) ∪ b = a ∪ b`, and `(a \ b) \ b = a \ b`: what was subtracted is not lost together with what was left.
 *
 * Source: Goncalves et al., "Concise Server-Wide Causality Management for Eventually Consistent Data Stores" (DAIS 2015), 3.
 */
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { DecodeError } from '../bytes.ts';
import type { LogIndex, MemberNumber } from '../ids.ts';
import { invariant } from '../invariant.ts';
import { type Actor, actorGrant, actorMember, actorOf, type Dot, readActor, sameMember, writeActor } from './dot.ts';
import {
  ALL_COUNTERS,
  addCounter,
  equalRuns,
  hasCounter,
  includesRuns,
  isAll,
  type Runs,
  readRuns,
  runsOfCounters,
  subtractRuns,
  unionRuns,
  writeRuns,
} from './runs.ts';

export type DotSet = readonly ActorDots[];

export interface ActorDots {
  readonly actor: Actor;
  readonly runs: Runs;
}

export const EMPTY_DOTS: DotSet = [];

export function hasDot(set: DotSet, dot: Dot): boolean {
  const runs = runsOf(set, dot.actor);
  return runs !== undefined && hasCounter(runs, dot.counter);
}

/** The highest counter of the actor in the set, 0 when it has none; no counter is above that of an actor below a floor. */
export function lastCounter(set: DotSet, actor: Actor): number {
  return runsOf(set, actor)?.at(-1) ?? 0;
}

/** Every dot of every actor of the member with this grant or a lower one. */
export function floorOf(member: MemberNumber, grant: LogIndex): DotSet {
  return [{ actor: actorOf(member, grant), runs: ALL_COUNTERS }];
}

/** The grant up to which the set has every dot of the member's actors; 0 for none. */
export function floorGrant(set: DotSet, member: MemberNumber): number {
  const entry = set.find(({ actor, runs }) => isAll(runs) && actorMember(actor) === member);
  return entry === undefined ? 0 : actorGrant(entry.actor);
}

/** The entries that speak of one actor each. */
export function withoutFloors(set: DotSet): DotSet {
  return set.filter(({ runs }) => !isAll(runs));
}

export function hasFloor(set: DotSet): boolean {
  return set.some(({ runs }) => isAll(runs));
}

/** The set's dots of the member's actors with this grant or a lower one; a floor above it goes along. */
export function restrictedTo(set: DotSet, member: MemberNumber, grant: LogIndex): DotSet {
  return set.filter(({ actor, runs }) => actorMember(actor) === member && (isAll(runs) || actorGrant(actor) <= grant));
}

export function isEmpty(set: DotSet): boolean {
  return set.length === 0;
}

/** The set with one more dot. The hot path of every write: the actor's next counter only lengthens its last run. */
export function addDot(set: DotSet, dot: Dot): DotSet {
  invariant(dot.counter >= 1, 'a dot counts from 1');
  const at = seek(set, dot.actor, 0);
  const entry = set[at];
  if (entry === undefined || entry.actor !== dot.actor) {
    if (entry !== undefined && isFloorOver(entry, dot.actor)) return set;
    return set.toSpliced(at, 0, { actor: dot.actor, runs: [dot.counter, dot.counter] });
  }
  if (hasCounter(entry.runs, dot.counter)) return set;
  const larger = set.slice();
  larger[at] = { actor: dot.actor, runs: addCounter(entry.runs, dot.counter) };
  return larger;
}

/** Beyond that dots are gathered before they are added: one by one, 4,000 with gaps between them take 130 ms. */
const FEW = 8;

/** The set with more dots; the set itself when it has them all. */
export function addDots(set: DotSet, dots: readonly Dot[]): DotSet {
  return dots.length <= FEW ? dots.reduce(addDot, set) : union(set, dotSetOf(dots));
}

export function dotSetOf(dots: Iterable<Dot>): DotSet {
  const list = [...dots];
  if (list.length <= FEW) return list.reduce(addDot, EMPTY_DOTS);
  const counters = new Map<Actor, number[]>();
  for (const { actor, counter } of list) {
    invariant(counter >= 1, 'a dot counts from 1');
    const own = counters.get(actor);
    if (own === undefined) counters.set(actor, [counter]);
    else own.push(counter);
  }
  const entries = Array.from(counters, ([actor, own]) => ({ actor, runs: runsOfCounters(own) }));
  return entries.sort((a, b) => a.actor - b.actor);
}

export function union(a: DotSet, b: DotSet): DotSet {
  // Most unions on the way of a request bring nothing new: then nothing is built.
  if (isSubset(b, a)) return a;
  if (isSubset(a, b)) return b;
  const merged: ActorDots[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const left = a[i];
    const right = b[j];
    if (left === undefined && right === undefined) return merged;
    if (right === undefined || (left !== undefined && left.actor < right.actor)) {
      if (left !== undefined) append(merged, left);
      i++;
    } else if (left === undefined || right.actor < left.actor) {
      append(merged, right);
      j++;
    } else {
      append(merged, unionEntry(left, right));
      i++;
      j++;
    }
  }
}

/** The dots of `a` that are not in `b`; a floor of `a` that is not in `b` stays whole. */
export function subtract(a: DotSet, b: DotSet): DotSet {
  const rest: ActorDots[] = [];
  let untouched = true;
  let at = 0;
  for (const entry of a) {
    at = seek(b, entry.actor, at);
    const runs = subtractedFrom(entry, b[at]);
    if (runs === entry.runs) rest.push(entry);
    else untouched = false;
    if (runs !== entry.runs && runs.length > 0) rest.push({ actor: entry.actor, runs });
  }
  return untouched ? a : rest;
}

/** The set without these dots; a floor over one of them goes as a whole. It covers less than it might, which is always safe. */
export function without(set: DotSet, dots: DotSet): DotSet {
  const isOver = ({ actor: of, runs }: ActorDots): boolean =>
    isAll(runs) && dots.some(({ actor }) => actor <= of && sameMember(actor, of));
  return subtract(
    set.filter((entry) => !isOver(entry)),
    dots,
  );
}

/** What `other`, the first entry that is not below this one, leaves of it. */
function subtractedFrom(entry: ActorDots, other: ActorDots | undefined): Runs {
  if (other === undefined) return entry.runs;
  if (other.actor === entry.actor) return subtractRuns(entry.runs, other.runs);
  return isFloorOver(other, entry.actor) ? NO_COUNTERS : entry.runs;
}

const NO_COUNTERS: Runs = [];

export function isSubset(a: DotSet, b: DotSet): boolean {
  if (a === b) return true;
  let at = 0;
  for (const { actor, runs } of a) {
    at = seek(b, actor, at);
    const other = b[at];
    if (other === undefined) return false;
    if (other.actor === actor ? !includesRuns(other.runs, runs) : !isFloorOver(other, actor)) return false;
  }
  return true;
}

export function equalDotSets(a: DotSet, b: DotSet): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every((entry, i) => {
        const other = b[i];
        return other !== undefined && entry.actor === other.actor && equalRuns(entry.runs, other.runs);
      }))
  );
}

/** How many dots the set has that are not below a floor. */
export function dotCount(set: DotSet): number {
  let count = 0;
  for (const { runs } of set) {
    if (isAll(runs)) continue;
    for (let i = 0; i + 1 < runs.length; i += 2) count += (runs[i + 1] ?? 0) - (runs[i] ?? 0) + 1;
  }
  return count;
}

/** Every dot of the set, in order. For sets that name writes one by one, without floors: a clock may hold millions. */
export function* dotsIn(set: DotSet): Generator<Dot> {
  for (const { actor, runs } of set) {
    invariant(!isAll(runs), 'the dots below a floor cannot be enumerated');
    for (let at = 0; at < runs.length; at += 2) {
      for (let counter = runs[at] ?? 1; counter <= (runs[at + 1] ?? 0); counter++) yield { actor, counter };
    }
  }
}

/** How many runs the set is made of: what its size in memory and on the wire grows with. */
export function runCount(set: DotSet): number {
  return set.reduce((count, entry) => count + entry.runs.length / 2, 0);
}

/** Wire and disk form: the number of entries, then of each the actor and its runs. A floor is an actor with a 0 for its runs. */
export function writeDotSet(out: ByteWriter, set: DotSet): void {
  out.varint(set.length);
  for (const { actor, runs } of set) {
    writeActor(out, actor);
    writeRuns(out, runs);
  }
}

/** Reads what {@link writeDotSet} wrote; anything that is not canonical is a {@link DecodeError}. */
export function readDotSet(source: ByteReader): DotSet {
  const length = source.varint();
  if (length > source.remaining) throw new DecodeError('a dot set longer than its message');
  if (length === 0) return EMPTY_DOTS;
  const set: ActorDots[] = [];
  let last: Actor | undefined;
  for (let i = 0; i < length; i++) {
    const actor = readActor(source);
    if (last !== undefined && actor <= last) throw new DecodeError('actors must ascend');
    const runs = readRuns(source);
    if (last !== undefined && isAll(runs) && sameMember(last, actor)) throw new DecodeError('a floor comes first');
    last = actor;
    set.push({ actor, runs });
  }
  return set;
}

function runsOf(set: DotSet, actor: Actor): Runs | undefined {
  const entry = set[seek(set, actor, 0)];
  if (entry === undefined) return undefined;
  return entry.actor === actor || isFloorOver(entry, actor) ? entry.runs : undefined;
}

/** Whether the entry, which is not below the actor's, is the floor that covers it. */
function isFloorOver(entry: ActorDots, actor: Actor): boolean {
  return isAll(entry.runs) && sameMember(entry.actor, actor);
}

/** To entries that are all below this one: a floor takes the place of its member's. */
function append(entries: ActorDots[], entry: ActorDots): void {
  if (isAll(entry.runs)) {
    for (let last = entries.at(-1); last !== undefined && sameMember(last.actor, entry.actor); last = entries.at(-1))
      entries.pop();
  }
  entries.push(entry);
}

/** Index of the first entry, from `from` on, whose actor is not below `actor`. */
function seek(set: DotSet, actor: Actor, from: number): number {
  let at = from;
  for (let entry = set[at]; entry !== undefined && entry.actor < actor; entry = set[at]) at++;
  return at;
}

function unionEntry(a: ActorDots, b: ActorDots): ActorDots {
  if (includesRuns(a.runs, b.runs)) return a;
  if (includesRuns(b.runs, a.runs)) return b;
  return { actor: a.actor, runs: unionRuns(a.runs, b.runs) };
}
