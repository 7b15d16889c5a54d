/**
 * A set of dots: for each actor a contiguous base and the exceptions above it. Clocks, contexts and tokens all have this shape.
 *
 * Representation: entries ascend by actor. An entry's `runs` are pairs `[first, last, first, last, ...]` of counters, both ends
 * included, ascending, disjoint and not adjacent; a run that starts at 1 is the base, the others are exceptions. No entry is
 * empty. So equal sets have one representation, and a replica that missed a stretch of writes pays for one run, not for each
 * write that follows.
 *
 * Why not a version vector (`actor -> highest counter`): it would claim the writes in the gaps (rule C5).
 *
 * Laws, with `∪` = {@link union}, `\` = {@link subtract}, `⊆` = {@link isSubset}:
 * 1. `∪` is associative, commutative, idempotent, with {@link EMPTY_DOTS} as its neutral element.
 * 2. `d ∈ a ∪ b  ⇔  d ∈ a or d ∈ b`;  `d ∈ a \ b  ⇔  d ∈ a and d ∉ b`;  `a ⊆ b  ⇔  a \ b = ∅`.
 * 3. Equal sets are structurally equal, and encode to equal bytes.
 *
 * Source: Goncalves et al., "Concise Server-Wide Causality Management for Eventually Consistent Data Stores" (DAIS 2015), 3.
 */
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { DecodeError } from '../bytes.ts';
import { invariant } from '../invariant.ts';
import { type Actor, type Dot, readActor, writeActor } from './dot.ts';

export type DotSet = readonly ActorDots[];

export interface ActorDots {
  readonly actor: Actor;
  readonly runs: readonly number[];
}

export const EMPTY_DOTS: DotSet = [];
const NO_RUNS: readonly number[] = [];

export function hasDot(set: DotSet, dot: Dot): boolean {
  const runs = runsOf(set, dot.actor);
  return runs !== undefined && runsHave(runs, dot.counter);
}

/** The highest counter of the actor in the set, 0 when it has none. */
export function lastCounter(set: DotSet, actor: Actor): number {
  return runsOf(set, actor)?.at(-1) ?? 0;
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
    return set.toSpliced(at, 0, { actor: dot.actor, runs: [dot.counter, dot.counter] });
  }
  if (runsHave(entry.runs, dot.counter)) return set;
  const larger = set.slice();
  larger[at] = { actor: dot.actor, runs: addToRuns(entry.runs, dot.counter) };
  return larger;
}

export function dotSetOf(dots: Iterable<Dot>): DotSet {
  let set = EMPTY_DOTS;
  for (const dot of dots) set = addDot(set, dot);
  return set;
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
      if (left !== undefined) merged.push(left);
      i++;
    } else if (left === undefined || right.actor < left.actor) {
      merged.push(right);
      j++;
    } else {
      merged.push(unionEntry(left, right));
      i++;
      j++;
    }
  }
}

/** The dots of `a` that are not in `b`. */
export function subtract(a: DotSet, b: DotSet): DotSet {
  const rest: ActorDots[] = [];
  let untouched = true;
  let at = 0;
  for (const entry of a) {
    at = seek(b, entry.actor, at);
    const other = b[at];
    const runs = other?.actor === entry.actor ? subtractRuns(entry.runs, other.runs) : entry.runs;
    if (runs === entry.runs) rest.push(entry);
    else untouched = false;
    if (runs !== entry.runs && runs.length > 0) rest.push({ actor: entry.actor, runs });
  }
  return untouched ? a : rest;
}

