import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded, sharesOf, sum } from './test-random.ts';
import { ZIPFIAN_THETA, Zipfian } from './zipfian.ts';

const RANKS = 1000;
const DRAWS = 300_000;

/** The law's own shares. */
function expectedShares(items: number): number[] {
  const weights = Array.from({ length: items }, (_, rank) => 1 / (rank + 1) ** ZIPFIAN_THETA);
  const zeta = sum(weights);
  return weights.map((weight) => weight / zeta);
}

describe('zipfian ranks', () => {
  const expected = expectedShares(RANKS);
  const zipfian = new Zipfian(RANKS, seeded(1));
  const found = sharesOf(() => zipfian.next(), RANKS, DRAWS);

  it.each([0, 1])('draws rank %i as often as the law says', (rank) => {
    expect(found[rank]).toBeCloseTo(expected[rank] ?? 0, 2);
  });

  it.each([5, 10, 50, 100, 500])('draws the first %i ranks together as often as the law says', (ranks) => {
    expect(Math.abs(sum(found.slice(0, ranks)) - sum(expected.slice(0, ranks)))).toBeLessThan(0.025);
  });

  it('draws nothing but its ranks, whatever chance says', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 10_000 }), chance, (items, u) => {
        const rank = new Zipfian(items, () => u).next();
        expect(Number.isInteger(rank) && rank >= 0 && rank < items).toBe(true);
      }),
    );
  });

  it('is, once it has grown, what it would have been from the start', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.integer({ min: 2, max: 500 }), fc.nat(), (a, b, seed) => {
        const grown = new Zipfian(a, seeded(seed));
        grown.grow(b);
        const fresh = new Zipfian(Math.max(a, b), seeded(seed));
        expect(Array.from({ length: 20 }, () => grown.next())).toEqual(Array.from({ length: 20 }, () => fresh.next()));
      }),
    );
  });
});
