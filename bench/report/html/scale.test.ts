import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearScale, logScale, ninesScale, type Scale, settingScale } from './scale.ts';

const amount = fc.double({ min: 0.001, max: 1e9, noNaN: true });
const amounts = fc.array(amount, { minLength: 1, maxLength: 20 });

const MAKERS: readonly (readonly [string, (values: readonly number[]) => Scale])[] = [
  ['linear', (values) => linearScale(Math.max(...values), String)],
  ['logarithmic', (values) => logScale(values, String)],
  ['of settings', (values) => settingScale(values, String)],
];

describe.each(MAKERS)('a scale that is %s', (_, make) => {
  it('is monotone', () => {
    fc.assert(
      fc.property(amounts, (values) => {
        const scale = make(values);
        const places = [...values].sort((a, b) => a - b).map((value) => scale.at(value));
        expect([...places].sort((a, b) => a - b)).toEqual(places);
      }),
    );
  });

  it('has room for every value that it was made for, and for its ticks', () => {
    fc.assert(
      fc.property(amounts, (values) => {
        const scale = make(values);
        for (const value of [...values, ...scale.ticks.map((tick) => tick.value)]) {
          expect(scale.at(value)).toBeGreaterThanOrEqual(-1e-9);
          expect(scale.at(value)).toBeLessThanOrEqual(1 + 1e-9);
        }
      }),
    );
  });

  it('has some ticks, and not too many', () => {
    fc.assert(
      fc.property(amounts, (values) => {
        const { ticks } = make(values);
        expect(ticks.length).toBeGreaterThan(0);
        expect(ticks.length).toBeLessThanOrEqual(Math.max(14, values.length));
      }),
    );
  });
});

describe('scales', () => {
  it('that are linear start at nought, even of nothing', () => {
    expect(linearScale(930, String, 4).ticks.map(({ value }) => value)).toEqual([0, 250, 500, 750, 1000]);
    expect(linearScale(0, String).at(0)).toBe(0);
  });

  it('of percentiles have their nines at equal distances', () => {
    const { at } = ninesScale();
    expect(at(99) - at(90)).toBeCloseTo(at(90) - at(0), 9);
    expect(at(99.99) - at(99.9)).toBeCloseTo(at(90) - at(0), 9);
    expect(at(100)).toBe(1);
  });

  it('that are logarithmic survive values of nought', () => {
    const scale = logScale([0, 10, 100], String);
    expect(scale.at(0)).toBe(scale.at(10));
    expect(logScale([], String).ticks.length).toBeGreaterThan(1);
  });
});
