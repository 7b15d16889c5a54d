/**
 * Anti-entropy between two owners, as values: what one takes in of a key that the other holds.
 *
 * The other owner's filled container would do, but it speaks of every write of the partition: until the clock has taken in all of
 * them the rest would be stored with each key. What bears on this key is little: its own siblings, ours, and the dots that the other
 * side says are the key's. Whoever takes in less than was sent covers less, which is always safe.
 *
 * Law: after an exchange in which each dot that the other clock has and ours lacks was named with its key, merging each of these
 * keys leaves here what a merge of the whole filled containers, and then of the clocks, would leave.
 *
 * What lacks something, here or there, is merged with the whole of the other container: here it may then lack less. What is lacking there
 * is lacking here from then on, unless this owner's clock had it: with their clock we would claim it otherwise.
 *
 * Source: Goncalves et al., "DottedDB: Anti-Entropy without Merkle Trees, Deletes without Tombstones" (SRDS 2017), 4.3.
 */
import { type Container, fill, hasSibling } from './container.ts';
import type { Dot } from './dot.ts';
import { addDot, type DotSet, dotSetOf, EMPTY_DOTS, hasDot, union } from './dot-set.ts';

/** The other owner's container of a key, as stored there, with as much of its clock as bears on the key; `dots` are the key's, of that clock. */
export function bearingOn(mine: Container, theirs: Container, theirClock: DotSet, dots: readonly Dot[]): Container {
  if (mine.lacks !== undefined || theirs.lacks !== undefined) return fill(theirs, theirClock);
  let context = theirs.context;
  for (const { dot } of theirs.siblings) context = addDot(context, dot);
  for (const { dot } of mine.siblings) if (hasDot(theirClock, dot)) context = addDot(context, dot);
  for (const dot of dots) context = addDot(context, dot);
  return { siblings: theirs.siblings, context };
}

/**
 * Our container of a key that a full comparison has passed, as merges must see it until the comparison ends (rule C2): the clock of
 * the other owner is ours in a moment, so a late copy of a write that it has, and that is not here, is a write that was overwritten
 * or deleted, unless the key lacks it. `incoming` are the dots of what is about to be merged.
 */
export function judgedBy(stored: Container, startClock: DotSet, incoming: readonly Dot[]): Container {
  const lacks = stored.lacks ?? EMPTY_DOTS;
  const known = incoming.filter((dot) => hasDot(startClock, dot) && !hasDot(lacks, dot) && !hasSibling(stored, dot));
  return known.length === 0 ? stored : { ...stored, context: union(stored.context, dotSetOf(known)) };
}
