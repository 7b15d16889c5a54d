/** The checker finds what it is there to find, and nothing else. */
import { describe, expect, it } from 'vitest';
import { checkKey, type Showing, type Violation } from './check-ledger.ts';
import type { KeyHistory, Read, Write } from './ledger.ts';

const write = (id: string, startMs: number, more: Partial<Write> = {}): Write => ({
  ...{ id, kind: 'put', isBlind: false, seen: [], startMs, endMs: startMs + 5, outcome: 'acknowledged' },
  ...more,
});
const blind = (id: string, startMs: number, more: Partial<Write> = {}): Write =>
  write(id, startMs, { isBlind: true, ...more });
const remove = (id: string, startMs: number, seen: readonly string[], more: Partial<Write> = {}): Write =>
  write(id, startMs, { kind: 'delete', seen, ...more });
const read = (startMs: number, ...shown: string[]): Read => ({ startMs, endMs: startMs + 5, shown });

const showing = (by: string, ...ids: string[]): Showing => ({
  ...{ by, look: 'through nodes', ids, etag: ids.join(), context: 'c' },
});
const history = (writes: readonly Write[], reads: readonly Read[] = []): KeyHistory => ({
  ...{ key: 'k', isStrict: true, writes, reads },
});

/** What is found when all nodes show the same values. */
function found(writes: readonly Write[], shown: readonly string[], reads: readonly Read[] = []): Violation['kind'][] {
  const showings = [showing('n1', ...shown), showing('n2', ...shown)];
  return checkKey(history(writes, reads), showings).map(({ kind }) => kind);
}

describe('an acknowledged put that is gone', () => {
  it('is lost', () => {
    expect(found([write('a', 0)], [])).toEqual(['lost']);
    expect(found([write('a', 0), write('b', 10)], ['b'])).toEqual(['lost']);
  });

  it('is lost when only some nodes still show it', () => {
    const showings = [showing('n1', 'a'), showing('n2')];
    expect(checkKey(history([write('a', 0)]), showings).map(({ kind }) => kind)).toEqual(['lost', 'disagreement']);
  });

  it('is not lost when a write that is there had been shown it, directly or over others', () => {
    const chain = [write('a', 0), write('b', 10, { seen: ['a'], outcome: 'unknown' }), write('c', 20, { seen: ['b'] })];
    expect(found(chain, ['c'])).toEqual([]);
    expect(found(chain.slice(0, 2), ['b'])).toEqual([]);
  });

  it('is lost when the write that had been shown it is not there either', () => {
    expect(found([write('a', 0), write('b', 10, { seen: ['a'], outcome: 'unknown' })], [])).toEqual(['lost']);
  });

  it('is lost when the write that had been shown it was refused', () => {
    expect(found([write('a', 0), write('b', 10, { seen: ['a'], outcome: 'refused' })], [])).toEqual(['lost']);
    expect(found([write('a', 0), remove('d', 10, ['a'], { outcome: 'refused' })], [])).toEqual(['lost']);
  });

  it('is not lost when a delete may have removed it', () => {
    expect(found([write('a', 0), remove('d', 10, ['a'])], [])).toEqual([]);
    expect(found([write('a', 0), remove('d', 10, ['a'], { outcome: 'unknown', endMs: undefined })], [])).toEqual([]);
  });

  it('is lost when the delete had not been shown it', () => {
    expect(found([write('a', 0), write('b', 10), remove('d', 20, ['a'])], [])).toEqual(['lost']);
  });
});

describe('a blind write', () => {
  it('may have replaced what was there before it or came meanwhile', () => {
    expect(found([write('a', 0), blind('b', 10)], ['b'])).toEqual([]);
    expect(found([blind('a', 0), blind('b', 3)], ['a'])).toEqual([]);
    expect(found([blind('a', 0), blind('b', 3)], ['b'])).toEqual([]);
  });

  it('has not replaced what came after its end', () => {
    expect(found([blind('a', 0), write('b', 10)], ['a'])).toEqual(['lost']);
  });

  it('may replace what comes later, when its outcome is unknown, but must be there then', () => {
    const writes = [blind('a', 0, { outcome: 'unknown' }), write('b', 10)];
    expect(found(writes, ['a'])).toEqual([]);
    expect(found(writes, [])).toEqual(['lost']);
  });

  it('and another at the same time do not excuse each other', () => {
    expect(found([blind('a', 0), blind('b', 3)], [])).toEqual(['lost', 'lost']);
  });
});

