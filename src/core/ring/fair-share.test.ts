import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FairShares, fairShares, type Share, type ZoneWeights } from './fair-share.ts';

describe('fairShares', () => {
  it('shares by weight when no zone is in the way', () => {
    expect(exact(fairShares([[1], [2], [3], [6]], 64, 2))).toEqual(
      [[64 / 6], [64 / 3], [32], [64]].map(([n]) => [close(n)]),
    );
  });

  it('gives a zone of one small member every partition when there are only as many zones as copies', () => {
    expect(exact(fairShares([[1], [4, 4], [2, 2, 4]], 64, 3))).toEqual([[64], [32, 32], [16, 16, 32]]);
  });

  it('fills a heavy zone only up to one copy of everything, and shares the rest among the others', () => {
    expect(exact(fairShares([[9, 9], [1], [1], [2]], 64, 2))).toEqual([[32, 32], [16], [16], [32]]);
  });

  it('lifts a light zone to one copy of everything when there are fewer zones than copies', () => {
    expect(exact(fairShares([[1], [4, 4, 4]], 60, 3))).toEqual([[60], [40, 40, 40]]);
  });

  it('gives no member a partition twice, however heavy it is', () => {
    expect(exact(fairShares([[100, 1, 1]], 64, 2))).toEqual([[64, 32, 32]]);
  });

  it('gives everything to everyone when there are as many copies as members', () => {
    expect(exact(fairShares([[1, 4], [2]], 8, 3))).toEqual([[8, 8], [8]]);
  });

  it('adds up to Q x copies, no member above Q (law 1)', () => {
    forAll(({ partitions, copies }, shares) => {
      const all = shares.members.flat();
      expect(total(all)).toBeCloseTo(partitions * copies, 6);
      expect(total(shares.zones)).toBeCloseTo(partitions * copies, 6);
      for (const share of all) expect(share.exact).toBeLessThanOrEqual(partitions);
      for (const [zone, members] of shares.members.entries()) {
        expect(total(members)).toBeCloseTo(shares.zones[zone]?.exact ?? -1, 6);
      }
    });
  });

  it('keeps what the zone rule asks of totals (law 2)', () => {
    forAll(({ zones, partitions, copies }, shares) => {
      for (const { exact: share } of shares.zones) {
        if (zones.length >= copies) expect(share).toBeLessThanOrEqual(partitions);
        if (zones.length <= copies) expect(share).toBeGreaterThanOrEqual(partitions);
      }
    });
  });

  it('is max-min fair by weight: nobody can be given more at the cost of one who has more per weight (law 3)', () => {
    forAll(({ zones, partitions, copies }, shares) => {
      const all = zones.flatMap((weights, zone) =>
        weights.map((weight, index) => ({ zone, weight, share: shares.members[zone]?.[index]?.exact ?? -1 })),
      );
      for (const a of all) {
        for (const b of all) {
          if (a.share / a.weight >= b.share / b.weight - 1e-9) continue;
          const zoneShare = (zone: number): number => shares.zones[zone]?.exact ?? -1;
          const isLimit = (share: number): boolean => Math.abs(share - partitions) < 1e-9;
          const zonesForbid = a.zone !== b.zone && isLimit(zoneShare(zones.length >= copies ? a.zone : b.zone));
          expect(isLimit(a.share) || zonesForbid).toBe(true);
        }
      }
    });
  });

  it('rounds an exact whole share to itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 16 }), (members, power) => {
        const [zone] = fairShares([new Array<number>(members).fill(7)], 2 ** power, members).members;
        for (const share of zone ?? []) expect([share.floor, share.ceil]).toEqual([2 ** power, 2 ** power]);
      }),
    );
  });
});

interface Case {
  readonly zones: readonly ZoneWeights[];
  readonly partitions: number;
  readonly copies: number;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    zones: fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 5,
    }),
    partitions: fc.integer({ min: 0, max: 8 }).map((power) => 2 ** power),
    copies: fc.integer({ min: 0, max: 6 }),
  })
  .map((drawn) => ({ ...drawn, copies: Math.min(drawn.copies, drawn.zones.flat().length) }));

function forAll(check: (drawn: Case, shares: FairShares) => void): void {
  const property = fc.property(cases, (drawn) => check(drawn, fairShares(drawn.zones, drawn.partitions, drawn.copies)));
  fc.assert(property, { numRuns: 500 });
}

function exact(shares: FairShares): number[][] {
  return shares.members.map((members) => members.map((share) => share.exact));
}

function total(shares: readonly Share[]): number {
  return shares.reduce((sum, share) => sum + share.exact, 0);
}

function close(number: number | undefined): unknown {
  return expect.closeTo(number ?? -1, 9);
}
