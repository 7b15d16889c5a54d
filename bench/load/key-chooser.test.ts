import { describe, expect, it } from 'vitest';
import { latest, scrambledZipfian, uniform } from './key-chooser.ts';
import { seeded, sharesOf, sum } from './test-random.ts';

const KEYS = 1000;
const DRAWS = 300_000;

describe('keys drawn uniformly', () => {
  it('are all drawn about equally often', () => {
    const shares = sharesOf(uniform(KEYS, seeded(1)), KEYS, DRAWS);
    expect(Math.min(...shares) * KEYS).toBeGreaterThan(0.7);
    expect(Math.max(...shares) * KEYS).toBeLessThan(1.3);
  });
});

describe('keys drawn by a scrambled zipfian', () => {
  const keys = 100_000;
  const shares = sharesOf(scrambledZipfian(keys, seeded(2)), keys, DRAWS);
  const hottest = shares.map((share, key) => ({ share, key })).sort((a, b) => b.share - a.share);

  it('have a hottest one with the share of the first of ten billion ranks', () => {
    expect(hottest[0]?.share).toBeCloseTo(1 / 26.469, 2);
    expect(hottest[1]?.share).toBeCloseTo(0.5 ** 0.99 / 26.469, 2);
  });

  it('have their hot ones spread over all keys', () => {
    const tenths = new Set(hottest.slice(0, 60).map(({ key }) => Math.floor((key * 10) / keys)));
    expect(tenths.size).toBe(10);
  });

  it('are more than the hot ones alone: the tail reaches most of them', () => {
    expect(shares.filter((share) => share > 0).length).toBeGreaterThan(keys / 2);
  });
});

describe('keys drawn by latest', () => {
  it('are the newest most often, and the older the less', () => {
    const shares = sharesOf(
      latest(() => KEYS, seeded(3)),
      KEYS,
      DRAWS,
    );
    expect(shares[KEYS - 1]).toBe(Math.max(...shares));
    const tenths = Array.from({ length: 10 }, (_, i) => sum(shares.slice(i * 100, (i + 1) * 100)));
    expect(tenths).toEqual([...tenths].sort((a, b) => a - b));
  });

  it('follow the newest as keys are added, and are never newer', () => {
    let count = KEYS;
    const choose = latest(() => count, seeded(4));
    let newest = 0;
    for (let i = 0; i < DRAWS; i++) {
      if (i % 10 === 0) count++;
      const key = choose();
      expect(key < count && key >= 0).toBe(true);
      if (key === count - 1) newest++;
    }
    expect(newest / DRAWS).toBeGreaterThan(0.08);
  });
});