describe('a value that was replaced', () => {
  it('must not come back', () => {
    expect(found([write('a', 0), remove('d', 10, ['a'])], ['a'])).toEqual(['back']);
    expect(found([write('a', 0), write('b', 10, { seen: ['a'] })], ['a', 'b'])).toEqual(['back']);
  });

  it('may be there when what replaced it is unknown', () => {
    expect(found([write('a', 0), remove('d', 10, ['a'], { outcome: 'unknown' })], ['a'])).toEqual([]);
  });
});

describe('a value', () => {
  it('that nobody wrote, or whose write was refused, is found wherever it is shown', () => {
    expect(found([write('a', 0)], ['a', 'x'])).toEqual(['invented']);
    const refused = [write('a', 0), write('b', 10, { outcome: 'refused' })];
    expect(found(refused, ['a', 'b'])).toEqual(['invented']);
    expect(found(refused, ['a'], [read(20, 'a', 'b')])).toEqual(['invented']);
  });

  it('whose write is unknown may show, or not', () => {
    expect(found([write('a', 0, { outcome: 'unknown' })], ['a'])).toEqual([]);
    expect(found([write('a', 0, { outcome: 'unknown' })], [])).toEqual([]);
  });
});

describe('a strict read', () => {
  it('that misses what was acknowledged before it is stale', () => {
    expect(found([write('a', 0)], ['a'], [read(10)])).toEqual(['stale']);
    expect(found([write('a', 0)], ['a'], [read(3)])).toEqual([]);
  });

  it('that shows what was replaced before it is stale', () => {
    const writes = [write('a', 0), write('b', 10, { seen: ['a'] })];
    expect(found(writes, ['b'], [read(20, 'a')])).toEqual(['stale', 'stale']);
    expect(found(writes, ['b'], [read(12, 'a')])).toEqual([]);
  });

  it('is excused by a delete that had begun by its end, and by no later one', () => {
    const writes = [write('a', 0), remove('d', 30, ['a'])];
    expect(found(writes, [], [read(28)])).toEqual([]);
    expect(found(writes, [], [read(20)])).toEqual(['stale']);
  });

  it('is not asked for more when stand-ins may answer', () => {
    const sloppy = { ...history([write('a', 0)], [read(10)]), isStrict: false };
    expect(checkKey(sloppy, [showing('n1', 'a')])).toEqual([]);
  });
});

describe('nodes that show different things', () => {
  it.each([
    ['values', { ids: ['b'] }],
    ['dots', { etag: 'other' }],
    ['contexts', { context: 'other' }],
  ])('disagree on %s', (_, difference) => {
    const writes = [write('a', 0, { outcome: 'unknown' }), write('b', 0, { outcome: 'unknown' })];
    const showings = [showing('n1', 'a'), showing('n2', 'a'), { ...showing('n3', 'a'), ...difference }];
    expect(checkKey(history(writes), showings).map(({ kind }) => kind)).toEqual(['disagreement']);
  });

  it('agree when contexts differ from one look to the next, and not when they differ at one', () => {
    const writes = [write('a', 0, { outcome: 'unknown' })];
    const copy = (by: string, context: string): Showing => ({ ...showing(by, 'a'), look: 'own copies', context });
    const through = [showing('n1', 'a'), showing('n2', 'a')];
    expect(checkKey(history(writes), [copy('n1', 'before'), copy('n2', 'before'), ...through])).toEqual([]);
    expect(checkKey(history(writes), [copy('n1', 'c'), copy('n2', 'before'), ...through])).toHaveLength(1);
  });

  it('are not found by asking nobody: that is found too', () => {
    expect(checkKey(history([write('a', 0, { outcome: 'unknown' })]), [])).toHaveLength(1);
  });
});
