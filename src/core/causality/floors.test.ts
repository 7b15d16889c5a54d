import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { logIndex, memberNumber } from '../ids.ts';
import { actor, anyClock, anyDot, anyDots, anyFloor, damaged, dots, floor } from './causality-builders.ts';
import { actorGrant, actorMember, type Dot, sameDot, sameMember } from './dot.ts';
import {
  addDot,
  type DotSet,
  dotCount,
  dotSetOf,
  dotsIn,
  EMPTY_DOTS,
  equalDotSets,
  floorGrant,
  hasDot,
  hasFloor,
  isSubset,
  lastCounter,
  readDotSet,
  restrictedTo,
  runCount,
  subtract,
  union,
  without,
  writeDotSet,
} from './dot-set.ts';

/** What a set with floors is made of, and so what it has: the naive way. */
interface Made {
  readonly dots: readonly Dot[];
  readonly floors: readonly { readonly member: number; readonly grant: number }[];
}

const anyMade: fc.Arbitrary<Made> = fc.record({ dots: anyDots, floors: fc.array(anyFloor, { maxLength: 3 }) });

const setOf = ({ dots: listed, floors }: Made): DotSet =>
  floors.map(({ member, grant }) => floor(member, grant)).reduce(union, dotSetOf(listed));

function isBelow({ floors }: Made, { actor: of }: Dot): boolean {
  return floors.some(({ member, grant }) => actorMember(of) === member && actorGrant(of) <= grant);
}

function isIn(made: Made, one: Dot): boolean {
  return isBelow(made, one) || made.dots.some((listed) => sameDot(listed, one));
}

/** Dots of every actor that the builders know, and of others below and above their floors. */
const probes: fc.Arbitrary<Dot[]> = fc.array(
  fc.oneof(
    anyDot,
    fc
      .tuple(anyFloor, fc.integer({ min: -1, max: 1 }), fc.integer({ min: 1, max: 14 }))
      .map(([{ member, grant }, by, counter]) => ({ actor: actor(member, Math.max(1, grant + by)), counter })),
  ),
  { minLength: 20, maxLength: 40, size: 'max' },
);

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

/** A floor is the first entry of its member, and the only one. */
function expectCanonical(set: DotSet): void {
  set.forEach((entry, at) => {
    const before = set[at - 1];
    if (before === undefined) return;
    expect(entry.actor).toBeGreaterThan(before.actor);
    if (entry.runs[0] === 0) expect(sameMember(before.actor, entry.actor)).toBe(false);
  });
}

