/**
 * A set of dots: for each actor a contiguous base and the exceptions above it. Clocks, contexts and tokens all have this shape.
 *
 * Representation: entries ascend by actor, each with its {@link Runs} of counters: the run that starts at 1 is the base, the others
 * are exceptions. No entry is empty. So equal sets have one representation, and a replica that missed a stretch of writes pays for
 * one run, not for each write that follows.
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
import {
  addCounter,
  equalRuns,
  hasCounter,
  includesRuns,
  type Runs,
  readRuns,
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
  if (hasCounter(entry.runs, dot.counter)) return set;
  const larger = set.slice();
  larger[at] = { actor: dot.actor, runs: addCounter(entry.runs, dot.counter) };
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
    if (other === undefined || other.actor !== actor || !includesRuns(other.runs, runs)) return false;
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

/** How many dots the set has. */
export function dotCount(set: DotSet): number {
  let count = 0;
  for (const { runs } of set) {
    for (let i = 0; i + 1 < runs.length; i += 2) count += (runs[i + 1] ?? 0) - (runs[i] ?? 0) + 1;
  }
  return count;
}

/** Every dot of the set, in order. For sets that name writes one by one: a clock may hold millions. */
export function* dotsIn(set: DotSet): Generator<Dot> {
  for (const { actor, runs } of set) {
    for (let at = 0; at < runs.length; at += 2) {
      for (let counter = runs[at] ?? 1; counter <= (runs[at + 1] ?? 0); counter++) yield { actor, counter };
    }
  }
}

/** How many runs the set is made of: what its size in memory and on the wire grows with. */
export function runCount(set: DotSet): number {
  return set.reduce((count, entry) => count + entry.runs.length / 2, 0);
}

/** Wire and disk form: the number of entries, then of each the actor and its runs. */
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
  let last = 0;
  for (let i = 0; i < length; i++) {
    const actor = readActor(source);
    if (actor <= last) throw new DecodeError('actors must ascend');
    last = actor;
    set.push({ actor, runs: readRuns(source) });
  }
  return set;
}

function runsOf(set: DotSet, actor: Actor): Runs | undefined {
  const entry = set[seek(set, actor, 0)];
  return entry?.actor === actor ? entry.runs : undefined;
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
