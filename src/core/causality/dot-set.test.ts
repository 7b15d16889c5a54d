import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { actor, anyDot, anyDotSet, anyDots, bytesOf, damaged, dot, dots, textsOf } from './causality-builders.ts';
import { actorGrant, actorMember, type Dot, formatDot } from './dot.ts';
import {
  addDot,
  addDots,
  type DotSet,
  dotSetOf,
  EMPTY_DOTS,
  equalDotSets,
  hasDot,
  isEmpty,
  isSubset,
  lastCounter,
  readDotSet,
  runCount,
  subtract,
  union,
  writeDotSet,
} from './dot-set.ts';
import { isAll } from './runs.ts';

/** The dots of the universe that the set has, as the naive set of their texts. Small counters only: the runs are walked. */
function walk(set: DotSet): Set<string> {
  const texts = new Set<string>();
  for (const { actor: of, runs } of set)
    for (let i = 0; i < runs.length; i += 2)
      for (let counter = runs[i] ?? 0; counter <= (runs[i + 1] ?? 0); counter++)
        texts.add(formatDot({ actor: of, counter }));
  return texts;
}

function expectCanonical(set: DotSet): void {
  set.forEach((entry, at) => {
    expect(entry.actor).toBeGreaterThan(set[at - 1]?.actor ?? 0);
    if (isAll(entry.runs)) return;
    expect([entry.runs.length > 0, entry.runs.length % 2]).toEqual([true, 0]);
    entry.runs.forEach((bound, i) => {
      const before = entry.runs[i - 1];
      if (before === undefined) expect(bound).toBeGreaterThanOrEqual(1);
      else expect(bound).toBeGreaterThanOrEqual(i % 2 === 0 ? before + 2 : before);
    });
  });
}

function encode(set: DotSet): Uint8Array {
  const out = new ByteWriter();
  writeDotSet(out, set);
  return Uint8Array.from(out.view());
}

function decode(bytes: Uint8Array): DotSet {
  const source = new ByteReader(bytes);
  const set = readDotSet(source);
  source.end();
  return set;
}

