import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median } from './median.ts';

describe('the median', () => {
  it('has as many values below it as above', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(Math.max(below, above) * 2).toBeLessThanOrEqual(values.length);
      }),
    );
  });

  it('is the mean of the two in the middle where there are two, and nothing of nothing', () => {
    expect(median([4, 1, 2, 9])).toBe(3);
    expect(median([])).toBeNaN();
  });
});
