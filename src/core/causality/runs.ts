/**
 * A set of counters from 1 on, as pairs `[first, last, first, last, ...]`: both ends included, ascending, disjoint and not adjacent.
 * So equal sets have one representation, and its size grows with the gaps, not with the counters.
 *
 * Every counter there is has a form of its own, {@link ALL_COUNTERS}: a run that starts at 0, as no other does, and has no end.
 * What is subtracted from it is not taken out: what would be left could not be written down.
 */
import { type ByteReader, type ByteWriter, DecodeError } from '../bytes.ts';

export type Runs = readonly number[];

/** Every counter that there ever will be. */
export const ALL_COUNTERS: Runs = [0, Number.POSITIVE_INFINITY];
const NO_RUNS: Runs = [];

export const isAll = (runs: Runs): boolean => runs[0] === 0;

export function hasCounter(runs: Runs, counter: number): boolean {
  const at = boundAt(runs, counter);
  return at < runs.length && (at % 2 === 1 || runs[at] === counter);
}

/** The hot path of every write: the next counter only lengthens the last run. */
export function addCounter(runs: Runs, counter: number): Runs {
  const last = runs[runs.length - 1] ?? 0;
  if (counter !== last + 1) return unionRuns(runs, [counter, counter]);
  const longer = runs.slice();
  longer[runs.length - 1] = counter;
  return longer;
}

/** In any order, and as often as they come. */
export function runsOfCounters(counters: readonly number[]): Runs {
  const runs: number[] = [];
  for (const counter of counters.toSorted((a, b) => a - b)) {
    const last = runs[runs.length - 1];
    if (last !== undefined && counter <= last + 1) runs[runs.length - 1] = counter;
    else runs.push(counter, counter);
  }
  return runs;
}

export function unionRuns(a: Runs, b: Runs): Runs {
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

/** `a` itself when nothing of it is in `b`, or when it is {@link ALL_COUNTERS} and `b` is not. */
export function subtractRuns(a: Runs, b: Runs): Runs {
  if (includesRuns(b, a)) return NO_RUNS;
  if (isAll(a)) return a;
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

export function includesRuns(outer: Runs, inner: Runs): boolean {
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

export function equalRuns(a: Runs, b: Runs): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Wire and disk form: `runs * 2 + based, distances...`. A bound is written as its distance from the one before, so that a base costs
 * the digits of its length and nothing else: `based` says that the first run starts at 1. All counters are a single 0.
 */
export function writeRuns(out: ByteWriter, runs: Runs): void {
  if (isAll(runs)) {
    out.varint(0);
    return;
  }
  const based = runs[0] === 1;
  out.varint(runs.length + (based ? 1 : 0));
  let previous = based ? 1 : 0;
  for (let i = based ? 1 : 0; i < runs.length; i++) {
    const bound = runs[i] ?? 0;
    out.varint(bound - previous);
    previous = bound;
  }
}

/** Reads what {@link writeRuns} wrote; anything that is not canonical is a {@link DecodeError}. */
export function readRuns(source: ByteReader): Runs {
  const header = source.varint();
  if (header === 0) return ALL_COUNTERS;
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

/** Index of the first bound that is not below `counter`: an odd one, or the counter itself, means that it is in a run. */
function boundAt(runs: Runs, counter: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle] ?? 0) < counter) low = middle + 1;
    else high = middle;
  }
  return low;
}
