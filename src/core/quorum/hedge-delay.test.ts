import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEDGE_MS_MAX, HEDGE_MS_MIN, HedgeDelay } from './hedge-delay.ts';

function delayAfter(answersMs: readonly number[]): number {
  const hedge = new HedgeDelay();
  for (const ms of answersMs) hedge.answered(ms);
  return hedge.delayMs;
}

const times = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);
const anyMs = fc.oneof(fc.double({ min: 0, max: 200, noNaN: true }), fc.constantFrom(0, 1, 50, 3000));

describe('a hedging delay', () => {
  it('law 1: is the longest there is until enough was seen', () => {
    fc.assert(
      fc.property(fc.array(anyMs, { maxLength: 63 }), (seen) => {
        expect(delayAfter(seen)).toBe(HEDGE_MS_MAX);
      }),
    );
    expect(delayAfter(times(64, 3))).toBe(3);
  });

  it('laws 1 and 2: is within its bounds, and covers 95 in 100 of the last answers', () => {
    fc.assert(
      fc.property(fc.array(anyMs, { minLength: 64, maxLength: 600, size: 'max' }), (seen) => {
        const delayMs = delayAfter(seen);
        expect(delayMs).toBeGreaterThanOrEqual(HEDGE_MS_MIN);
        expect(delayMs).toBeLessThanOrEqual(HEDGE_MS_MAX);
        const counted = seen.slice(0, seen.length - (seen.length % 64)).slice(-256);
        const covered = counted.filter((ms) => ms <= delayMs).length;
        if (delayMs < HEDGE_MS_MAX) expect(covered).toBeGreaterThanOrEqual(0.95 * counted.length);
        const quicker = counted.filter((ms) => ms < delayMs).length;
        if (delayMs > HEDGE_MS_MIN) expect(quicker).toBeLessThan(0.95 * counted.length);
      }),
    );
  });

  it('is that of the one in twenty', () => {
    expect(delayAfter([...times(244, 2), ...times(12, 20)])).toBe(2);
    expect(delayAfter([...times(240, 2), ...times(16, 20)])).toBe(20);
  });

  it('forgets what is long past', () => {
    expect(delayAfter([...times(256, 40), ...times(256, 2)])).toBe(2);
    expect(delayAfter([...times(256, 2), ...times(64, 40)])).toBe(40);
  });
});
