import type { BitSet } from './bit-set.ts';

interface Visited<S> {
  readonly answered: BitSet;
  readonly open: BitSet;
  readonly state: S;
  /** Another one of the same hash. */
  readonly other: Visited<S> | undefined;
}

/**
 * The configurations that the search has visited: which operations were placed, and the state they led to. What can follow depends on
 * these alone, so none is worth a second visit (Lowe 2017, section 3: this is what makes the search finish). Nor is one that differs
 * from a visited one only in having used up more of the unanswered operations: whatever follows it follows the other.
 *
 * The hash is that of the answered operations. Equality is exact: a collision costs time, not truth.
 */
export class ConfigurationCache<S> {
  private readonly equal: (a: S, b: S) => boolean;
  private readonly visited = new Map<number, Visited<S>>();

  constructor(equal: (a: S, b: S) => boolean) {
    this.equal = equal;
  }

  /** Whether this visit is worth it; if so it is remembered. */
  visit(answered: BitSet, open: BitSet, state: S): boolean {
    const chain = this.visited.get(answered.hash);
    for (let known = chain; known !== undefined; known = known.other) {
      const isSame = this.equal(known.state, state) && known.answered.equals(answered);
      if (isSame && known.open.isSubsetOf(open)) return false;
    }
    this.visited.set(answered.hash, { answered: answered.copy(), open: open.copy(), state, other: chain });
    return true;
  }
}
