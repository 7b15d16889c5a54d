import { describe, expect, it } from 'vitest';
import type { Series } from './bench-report.ts';
import { errorsOf, failedOf, groupBy, isApart, isDurable, isLike, lineKey, ratioOf, worstMs } from './comparison.ts';
import { aSample, aSeries } from './report-builders.ts';

describe('durability in the words of a store', () => {
  it.each([
    ['flush', true],
    ['fsync by a majority', true],
    ['appendfsync always', true],
    ['in memory, appendfsync always', true],
    ['os', false],
    ['appendfsync everysec', false],
    ['appendfsync no', false],
    ['no fsync', false],
    ['no append-only file', false],
    ['none', false],
    ['appendfsync always, appendfsync everysec', false],
    ['memory', false],
    ['replicated', undefined],
    ['', undefined],
  ])('%s: survives a power cut: %s', (words, expected) => {
    expect(isDurable(words)).toBe(expected);
  });
});

describe('a series', () => {
  it('has the errors that its median adds up', () => {
    const series = aSeries({ median: aSample({ errors: { '503': 3, timeout: 0, '429': 4 } }) });
    expect([...errorsOf(series)]).toEqual([
      ['429', 4],
      ['503', 3],
    ]);
    expect(failedOf(series)).toBe(7);
  });

  it('waited as long as the longest wait of any repetition', () => {
    expect(worstMs({ repetitions: [aSample({ maxMs: 3 }), aSample({ maxMs: 80 }), aSample({ maxMs: 5 })] })).toBe(80);
  });

  it('is like another only in the same setting', () => {
    expect(isLike(aSeries(), aSeries({ target: 'etcd', workload: 'put' }))).toBe(true);
    for (const other of [{ keys: 10 }, { valueBytes: 1 }, { connections: 1 }, { distribution: 'latest' } as const])
      expect(isLike(aSeries(), aSeries(other))).toBe(false);
    expect(isLike(aSeries(), aSeries({ loop: { kind: 'open', ratePerS: 5 } }))).toBe(false);
  });
});

it('groups are in the order of their first members', () => {
  expect([...groupBy([3, 1, 5, 2], (n) => n % 2)]).toEqual([
    [1, [3, 1, 5]],
    [0, [2]],
  ]);
});

describe('two series', () => {
  const spread = (minPerS: number, maxPerS: number, repetitions: number): Series =>
    aSeries({ spread: { minPerS, maxPerS }, repetitions: Array.from({ length: repetitions }, () => aSample()) });

  it('are apart when no repetition of one is among those of the other', () => {
    expect(isApart(spread(1, 5, 4), spread(5, 9, 4))).toBe(false);
    expect(isApart(spread(1, 5, 4), spread(6, 9, 4))).toBe(true);
    expect(isApart(spread(6, 9, 4), spread(1, 5, 4))).toBe(true);
  });

  it('are neither apart nor not when either has fewer than four repetitions', () => {
    expect(isApart(spread(1, 5, 3), spread(6, 9, 4))).toBeUndefined();
    expect(isApart(spread(1, 5, 9), spread(6, 9, 3))).toBeUndefined();
  });

  it('have a ratio that goes from the slowest to the fastest to the other way round', () => {
    const rate = (operationsPerS: number, minPerS: number, maxPerS: number): Series =>
      aSeries({ median: aSample({ operationsPerS }), spread: { minPerS, maxPerS } });
    expect(ratioOf(rate(20, 16, 24), rate(10, 8, 12))).toEqual({ median: 2, least: 16 / 12, most: 3 });
    expect(ratioOf(rate(20, 16, 24), rate(0, 0, 0))).toBeUndefined();
    expect(ratioOf(rate(20, 16, 24), rate(10, 0, 12))?.most).toBe(Number.POSITIVE_INFINITY);
  });

  it('are one line when they differ in nothing but the setting', () => {
    expect(lineKey(aSeries({ keys: 1 }))).toBe(lineKey(aSeries()));
    expect(lineKey(aSeries({ workload: 'put' }))).not.toBe(lineKey(aSeries()));
    expect(lineKey(aSeries({ target: 'etcd' }))).not.toBe(lineKey(aSeries()));
  });
});
