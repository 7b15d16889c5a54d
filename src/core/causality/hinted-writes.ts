/**
 * What a fallback keeps for an absent owner and one key: everything that the owner has missed there, in one container.
 *
 * A fallback has no clock of the partition. What it holds of a key is what its hints say, and nothing else (rule C6): filling from
 * a clock of its own would claim writes that it never saw. Laws, with `⊕` = {@link mergeHinted}:
 * 1. `⊕` is associative, commutative and idempotent, and merges containers as replicas do.
 * 2. `dots` holds every dot of every write merged in, those of the siblings among them; all are in the container's context. So the
 *    owner that takes in the container may add all of them to its clock: their effect is incorporated. Delivering the siblings'
 *    dots alone would leave a hole for each write that a later one overwrote here.
 * 3. A write at a fallback discards of what its hints hold what the client's context covers (a blind write: all), and covers
 *    nothing else: not even its own earlier dots, which some owner may have and this fallback may have forgotten (rule C5).
 */
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { invariant } from '../invariant.ts';
import {
  type Container,
  dotsOf,
  EMPTY_CONTAINER,
  merge,
  readContainer,
  sameSiblings,
  write,
  writeContainer,
} from './container.ts';
import type { Dot } from './dot.ts';
import { addDot, type DotSet, equalDotSets, hasDot, readDotSet, union, writeDotSet } from './dot-set.ts';

export interface HintedWrites {
  /** The writes that were merged into the container. */
  readonly dots: DotSet;
  /** As the writes' coordinators sent it: filled there. */
  readonly container: Container;
}

/** The writes with these dots, as their coordinator sent them. */
export function hintedWrites(container: Container, dots: DotSet): HintedWrites {
  return { container, dots: union(dots, dotsOf(container)) };
}

export function mergeHinted(a: HintedWrites, b: HintedWrites): HintedWrites {
  return { dots: union(a.dots, b.dots), container: merge(a.container, b.container) };
}

export function sameHinted(a: HintedWrites, b: HintedWrites): boolean {
  return (
    equalDotSets(a.dots, b.dots) &&
    sameSiblings(a.container, b.container) &&
    equalDotSets(a.container.context, b.container.context)
  );
}

export interface FallbackWrite {
  /** What the owners are to be sent, or to have kept for them. */
  readonly container: Container;
  /** What the write's context covers, without its dot. */
  readonly covered: DotSet;
}

/** A client's write, coordinated by a fallback. `held` is all that its hints hold of the key; undefined when they hold nothing. */
export function writeAsFallback(
  held: Container | undefined,
  dot: Dot,
  version: Uint8Array | undefined,
  context: DotSet | undefined,
): FallbackWrite {
  const before = held ?? EMPTY_CONTAINER;
  invariant(!hasDot(before.context, dot), 'a dot is minted once');
  const { container, covered } = write(before, dot, version, context);
  invariant(equalDotSets(container.context, addDot(union(before.context, covered), dot)), 'nothing else is covered');
  return { container, covered };
}

export function writeHinted(out: ByteWriter, { dots, container }: HintedWrites): void {
  writeDotSet(out, dots);
  writeContainer(out, container);
}

/** Errors: DecodeError. */
export function readHinted(source: ByteReader): HintedWrites {
  const dots = readDotSet(source);
  return hintedWrites(readContainer(source), dots);
}
