/**
 * The causal container of one key: its siblings, and a context that covers every write whose effect they reflect.
 *
 * A container is *filled* when its context includes the clock of the replica that holds it, and *stripped* when its context is
 * without the dots of that clock: so it lies on disk, where the context is empty at rest.
 *
 * Laws, with `⊔` = {@link merge}, on filled containers of one key:
 * 1. `⊔` is associative, commutative and idempotent.
 * 2. A sibling of `a ⊔ b` is a sibling of both, or of one and not covered by the other's context.
 * 3. Every sibling's dot is in the container's context; `strip(fill(stored, clock), clock) = stored` for a stripped `stored`.
 * 4. `write` adds at most one sibling, removes exactly those that the client's context covers (a blind write: all), and the new
 *    context covers the old one, the client's and the new dot.
 * 5. A container that *lacks* dots speaks for itself alone: filling and stripping leave it as it is. `a ⊔ b` lacks what `a` or `b` does
 *    and neither context has, so law 1 holds for this too; what lacks nothing any more is a container like all others.
 *
 * Absence is information: a filled container that lacks a sibling whose dot its context has says that it was overwritten or
 * deleted. Hence a *read error* must never be turned into an empty container, and context must never be taken for a clock.
 *
 * Source: Goncalves et al., "DottedDB: Anti-Entropy without Merkle Trees, Deletes without Tombstones" (SRDS 2017), 4;
 * "Concise Server-Wide Causality Management for Eventually Consistent Data Stores" (DAIS 2015), 4.
 */
import { type ByteReader, ByteWriter, DecodeError, ByteReader as Reader } from '../bytes.ts';
import { compareDots, type Dot, readDot, sameDot, writeDot } from './dot.ts';
import {
  addDot,
  type DotSet,
  dotSetOf,
  EMPTY_DOTS,
  equalDotSets,
  hasDot,
  readDotSet,
  runCount,
  subtract,
  union,
  writeDotSet,
} from './dot-set.ts';

export interface Container {
  /** Ascending by dot. */
  readonly siblings: readonly Sibling[];
  readonly context: DotSet;
  /**
   * Dots that a clock beside the container has, or is about to take in from another owner's, although this key may not reflect them:
   * the record was lost, and had again from some of those who had it. The clock must not speak for it then: it would say that what is
   * lacking was deleted. Never empty, and none of its dots is in the context.
   */
  readonly lacks?: DotSet;
}

/** A value not yet overwritten. Its version travels encoded: replicas do not look inside. */
export interface Sibling {
  readonly dot: Dot;
  readonly version: Uint8Array;
}

export const EMPTY_CONTAINER: Container = { siblings: [], context: EMPTY_DOTS };

export function fill(stored: Container, clock: DotSet): Container {
  if (stored.lacks !== undefined) return stored;
  return { siblings: stored.siblings, context: union(stored.context, clock) };
}

/**
 * What is to be stored of a filled container beside the clock: of its context what the clock lacks. A clock with many holes, as in the
 * middle of a full comparison, would leave as many runs with every key: then the context stays as it is.
 */
export function strip(container: Container, clock: DotSet): Container {
  if (container.lacks !== undefined) return container;
  const lacking = subtract(container.context, clock);
  const isScattered = runCount(lacking) > runCount(container.context) + RUNS_SPARED_MIN;
  return { siblings: container.siblings, context: isScattered ? container.context : lacking };
}

const RUNS_SPARED_MIN = 16;

export function merge(a: Container, b: Container): Container {
  const merged = { siblings: mergeSiblings(a, b), context: union(a.context, b.context) };
  if (a.lacks === undefined && b.lacks === undefined) return merged;
  return lacking(merged, union(a.lacks ?? EMPTY_DOTS, b.lacks ?? EMPTY_DOTS));
}

/** The container as one that lacks those of the dots that its context has not, and no others. */
export function lacking({ siblings, context }: Container, dots: DotSet): Container {
  const lacks = subtract(dots, context);
  return lacks.length === 0 ? { siblings, context } : { siblings, context, lacks };
}

/** The container as whoever has no clock beside it needs it: it covers what its context does, and no more. */
export function withoutLacks(container: Container): Container {
  return container.lacks === undefined ? container : { siblings: container.siblings, context: container.context };
}

export interface WriteEffect {
  readonly container: Container;
  /** What the write's context covers: the client's, or for a blind write the dots that it replaced. */
  readonly covered: DotSet;
}