export function isSubset(a: DotSet, b: DotSet): boolean {
  if (a === b) return true;
  let at = 0;
  for (const { actor, runs } of a) {
    at = seek(b, actor, at);
    const other = b[at];
    if (other === undefined || other.actor !== actor || !runsInclude(other.runs, runs)) return false;
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

/** How many runs the set is made of: what its size in memory and on the wire grows with. */
export function runCount(set: DotSet): number {
  return set.reduce((count, entry) => count + entry.runs.length / 2, 0);
}

/**
 * Wire and disk form: `entries, (actor, runs * 2 + based, lengths...)*`. Runs are written as distances, so a base costs its length
 * in digits and nothing else: `based` says that the first run starts at 1.
 */
export function writeDotSet(out: ByteWriter, set: DotSet): void {
  out.varint(set.length);
  for (const { actor, runs } of set) {
    writeActor(out, actor);
    const based = runs[0] === 1;
    out.varint(runs.length + (based ? 1 : 0));
    let previous = based ? 1 : 0;
    for (let i = based ? 1 : 0; i < runs.length; i++) {
      const bound = runs[i] ?? 0;
      out.varint(bound - previous);
      previous = bound;
    }
  }
}

/** Reads what {@link writeDotSet} wrote; anything that is not canonical is a {@link DecodeError}. */
export function readDotSet(source: ByteReader): DotSet {
  const length = source.varint();
  if (length > source.remaining) throw new DecodeError('a dot set longer than its message');
  if (length === 0) return EMPTY_DOTS;
  const set: ActorDots[] = [];
  let last = 0;
  for (let i = 0; i < length; i++) {
    const actor = readActor(source);
    if (actor <= last) throw new DecodeError('actors must ascend');
    last = actor;
    set.push({ actor, runs: readRuns(source) });
  }
  return set;
}

function readRuns(source: ByteReader): readonly number[] {
  const header = source.varint();
  const based = header % 2 === 1;
  const bounds = based ? header - 1 : header;
  if (bounds === 0 || bounds - 1 > source.remaining) throw new DecodeError('runs longer than their message');
  // A run opens at least two above what came before: there is a gap, and a first run from 1 would be the base.
  let opening = based ? 1 : readBound(source, 0, 2);
  let last = readBound(source, opening, 0);
  const runs = [opening, last];
  while (runs.length < bounds) {
    opening = readBound(source, last, 2);
    last = readBound(source, opening, 0);
    runs.push(opening, last);
  }
  return runs;
}

function readBound(source: ByteReader, previous: number, distanceMin: number): number {
  const distance = source.varint();
  if (distance < distanceMin) throw new DecodeError('runs must not touch');
  const bound = previous + distance;
  if (bound > Number.MAX_SAFE_INTEGER) throw new DecodeError('a counter out of range');
  return bound;
}

function runsOf(set: DotSet, actor: Actor): readonly number[] | undefined {
  const entry = set[seek(set, actor, 0)];
  return entry?.actor === actor ? entry.runs : undefined;
}

/** Index of the first entry, from `from` on, whose actor is not below `actor`. */
function seek(set: DotSet, actor: Actor, from: number): number {
  let at = from;
  for (let entry = set[at]; entry !== undefined && entry.actor < actor; entry = set[at]) at++;
  return at;
}

/** Index of the first bound that is not below `counter`: an odd one, or the counter itself, means that it is in a run. */
function boundAt(runs: readonly number[], counter: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle] ?? 0) < counter) low = middle + 1;
    else high = middle;
  }
  return low;
}

function runsHave(runs: readonly number[], counter: number): boolean {
  const at = boundAt(runs, counter);
  return at < runs.length && (at % 2 === 1 || runs[at] === counter);
}

function addToRuns(runs: readonly number[], counter: number): readonly number[] {
  const last = runs[runs.length - 1] ?? 0;
  if (counter !== last + 1) return unionRuns(runs, [counter, counter]);
  const longer = runs.slice();
  longer[runs.length - 1] = counter;
  return longer;
}

function unionEntry(a: ActorDots, b: ActorDots): ActorDots {
  if (runsInclude(a.runs, b.runs)) return a;
  if (runsInclude(b.runs, a.runs)) return b;
  return { actor: a.actor, runs: unionRuns(a.runs, b.runs) };
}

function unionRuns(a: readonly number[], b: readonly number[]): readonly number[] {
  const merged: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const fromA = j >= b.length || (i < a.length && (a[i] ?? 0) <= (b[j] ?? 0));
    const [source, at] = fromA ? [a, i] : [b, j];
    const first = source[at] ?? 0;
    const last = source[at + 1] ?? 0;
    if (fromA) i += 2;
    else j += 2;
    const end = merged[merged.length - 1];
    if (end !== undefined && first <= end + 1) merged[merged.length - 1] = Math.max(end, last);
    else merged.push(first, last);
  }
  return merged;
}

/** `a` itself when nothing of it is in `b`. */
function subtractRuns(a: readonly number[], b: readonly number[]): readonly number[] {
  if (runsInclude(b, a)) return NO_RUNS;
  const rest: number[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let first = a[i] ?? 0;
    const last = a[i + 1] ?? 0;
    while (j < b.length && (b[j + 1] ?? 0) < first) j += 2;
    for (let k = j; k < b.length && (b[k] ?? 0) <= last && first <= last; k += 2) {
      if ((b[k] ?? 0) > first) rest.push(first, (b[k] ?? 0) - 1);
      first = Math.max(first, (b[k + 1] ?? 0) + 1);
    }
    if (first <= last) rest.push(first, last);
  }
  return equalRuns(rest, a) ? a : rest;
}

function runsInclude(outer: readonly number[], inner: readonly number[]): boolean {
  // One run each is what nearly every comparison meets.
  if (outer.length === 2 && inner.length === 2) {
    return (outer[0] ?? 0) <= (inner[0] ?? 0) && (inner[1] ?? 0) <= (outer[1] ?? 0);
  }
  for (let i = 0; i < inner.length; i += 2) {
    const first = inner[i] ?? 0;
    const at = boundAt(outer, first);
    const end = at % 2 === 1 ? outer[at] : outer[at] === first ? outer[at + 1] : undefined;
    if (end === undefined || end < (inner[i + 1] ?? 0)) return false;
  }
  return true;
}

function equalRuns(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
