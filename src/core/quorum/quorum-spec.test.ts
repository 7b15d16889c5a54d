import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLevel, resolveLevel, resolveQuorum } from './quorum-spec.ts';

describe('parseLevel', () => {
  it.each(['one', 'quorum', 'all'] as const)('reads %s', (word) => {
    expect(parseLevel(word, 1)).toEqual({ kind: 'level', level: word });
  });

  it('reads whole numbers from 1, and 0 only where it is allowed', () => {
    expect(parseLevel('1', 1)).toEqual({ kind: 'level', level: 1 });
    expect(parseLevel('12', 0)).toEqual({ kind: 'level', level: 12 });
    expect(parseLevel('0', 0)).toEqual({ kind: 'level', level: 0 });
    expect(parseLevel('0', 1)).toEqual({ kind: 'malformed' });
  });

  it.each([
    '',
    ' 2',
    '2 ',
    '+2',
    '-1',
    '02',
    '00',
    '2.0',
    '1e1',
    '0x2',
    'ONE',
    'Quorum',
    'quorum ',
    'most',
    '２',
    '2\n',
  ])('refuses %j', (text) => {
    expect(parseLevel(text, 0)).toEqual({ kind: 'malformed' });
  });

  it.each(['local_quorum', 'each_quorum'])('knows that %s is not there yet', (text) => {
    expect(parseLevel(text, 1)).toEqual({ kind: 'not-supported' });
  });
});

describe('resolveLevel', () => {
  it.each([
    [1, 1, 1, 1],
    [2, 1, 2, 2],
    [3, 1, 2, 3],
    [4, 1, 3, 4],
    [5, 1, 3, 5],
  ])('of n = %i: one is %i, quorum %i, all %i', (n, one, quorum, all) => {
    expect([resolveLevel('one', n), resolveLevel('quorum', n), resolveLevel('all', n)]).toEqual([one, quorum, all]);
  });

  it('takes numbers from 1 to n and nothing else', () => {
    expect([1, 2, 3].map((level) => resolveLevel(level, 3))).toEqual([1, 2, 3]);
    for (const level of [0, -1, 4, 1.5, Number.NaN, 1e20]) expect(resolveLevel(level, 3)).toBeUndefined();
  });

  it('makes any two quorums of n overlap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), (n) => {
        const quorum = resolveLevel('quorum', n) ?? 0;
        expect(2 * quorum).toBeGreaterThan(n);
        expect(2 * (quorum - 1)).toBeLessThanOrEqual(n);
      }),
    );
  });
});

describe('resolveQuorum', () => {
  it('resolves both parts', () => {
    expect(resolveQuorum({ total: 'quorum', owners: 0 }, 3)).toEqual({
      kind: 'quorum',
      quorum: { total: 2, owners: 0 },
    });
    expect(resolveQuorum({ total: 'all', owners: 'one' }, 5)).toEqual({
      kind: 'quorum',
      quorum: { total: 5, owners: 1 },
    });
  });

  it('names the part that is above n', () => {
    expect(resolveQuorum({ total: 4, owners: 0 }, 3)).toEqual({
      kind: 'problem',
      part: 'total',
      reason: 'expected 1..3 (n = 3), one, quorum or all, got 4',
    });
    expect(resolveQuorum({ total: 2, owners: 4 }, 3)).toMatchObject({ kind: 'problem', part: 'owners' });
  });

  it('refuses more owners than replicas', () => {
    expect(resolveQuorum({ total: 'one', owners: 'quorum' }, 3)).toEqual({
      kind: 'problem',
      part: 'owners',
      reason: 'expected at most the 1 replicas that must answer, got quorum',
    });
    expect(resolveQuorum({ total: 2, owners: 'quorum' }, 3).kind).toBe('quorum');
  });
});
