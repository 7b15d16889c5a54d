import { describe, expect, it } from 'vitest';
import { errorsOf, failedOf, groupBy, isDurable, isLike, kindOf, worstMs } from './comparison.ts';
import { aSample, aSeries } from './report-builders.ts';

describe('the kind of a workload', () => {
  it.each([
    ['PUT w=2', 'write'],
    ['put', 'write'],
    ['SET', 'write'],
    ['GET r=2', 'agreed-read'],
    ['linearizable range', 'agreed-read'],
    ['get consistent', 'agreed-read'],
    ['get default', 'agreed-read'],
    ['GET r=1', 'local-read'],
    ['serializable range', 'local-read'],
    ['get stale', 'local-read'],
    ['GET', 'local-read'],
    ['SET, WAIT 1', 'write'],
    ['GET at the primary', 'agreed-read'],
    ['consistent read', 'agreed-read'],
    ['default read', 'agreed-read'],
    ['stale read', 'local-read'],
    ['YCSB A', undefined],
    ['read-modify-write', undefined],
  ])('of %s is %s', (workload, kind) => {
    expect(kindOf({ workload })).toBe(kind);
  });

  it('goes by the read quorum where the series has one', () => {
    expect(kindOf({ workload: 'GET', r: 3 })).toBe('agreed-read');
    expect(kindOf({ workload: 'GET', r: 1 })).toBe('local-read');
  });
});

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
  it('adds up the errors of all repetitions', () => {
    const repetitions = [
      aSample({ errors: { '503': 2, timeout: 0 } }),
      aSample(),
      aSample({ errors: { '503': 1, timeout: 4 } }),
    ];
    expect([...errorsOf({ repetitions })]).toEqual([
      ['503', 3],
      ['timeout', 4],
    ]);
    expect(failedOf({ repetitions })).toBe(7);
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
