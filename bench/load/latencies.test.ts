import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newLatencies, percentileCurve, percentileMs, recordMs } from './latencies.ts';

function recorded(values: readonly number[]) {
  const latencies = newLatencies();
  for (const ms of values) recordMs(latencies, ms);
  return latencies;
}

describe('latencies', () => {
  it('keep three digits', () => {
    expect(percentileMs(recorded([12.34]), 50)).toBeCloseTo(12.34, 1);
    expect(percentileMs(recorded([0.125]), 50)).toBe(0.125);
  });

  it('are nothing when nothing was recorded', () => {
    expect(percentileMs(newLatencies(), 99)).toBe(0);
    expect(percentileCurve(newLatencies())).toEqual([]);
  });

  it('take what is beyond the range as its end', () => {
    expect(percentileMs(recorded([1e9]), 100)).toBeGreaterThan(100_000);
    expect(percentileMs(recorded([-1]), 100)).toBe(0);
  });
});

describe('the curve of percentiles', () => {
  it('ascends in both directions and ends with the highest', () => {
    const ms = fc.double({ min: 0, max: 10_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(ms, { minLength: 1, maxLength: 300 }), (values) => {
        const latencies = recorded(values);
        const curve = percentileCurve(latencies);
        for (let i = 1; i < curve.length; i++) {
          expect(curve[i]?.[0]).toBeGreaterThan(curve[i - 1]?.[0] ?? Number.NaN);
          expect(curve[i]?.[1]).toBeGreaterThanOrEqual(curve[i - 1]?.[1] ?? Number.NaN);
        }
        expect(curve.at(-1)).toEqual([100, percentileMs(latencies, 100)]);
      }),
    );
  });

  it('has only points that operations can tell apart', () => {
    const percentilesOf = (count: number) =>
      percentileCurve(recorded(Array.from({ length: count }, (_, i) => i))).map(([p]) => p);
    expect(percentilesOf(10)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(percentilesOf(1000)).toContain(99.9);
    expect(percentilesOf(1000)).not.toContain(99.91);
  });
});
