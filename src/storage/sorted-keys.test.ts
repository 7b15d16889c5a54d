import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys, type ObjectKey } from '../core/ids.ts';
import { SortedKeys } from './sorted-keys.ts';
import { key } from './storage-builders.ts';

const anyKey = fc.string({ unit: 'binary', maxLength: 4 }).map(key);
const anySteps = fc.array(
  fc.record({ added: fc.array(anyKey, { maxLength: 20 }), after: fc.option(anyKey, { nil: undefined }) }),
  { maxLength: 8 },
);

describe('the sorted keys of a map', () => {
  it('are those that it has at each question, in byte order', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const map = new Map<ObjectKey, number>();
        const sorted = new SortedKeys(map);
        for (const [i, { added, after }] of steps.entries()) {
          for (const one of added) map.set(one, i);
          const expected = [...map.keys()].filter((one) => after === undefined || compareKeys(one, after) > 0);
          expect([...sorted.behind(after)]).toEqual(expected.sort(compareKeys));
        }
      }),
    );
  });

  it('are those of the moment of the question, whatever comes while they are taken', () => {
    const map = new Map(['a', 'c'].map((name) => [key(name), 0]));
    const sorted = new SortedKeys(map);
    const taken: ObjectKey[] = [];
    for (const one of sorted.behind(undefined)) {
      taken.push(one);
      map.set(key('b'), 0);
      expect([...sorted.behind(undefined)]).toHaveLength(3);
    }
    expect(taken).toEqual(['a', 'c'].map(key));
  });
});