describe('a dot set with floors', () => {
  it('law 1: union is associative, commutative, idempotent, with the empty set as its neutral element', () => {
    fc.assert(
      fc.property(anyClock, anyClock, anyClock, (a, b, c) => {
        expect(union(union(a, b), c)).toEqual(union(a, union(b, c)));
        expect(union(a, b)).toEqual(union(b, a));
        expect(union(a, structuredClone(a))).toEqual(a);
        expect(union(EMPTY_DOTS, a)).toEqual(a);
      }),
      { numRuns: 500 },
    );
  });

  it('law 2: agrees with the naive set; only a floor that is not in what is subtracted stays whole', () => {
    fc.assert(
      fc.property(anyMade, anyMade, probes, (left, right, others) => {
        const [a, b] = [setOf(left), setOf(right)];
        for (const one of [...left.dots, ...right.dots, ...others]) {
          const [inA, inB] = [isIn(left, one), isIn(right, one)];
          expect(hasDot(a, one)).toBe(inA);
          expect(hasDot(union(a, b), one)).toBe(inA || inB);
          const member = actorMember(one.actor);
          const staysWhole = isBelow(left, one) && floorGrant(a, member) > floorGrant(b, member);
          expect(hasDot(subtract(a, b), one)).toBe(staysWhole || (inA && !inB));
          if (isSubset(a, b) && inA) expect(inB).toBe(true);
        }
        expect(isSubset(a, b)).toBe(subtract(a, b).length === 0);
        expect(isSubset(a, union(a, b))).toBe(true);
        expect(isSubset(union(a, b), b)).toBe(isSubset(a, b));
      }),
      { numRuns: 1000 },
    );
  });

  it('law 3: equal sets are structurally equal however they came about, and encode to equal bytes', () => {
    fc.assert(
      fc.property(anyMade, anyMade, (left, right) => {
        const all = { dots: [...right.dots, ...left.dots], floors: [...right.floors, ...left.floors] };
        const one = union(setOf(left), setOf(right));
        let other = all.floors.map(({ member, grant }) => floor(member, grant)).reduce(union, EMPTY_DOTS);
        for (const added of all.dots.toReversed()) other = addDot(other, added);
        expect(other).toEqual(one);
        expect(encode(other)).toEqual(encode(one));
        expect(equalDotSets(other, one)).toBe(true);
        expect(equalDotSets(setOf(left), one)).toBe(isSubset(setOf(right), setOf(left)));
      }),
      { numRuns: 500 },
    );
  });

  it('law 4: what is subtracted is not lost together with what is left', () => {
    fc.assert(
      fc.property(anyClock, anyClock, (a, b) => {
        const rest = subtract(a, b);
        expect(union(rest, b)).toEqual(union(a, b));
        expect(subtract(rest, b)).toBe(rest);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps its representation, and changes none of its operands', () => {
    fc.assert(
      fc.property(anyClock, anyClock, anyDot, (a, b, one) => {
        const before = structuredClone([a, b]);
        for (const set of [a, union(a, b), subtract(a, b), addDot(a, one)]) expectCanonical(set);
        if (hasDot(a, one)) expect(addDot(a, one)).toBe(a);
        expect([a, b]).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });

  it('decodes what it encoded, and anything else to an error or to a canonical set of the same bytes', () => {
    fc.assert(
      fc.property(anyClock, (set) => {
        expect(decode(encode(set))).toEqual(set);
      }),
    );
    fc.assert(
      fc.property(damaged(anyClock.map(encode)), (bytes) => {
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

  it('covers none of the dots that it is to be without, and nothing else than before', () => {
    fc.assert(
      fc.property(anyMade, anyDots, probes, (made, listed, others) => {
        const set = setOf(made);
        const rest = without(set, dotSetOf(listed));
        expectCanonical(rest);
        for (const one of listed) expect(hasDot(rest, one)).toBe(false);
        expect(isSubset(rest, set)).toBe(true);
        for (const one of [...made.dots, ...others]) {
          const isUnderGone = listed.some(
            ({ actor: of }) => sameMember(of, one.actor) && isBelow(made, { actor: of, counter: 1 }),
          );
          if (hasDot(set, one) && !isUnderGone && !listed.some((gone) => sameDot(gone, one)))
            expect(hasDot(rest, one)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has one entry in the place of all actors that are below the floor', () => {
    const set = union(dots('1.3.1', '1.3.5', '1.7.2', '1.9.1', '2.4.1'), floor(1, 7));
    expect(set).toEqual(union(floor(1, 7), dots('1.9.1', '2.4.1')));
    expect([set.length, runCount(set), dotCount(set)]).toEqual([3, 3, 2]);
    expect(encode(floor(1, 7))).toHaveLength(4);
  });

  it('knows how far its floors reach', () => {
    const set = union(floor(1, 7), dots('1.9.1', '2.4.1'));
    expect([1, 2, 3].map((member) => floorGrant(set, memberNumber(member)))).toEqual([7, 0, 0]);
    expect([hasFloor(set), hasFloor(dots('1.9.1'))]).toEqual([true, false]);
  });

  it('leaves no counter to an actor below a floor, and every other actor its own', () => {
    const set = union(floor(1, 7), dots('1.9.4'));
    expect([3, 7, 9, 10].map((grant) => lastCounter(set, actor(1, grant)))).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      4,
      0,
    ]);
  });

  it('is restricted to the actors of one member up to a grant', () => {
    const set = union(floor(1, 7), dots('1.9.4', '1.12.1', '2.4.1'));
    expect(restrictedTo(set, memberNumber(1), logIndex(10))).toEqual(union(floor(1, 7), dots('1.9.4')));
    expect(restrictedTo(set, memberNumber(2), logIndex(3))).toEqual(EMPTY_DOTS);
  });

  it('is not enumerated: the dots below a floor have no end', () => {
    expect(() => [...dotsIn(floor(1, 7))]).toThrow('cannot be enumerated');
  });
});