describe('dot set', () => {
  it('law 1: union is associative, commutative, idempotent, with the empty set as its neutral element', () => {
    fc.assert(
      fc.property(anyDotSet, anyDotSet, anyDotSet, (a, b, c) => {
        expect(union(union(a, b), c)).toEqual(union(a, union(b, c)));
        expect(union(a, b)).toEqual(union(b, a));
        expect(union(a, structuredClone(a))).toEqual(a);
        expect(union(a, EMPTY_DOTS)).toEqual(a);
        expect(union(EMPTY_DOTS, a)).toEqual(a);
      }),
    );
  });

  it('law 2: agrees with the naive set of dots on every operation', () => {
    fc.assert(
      fc.property(anyDots, anyDots, anyDot, (left, right, probe) => {
        const [a, b] = [dotSetOf(left), dotSetOf(right)];
        const [naiveA, naiveB] = [new Set(textsOf(left)), new Set(textsOf(right))];
        for (const one of [...left, ...right, probe]) {
          const [inA, inB] = [naiveA.has(formatDot(one)), naiveB.has(formatDot(one))];
          expect(hasDot(a, one)).toBe(inA);
          expect(hasDot(union(a, b), one)).toBe(inA || inB);
          expect(hasDot(subtract(a, b), one)).toBe(inA && !inB);
        }
        expect(walk(a)).toEqual(naiveA);
        expect(walk(union(a, b))).toEqual(new Set([...naiveA, ...naiveB]));
        expect(walk(subtract(a, b))).toEqual(new Set([...naiveA].filter((text) => !naiveB.has(text))));
        expect(isSubset(a, b)).toBe([...naiveA].every((text) => naiveB.has(text)));
        expect(isSubset(a, b)).toBe(isEmpty(subtract(a, b)));
      }),
      { numRuns: 500 },
    );
  });

  it('law 3: equal sets are structurally equal however they came about, and encode to equal bytes', () => {
    fc.assert(
      fc.property(anyDots, anyDots, (left, right) => {
        const [a, b] = [dotSetOf(left), dotSetOf(right)];
        const again = union(dotSetOf(right.toReversed()), dotSetOf(left.toReversed()));
        const byParts = union(subtract(a, b), union(subtract(b, a), subtract(a, subtract(a, b))));
        for (const set of [again, byParts]) {
          expect(set).toEqual(union(a, b));
          expect(encode(set)).toEqual(encode(union(a, b)));
          expect(equalDotSets(set, union(a, b))).toBe(true);
        }
        expect(equalDotSets(a, b)).toBe(isSubset(a, b) && isSubset(b, a));
      }),
    );
  });

  it('keeps its representation: actors and runs ascend, runs neither touch nor overlap, nothing is empty', () => {
    fc.assert(
      fc.property(anyDotSet, anyDotSet, anyDot, (a, b, one) => {
        for (const set of [a, union(a, b), subtract(a, b), addDot(a, one)]) expectCanonical(set);
        expect(hasDot(addDot(a, one), one)).toBe(true);
        expect(walk(addDot(a, one))).toEqual(walk(union(a, dotSetOf([one]))));
      }),
    );
  });

  it('takes many dots as it takes one after the other', () => {
    const many = fc.array(anyDot, { maxLength: 40 });
    fc.assert(
      fc.property(anyDotSet, many, (set, added) => {
        const oneByOne = added.reduce(addDot, set);
        expect(addDots(set, added)).toEqual(oneByOne);
        expect(dotSetOf(added)).toEqual(added.reduce(addDot, EMPTY_DOTS));
        expect(addDots(oneByOne, added)).toBe(oneByOne);
      }),
    );
  });

  it('takes many dots with gaps between them at a cost that grows with their number, not with its square', () => {
    const odd = Array.from({ length: 200_000 }, (_, i): Dot => ({ actor: actor(1), counter: 2 * i + 1 }));
    expect(runCount(addDots(dots('1.1.2', '2.1.1'), odd))).toBe(200_000);
  });

  it('changes none of its operands', () => {
    fc.assert(
      fc.property(anyDotSet, anyDotSet, anyDot, (a, b, one) => {
        const before = structuredClone([a, b]);
        union(a, b);
        subtract(a, b);
        addDot(a, one);
        expect([a, b]).toEqual(before);
      }),
    );
  });

  it('pays for a gap once, not for each write after it', () => {
    let set = dots('1.1.1', '1.1.2');
    for (let counter = 5; counter < 1000; counter++) set = addDot(set, dot(`1.1.${counter}`));
    expect(set).toEqual([{ actor: actor(1), runs: [1, 2, 5, 999] }]);
    expect([runCount(set), runCount(EMPTY_DOTS), runCount(union(set, dots('1.1.3', '1.1.4', '2.1.7')))]).toEqual([
      2, 0, 2,
    ]);
  });

  it('never claims the writes in a gap, as a version vector would', () => {
    const set = dots('1.1.1', '1.1.4');
    expect([hasDot(set, dot('1.1.2')), hasDot(set, dot('1.1.3')), hasDot(set, dot('1.1.5'))]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('knows the highest counter of an actor, 0 of one it has not', () => {
    const set = dots('1.1.1', '1.1.4', '2.1.9');
    expect([lastCounter(set, actor(1)), lastCounter(set, actor(2)), lastCounter(set, actor(1, 2))]).toEqual([4, 9, 0]);
  });

  it('decodes what it encoded', () => {
    fc.assert(
      fc.property(anyDotSet, (set) => {
        expect(decode(encode(set))).toEqual(set);
      }),
    );
  });

  it('writes a base as one distance: seven bytes for an actor with 100,000 writes', () => {
    const of = actor(3, 40);
    expect([...encode([{ actor: of, runs: [1, 100_000] }])]).toEqual([1, 3, 40, 3, 0x9f, 0x8d, 6]);
    expect([actorMember(of), actorGrant(of)]).toEqual([3, 40]);
  });

  it('decodes anything else to an error, or to a canonical set that encodes to the same bytes', () => {
    fc.assert(
      fc.property(damaged(anyDotSet.map(encode)), (bytes) => {
        let set: DotSet;
        try {
          set = decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        expectCanonical(set);
        expect(encode(set)).toEqual(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['actors that do not ascend', [2, 2, 1, 3, 0, 1, 1, 3, 0]],
    ['the same actor twice', [2, 1, 1, 3, 0, 1, 1, 3, 0]],
    ['a floor that is not the first entry of its member', [2, 1, 1, 3, 0, 1, 2, 0]],
    ['a floor twice', [2, 1, 1, 0, 1, 2, 0]],
    ['a base that is none', [1, 1, 1, 1]],
    ['a base written as an exception', [1, 1, 1, 2, 1, 0]],
    ['a counter of zero', [1, 1, 1, 2, 0, 3]],
    ['runs that touch', [1, 1, 1, 5, 4, 1, 0]],
    ['runs that meet', [1, 1, 1, 5, 4, 0, 0]],
    ['more entries than bytes', [200, 1, 1, 1, 3, 0]],
    ['more runs than bytes', [1, 1, 1, 201, 1, 0]],
    ['a member of zero', [1, 0, 1, 3, 0]],
    [
      'a counter above 2^53-1',
      [1, 1, 1, 3, ...encode([{ actor: actor(1), runs: [1, Number.MAX_SAFE_INTEGER] }]).slice(4, -1), 0x1f],
    ],
  ] satisfies [string, number[]][])('refuses %s', (_, bytes) => {
    expect(() => decode(Uint8Array.from(bytes))).toThrow(DecodeError);
  });

  it('reads from a larger message and leaves the rest', () => {
    const source = new ByteReader(Uint8Array.from([...encode(dots('1.1.1')), ...bytesOf('rest')]));
    expect(readDotSet(source)).toEqual(dots('1.1.1'));
    expect(Uint8Array.from(source.rest())).toEqual(bytesOf('rest'));
  });

  it('refuses to add a dot that counts from 0', () => {
    const nought: Dot = { actor: actor(1), counter: 0 };
    expect(() => addDot(EMPTY_DOTS, nought)).toThrow('a dot counts from 1');
    expect(() => dotSetOf(Array(10).fill(nought))).toThrow('a dot counts from 1');
  });
});