/** A client's write at an owner, on the filled container. `version` undefined deletes; `context` undefined is a blind write. */
export function write(filled: Container, dot: Dot, version: Uint8Array | undefined, context?: DotSet): WriteEffect {
  const covered = context ?? dotsOf(filled);
  const kept = context === undefined ? [] : filled.siblings.filter((sibling) => !hasDot(covered, sibling.dot));
  const siblings = version === undefined ? kept : inOrder([...kept, { dot, version }]);
  const container = { siblings, context: addDot(union(filled.context, covered), dot) };
  return { container: filled.lacks === undefined ? container : lacking(container, filled.lacks), covered };
}

/** The dots of the siblings. */
export function dotsOf(container: Container): DotSet {
  return dotSetOf(container.siblings.map((sibling) => sibling.dot));
}

/** Nothing is stored for a container without siblings once the clock has all of its context, and may speak for it. */
export function isVoid(stripped: Container): boolean {
  if (stripped.lacks !== undefined) return false;
  return stripped.siblings.length === 0 && stripped.context.length === 0;
}

export function sameSiblings(a: Container, b: Container): boolean {
  if (a.siblings.length !== b.siblings.length) return false;
  return a.siblings.every((sibling, i) => {
    const other = b.siblings[i];
    return other !== undefined && sameDot(sibling.dot, other.dot);
  });
}

export function sameLacks({ lacks: a }: Container, { lacks: b }: Container): boolean {
  return a === b || (a !== undefined && b !== undefined && equalDotSets(a, b));
}

/** Form on the wire: the context, then each sibling's dot and version. What it lacks is for those to know who have it beside a clock. */
export function writeContainer(out: ByteWriter, container: Container): void {
  writeDotSet(out, container.context);
  out.varint(container.siblings.length);
  for (const { dot, version } of container.siblings) {
    writeDot(out, dot);
    out.bytes(version);
  }
}

/** Versions are views into the source. Errors: DecodeError. */
export function readContainer(source: ByteReader): Container {
  const context = readDotSet(source);
  const count = source.varint();
  if (count > source.remaining) throw new DecodeError('more siblings than bytes');
  const siblings: Sibling[] = [];
  for (let i = 0; i < count; i++) {
    const dot = readDot(source);
    const previous = siblings[i - 1];
    if (previous !== undefined && compareDots(previous.dot, dot) >= 0) throw new DecodeError('siblings must ascend');
    siblings.push({ dot, version: source.bytes() });
  }
  return { siblings, context };
}

/** What is left of the source is a container as it is stored, read by `read` but for what it lacks. Errors: DecodeError. */
export function readStored(source: ByteReader, read = readContainer): Container {
  const { siblings, context } = read(source);
  if (source.remaining === 0) return { siblings, context };
  const lacks = readDotSet(source);
  source.end();
  if (lacks.length === 0 || subtract(lacks, context) !== lacks)
    throw new DecodeError('it lacks nothing, or what it has');
  return { siblings, context, lacks };
}

/** Behind a container, where it lacks something. */
export function writeLacks(out: ByteWriter, { lacks }: Container): void {
  if (lacks !== undefined) writeDotSet(out, lacks);
}

const scratch = new ByteWriter();

/** Form on disk: that on the wire, and what it lacks. Equal containers have equal bytes. Valid until the next call: copy what is kept. */
export function encodeContainer(container: Container): Uint8Array {
  writeContainer(scratch.reset(), container);
  writeLacks(scratch, container);
  return scratch.view();
}

export function decodeContainer(bytes: Uint8Array): Container {
  return readStored(new Reader(bytes));
}

function mergeSiblings(a: Container, b: Container): readonly Sibling[] {
  const kept = a.siblings.filter((sibling) => !hasDot(b.context, sibling.dot) || hasSibling(b, sibling.dot));
  const added = b.siblings.filter((sibling) => !hasDot(a.context, sibling.dot) && !hasSibling(a, sibling.dot));
  return added.length === 0 ? kept : inOrder([...kept, ...added]);
}

export function hasSibling(container: Container, dot: Dot): boolean {
  return container.siblings.some((sibling) => sameDot(sibling.dot, dot));
}

/** Of the sibling with that dot, if there is one. */
export function versionOf(container: Container, dot: Dot): Uint8Array | undefined {
  return container.siblings.find((sibling) => sameDot(sibling.dot, dot))?.version;
}

/** Ascending by dot, as a container has them. Sorts the array itself. */
export function inOrder(siblings: Sibling[]): readonly Sibling[] {
  return siblings.length < 2 ? siblings : siblings.sort((a, b) => compareDots(a.dot, b.dot));
}
