/**
 * What an owner does to a key of its partition, as values: the stored container and the clock before, both after.
 *
 * One merge serves every message that brings another replica's container (H5): replication, read repair, hint, anti-entropy and
 * transfer. In each update the clock takes in the dots *named* by the write and those of the siblings, never the context: the
 * context also holds dots of other keys, whose objects this replica may not have seen (invariant 3).
 */

import { invariant } from '../invariant.ts';
import { type Container, fill, merge, sameLacks, sameSiblings, strip, withoutLacks, write } from './container.ts';
import type { Actor, Dot } from './dot.ts';
import { addDot, addDots, type DotSet, dotsIn, equalDotSets, hasDot, lastCounter, subtract } from './dot-set.ts';

export interface ReplicaUpdate {
  /** The stripped container to store. */
  readonly stored: Container;
  readonly clock: DotSet;
  /** The dots by which the clock grew, to be made durable together with the object. */
  readonly added: readonly Dot[];
}

export interface CoordinatedWrite extends ReplicaUpdate {
  readonly dot: Dot;
  /** What the other owners are sent. */
  readonly filled: Container;
  /** What the write's own context covers, without its dot: what the answer's token is made of. */
  readonly covered: DotSet;
}

/** The actor's next dot: one above its highest counter in the clock. */
export function nextDot(clock: DotSet, actor: Actor): Dot {
  return { actor, counter: lastCounter(clock, actor) + 1 };
}

/** A client's write, coordinated by the owner that writes as `actor`. */
export function coordinateWrite(
  stored: Container,
  clock: DotSet,
  actor: Actor,
  version: Uint8Array | undefined,
  context: DotSet | undefined,
): CoordinatedWrite {
  const dot = nextDot(clock, actor);
  const before = fill(stored, clock);
  invariant(!hasDot(before.context, dot), 'a dot is minted once');
  const { container: filled, covered } = write(before, dot, version, context);
  const after = addDot(clock, dot);
  return { stored: strip(filled, after), clock: after, added: [dot], dot, filled: withoutLacks(filled), covered };
}

/**
 * Takes in another replica's filled container and the dots of the writes it speaks of.
 * Undefined when it changes nothing: what it brings was here already.
 */
export function applyRemote(
  stored: Container,
  clock: DotSet,
  remote: Container,
  dots: readonly Dot[],
): ReplicaUpdate | undefined {
  // The dots of a long hint, at once: one by one they cost the square of their number. A write has one.
  let after = dots.length > 1 ? addDots(clock, dots) : clock;
  const added = after === clock ? [] : [...dotsIn(subtract(after, clock))];
  const take = (dot: Dot) => {
    if (hasDot(after, dot)) return;
    after = addDot(after, dot);
    added.push(dot);
  };
  for (const dot of dots) take(dot);
  for (const sibling of remote.siblings) take(sibling.dot);
  const next = strip(merge(fill(stored, clock), remote), after);
  const isSame = sameSiblings(stored, next) && equalDotSets(stored.context, next.context) && sameLacks(stored, next);
  if (added.length === 0 && isSame) return undefined;
  return { stored: next, clock: after, added };
}
