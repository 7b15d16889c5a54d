import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actor, dots } from '../core/causality/causality-builders.ts';
import { formatDot } from '../core/causality/dot.ts';
import { type ObjectKey, objectKey, partition } from '../core/ids.ts';
import { DotLog, keysOfDots } from './dot-log.ts';

const p = partition(0);
const other = partition(1);
const a = actor(1);
const key = (name: string): ObjectKey => objectKey('b', name);

describe('the dot log', () => {
  it('names the key of a dot, per partition, and nothing that it was not told', () => {
    const log = new DotLog();
    log.add(p, { actor: a, counter: 3 }, key('x'));
    log.add(p, { actor: a, counter: 5 }, key('y'));
    expect([2, 3, 4, 5, 6].map((counter) => log.keyOf(p, { actor: a, counter }))).toEqual([
      undefined,
      key('x'),
      undefined,
      key('y'),
      undefined,
    ]);
    expect(log.keyOf(other, { actor: a, counter: 3 })).toBeUndefined();
  });

  it('forgets the oldest that all others have, up to the first that one of them lacks', () => {
    const log = new DotLog();
    for (let counter = 1; counter <= 5; counter++) log.add(p, { actor: a, counter }, key(`${counter}`));
    log.forgetKnown(p, [dots('1.1.1', '1.1.2', '1.1.4'), dots('1.1.1', '1.1.2', '1.1.3')]);
    expect(log.size).toBe(3);
    expect(log.keyOf(p, { actor: a, counter: 2 })).toBeUndefined();
    expect(log.keyOf(p, { actor: a, counter: 3 })).toBe(key('3'));
    log.forgetKnown(p, []);
    expect(log.size).toBe(0);
  });

  it('tells the deletions of a key, for as long as it names their dots', () => {
    const log = new DotLog();
    log.add(p, { actor: a, counter: 1 }, key('x'));
    log.add(p, { actor: a, counter: 2 }, key('x'), true);
    log.add(p, { actor: a, counter: 3 }, key('y'), true);
    log.add(p, { actor: a, counter: 5 }, key('x'), true);
    expect(log.deletionsOf(p, key('x'))).toEqual(dots('1.1.2', '1.1.5'));
    expect([log.deletionsOf(p, key('z')), log.deletionsOf(other, key('x'))]).toEqual([[], []]);
    log.forgetKnown(p, [dots('1.1.1', '1.1.2', '1.1.3')]);
    expect(log.deletionsOf(p, key('x'))).toEqual(dots('1.1.5'));
    expect(log.deletionsOf(p, key('y'))).toEqual([]);
    // Far ahead of the others, which are given up.
    log.add(p, { actor: a, counter: 9999 }, key('x'), true);
    expect(log.deletionsOf(p, key('x'))).toEqual(dots('1.1.9999'));
  });

  it('keeps within its limit, whatever comes, and never names a wrong key', () => {
    const told = fc.record({
      p: fc.nat(1),
      actor: fc.integer({ min: 1, max: 2 }),
      counter: fc.integer({ min: 1, max: 5000 }),
    });
    fc.assert(
      fc.property(fc.array(told, { maxLength: 200 }), (list) => {
        const log = new DotLog(50);
        for (const one of list) {
          const named = { actor: actor(one.actor), counter: one.counter };
          log.add(partition(one.p), named, key(`${one.p}/${formatDot(named)}`));
          // Gaps count: a limit that they could pass would be none.
          expect(log.size).toBeLessThanOrEqual(50 + 1025);
        }
        for (const one of list) {
          const named = { actor: actor(one.actor), counter: one.counter };
          const found = log.keyOf(partition(one.p), named);
          if (found !== undefined) expect(found).toBe(key(`${one.p}/${formatDot(named)}`));
        }
      }),
    );
  });

  it('gathers dots by key, or says that it does not know one', () => {
    const log = new DotLog();
    log.add(p, { actor: a, counter: 1 }, key('x'));
    log.add(p, { actor: a, counter: 2 }, key('y'));
    log.add(p, { actor: a, counter: 3 }, key('x'));
    const asked = [1, 2, 3].map((counter) => ({ actor: a, counter }));
    expect([...(keysOfDots(log, p, asked, 3) ?? [])]).toEqual([
      [key('x'), [asked[0], asked[2]]],
      [key('y'), [asked[1]]],
    ]);
    expect(keysOfDots(log, p, [{ actor: a, counter: 4 }], 1)).toBeUndefined();
  });

  it('names a key with all of its dots, also with those behind the limit', () => {
    const log = new DotLog();
    for (const [counter, name] of ['x', 'y', 'x'].entries()) log.add(p, { actor: a, counter: counter + 1 }, key(name));
    const asked = [1, 2, 3].map((counter) => ({ actor: a, counter }));
    expect([...(keysOfDots(log, p, asked, 1) ?? [])]).toEqual([[key('x'), [asked[0], asked[2]]]]);
    expect(keysOfDots(log, p, [...asked, { actor: a, counter: 9 }], 1)).toBeUndefined();
  });
});
