/**
 * Two copies of a key that should be equal and are not: the owners' clocks were equal, their siblings differ (rule C10).
 *
 * A merge is wrong here. To it a sibling that is missing although the clock has its dot was overwritten or deleted; so the owner that
 * lost an object would make the healthy one delete it too. When clocks are equal that cannot be: whatever overwrote it would be in both
 * clocks, and both would lack it. So one of them was damaged, nobody can say which, and what may have been lost is kept:
 * each owner takes in what it lacks.
 *
 * The risk is the opposite damage: an owner that was to drop a sibling and did not. Then an overwritten value comes back beside its
 * successor, or a deleted one by itself. It is a sibling that the next write with its context removes; the other way would be a loss.
 *
 * Laws, with `a ⊕ b` the siblings of `mend(a, b, shared)`:
 * 1. Where `shared` has all dots, `⊕` is associative, commutative and idempotent; so `mend(a, b)` and `mend(b, a)` have equal siblings.
 * 2. Every dot of `a` is in `a ⊕ b`; of the others those of `b` that `shared` has, and none else.
 * 3. A dot with two versions keeps the one whose bytes are the greater, on both sides.
 * 4. `mend(a, b)` is `a` itself when it changes nothing; it never touches the context. So it is when one of the two lacks something: then
 *    they are not to be equal.
 */
import { type Container, inOrder, type Sibling, versionOf } from './container.ts';
import { type DotSet, hasDot } from './dot-set.ts';

/**
 * Our copy with what it lacks of theirs. `shared` are the dots of the clock that both owners had when the comparison began: what came
 * to be later is left to ordinary exchanges.
 */
export function mend(mine: Container, theirs: Container, shared: DotSet): Container {
  if (mine.lacks !== undefined || theirs.lacks !== undefined) return mine;
  const kept = mine.siblings.map((sibling) => greaterVersion(sibling, versionOf(theirs, sibling.dot)));
  const missing = theirs.siblings.filter(({ dot }) => hasDot(shared, dot) && versionOf(mine, dot) === undefined);
  if (missing.length === 0 && kept.every((sibling, i) => sibling === mine.siblings[i])) return mine;
  return { siblings: inOrder([...kept, ...missing]), context: mine.context };
}

function greaterVersion(sibling: Sibling, other: Uint8Array | undefined): Sibling {
  return other !== undefined && isGreater(other, sibling.version) ? { dot: sibling.dot, version: other } : sibling;
}

/** In the order of dictionaries. */
function isGreater(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return a.length > b.length;
}
