import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitSet } from './bit-set.ts';
import { ConfigurationCache } from './configuration-cache.ts';

const LIMIT = 70;

function setOf(integers: Iterable<number>): BitSet {
  const set = BitSet.below(LIMIT);
  for (const integer of integers) set.flip(integer);
  return set;
}

/** Two sets that differ in everything and have one hash: among 33 hashes of 32 bits some must cancel out. */
function collision(): readonly [BitSet, BitSet] {
  const reduced: { hash: number; integers: Set<number> }[] = [];
  for (let integer = 0; integer < LIMIT; integer++) {
    const candidate = { hash: setOf([integer]).hash, integers: new Set([integer]) };
    for (const { hash, integers } of reduced) {
      if ((candidate.hash ^ hash) >>> 0 >= candidate.hash >>> 0) continue;
      candidate.hash ^= hash;
      candidate.integers = symmetricDifference(candidate.integers, integers);
    }
    const [first = 0, ...others] = candidate.integers;
    if (candidate.hash === 0) return [setOf([first]), setOf(others)];
    reduced.push(candidate);
    reduced.sort((a, b) => (b.hash >>> 0) - (a.hash >>> 0));
  }
  throw new Error('there is a collision');
}

function symmetricDifference(a: ReadonlySet<number>, b: ReadonlySet<number>): Set<number> {
  return new Set([...[...a].filter((item) => !b.has(item)), ...[...b].filter((item) => !a.has(item))]);
}

const integers = fc.uniqueArray(fc.nat(LIMIT - 1)).map((list) => new Set(list));

describe('a bit set', () => {
  it('does what a set of integers does', () => {
    fc.assert(
      fc.property(integers, integers, (a, b) => {
        const [one, two] = [setOf(a), setOf(b)];
        for (let integer = 0; integer < LIMIT; integer++) expect(one.has(integer)).toBe(a.has(integer));
        expect(one.equals(two)).toBe(symmetricDifference(a, b).size === 0);
        expect(one.isSubsetOf(two)).toBe([...a].every((integer) => b.has(integer)));
        expect(setOf([...a].filter((integer) => b.has(integer))).isSubsetOf(one)).toBe(true);
      }),
    );
  });

  it('has a hash of its members alone, and copies that stay', () => {
    fc.assert(
      fc.property(integers, integers, (a, b) => {
        const set = setOf([...a, ...b]);
        expect(set.hash).toBe(setOf(symmetricDifference(b, a)).hash);
        const copy = set.copy();
        set.flip(3);
        expect(copy.equals(set)).toBe(false);
      }),
    );
  });
});

describe('a visit', () => {
  it('is made once', () => {
    const cache = new ConfigurationCache<string>(Object.is);
    expect(cache.visit(setOf([1]), setOf([]), 's')).toBe(true);
    expect(cache.visit(setOf([1]), setOf([]), 's')).toBe(false);
    expect(cache.visit(setOf([1]), setOf([]), 't')).toBe(true);
    expect(cache.visit(setOf([1, 2]), setOf([]), 's')).toBe(true);
  });

  it('is not worth it with more unanswered operations used up, but with others', () => {
    const cache = new ConfigurationCache<string>(Object.is);
    expect(cache.visit(setOf([1]), setOf([4, 40]), 's')).toBe(true);
    expect(cache.visit(setOf([1]), setOf([4, 40, 5]), 's')).toBe(false);
    expect(cache.visit(setOf([1]), setOf([4, 5]), 's')).toBe(true);
    expect(cache.visit(setOf([1]), setOf([4]), 's')).toBe(true);
  });

  it('is not taken for another one of the same hash', () => {
    const [one, two] = collision();
    expect([one.hash === two.hash, one.equals(two)]).toEqual([true, false]);
    const cache = new ConfigurationCache<string>(Object.is);
    expect(cache.visit(one, setOf([]), 's')).toBe(true);
    expect(cache.visit(two, setOf([]), 's')).toBe(true);
  });
});
