import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { logIndex, memberNumber, type Partition, partition } from '../ids.ts';
import { anyClock, damaged, dot, dots, floor } from './causality-builders.ts';
import { type DotSet, dotSetOf, dotsIn, EMPTY_DOTS, isSubset, union, without, withoutFloors } from './dot-set.ts';
import {
  agreementOf,
  type EndedWrites,
  equalPartitionDots,
  foldable,
  following,
  isSound,
  isStray,
  mayHaveStrays,
  type PartitionDots,
  type Retirement,
  readPartitionDots,
  restrictedEntries,
  withinBytes,
  writePartitionDots,
} from './retirement.ts';

const [p0, p1] = [partition(0), partition(1)];
const [first, second, third] = [1, 2, 3].map(memberNumber) as [never, never, never];
const inPartitions = (...sets: readonly DotSet[]): PartitionDots =>
  new Map(sets.flatMap((set, i) => (set.length === 0 ? [] : [[partition(i), set] as const])));
/** Of the first member up to grant 7. */
const retirement = (entries: PartitionDots): Retirement => ({ member: first, floor: logIndex(7), entries });
const entries = dots('1.3.1', '1.3.2', '1.7.4');

const anyPartitionDots: fc.Arbitrary<PartitionDots> = fc
  .array(fc.tuple(fc.nat({ max: 300 }), anyClock), { maxLength: 5 })
  .map((list) => new Map(list.filter(([, set]) => set.length > 0).map(([at, set]) => [partition(at), set])));

function encode(set: PartitionDots): Uint8Array {
  const out = new ByteWriter();
  writePartitionDots(out, set);
  return Uint8Array.from(out.view());
}

function decode(bytes: Uint8Array): PartitionDots {
  const source = new ByteReader(bytes);
  const set = readPartitionDots(source);
  source.end();
  return set;
}

describe('folding', () => {
  it('waits until the clock covers the entries of the partition', () => {
    const retired = [retirement(inPartitions(entries))];
    expect(foldable(dots('1.3.1', '1.3.2', '1.9.1'), p0, retired)).toEqual(EMPTY_DOTS);
    expect(foldable(union(entries, dots('1.9.1')), p0, retired)).toEqual(floor(1, 7));
    expect(foldable(EMPTY_DOTS, p1, retired)).toEqual(floor(1, 7));
  });

  it('is done once', () => {
    const retired = [retirement(inPartitions(entries))];
    expect(foldable(floor(1, 7), p0, retired)).toEqual(EMPTY_DOTS);
    expect(foldable(floor(1, 9), p0, retired)).toEqual(EMPTY_DOTS);
  });

  it('takes each member for itself', () => {
    const other = { member: second, floor: logIndex(4), entries: inPartitions(dots('2.4.1')) };
    expect(foldable(entries, p0, [retirement(inPartitions(entries)), other])).toEqual(floor(1, 7));
    const all = union(entries, dots('2.4.1'));
    expect(foldable(all, p0, [retirement(inPartitions(entries)), other])).toEqual(union(floor(1, 7), floor(2, 4)));
  });

  it('goes on from the floor before, which stands for its own entries', () => {
    const later = { ...retirement(inPartitions(union(floor(1, 7), dots('1.9.1')))), floor: logIndex(9) };
    expect(foldable(dots('1.3.1', '1.9.1'), p0, [later])).toEqual(EMPTY_DOTS);
    expect(foldable(union(floor(1, 7), dots('1.9.1')), p0, [later])).toEqual(floor(1, 9));
  });
});

describe('a folder that had no say in a retirement', () => {
  const retired = [retirement(inPartitions(entries, dots('1.3.1')))];

  it('may have writes that are claimed as lost when one of its dots is not among the entries', () => {
    expect(mayHaveStrays(dots('1.3.3'), p0, retired)).toBe(true);
    expect(mayHaveStrays(dots('1.3.2'), p0, retired)).toBe(false);
    expect(mayHaveStrays(dots('1.3.2'), p1, retired)).toBe(true);
    expect(mayHaveStrays(dots('1.9.1', '2.3.3'), p0, retired)).toBe(false);
    expect(mayHaveStrays(dots('1.9.1', '2.3.3'), p0, [])).toBe(false);
  });

  it('never has any that the entries themselves name, and has each that is stray', () => {
    fc.assert(
      fc.property(anyClock, anyClock, (clock, agreed) => {
        const told = retirement(inPartitions(agreed));
        const named = [...dotsIn(withoutFloors(clock))];
        const isSafe = !mayHaveStrays(clock, p0, [told]);
        expect(mayHaveStrays(withoutFloors(agreed), p0, [told])).toBe(false);
        if (isSafe) expect(named.some((one) => isStray(told, p0, one))).toBe(false);
      }),
    );
  });

  it('takes a floor among the entries for no word of a single dot', () => {
    expect(mayHaveStrays(dots('1.3.1'), p0, [retirement(inPartitions(floor(1, 3)))])).toBe(true);
    expect(mayHaveStrays(floor(1, 3), p0, [retirement(inPartitions(floor(1, 3)))])).toBe(false);
  });
});

describe('a retirement that follows another one', () => {
  const later = (set: DotSet): Retirement => ({ ...retirement(inPartitions(set)), floor: logIndex(9) });

  it('keeps what the floor of the one before stands for', () => {
    const kept = following(retirement(inPartitions(entries)), later(union(floor(1, 7), dots('1.9.1'))));
    expect(kept).toEqual(later(union(entries, dots('1.9.1'))));
    expect(['1.3.3', '1.9.2', '1.3.2'].map((text) => isStray(kept, p0, dot(text)))).toEqual([true, true, false]);
  });

  it('forgets the oldest actors: what comes of them then is taken for theirs', () => {
    const kept = following(retirement(inPartitions(entries)), later(union(floor(1, 7), dots('1.9.1'))), 2);
    expect(kept).toEqual(later(union(floor(1, 3), dots('1.7.4', '1.9.1'))));
    expect(following(undefined, later(dots('1.9.1')))).toEqual(later(dots('1.9.1')));
  });

  it('can be folded by whoever covers what was told, however many actors have ended since the one before', () => {
    const told = union(floor(1, 7), dots('1.8.1', '1.9.1', '1.9.3', '1.10.1', '1.11.1', '1.12.1', '1.13.1'));
    const kept = following(retirement(inPartitions(entries)), { ...later(told), floor: logIndex(13) });
    expect(foldable(told, p0, [kept])).toEqual(floor(1, 13));
    expect(foldable(without(told, dots('1.8.1')), p0, [kept])).toEqual([]);
    const notFolded = union(entries, dots('1.9.1', '1.10.1', '1.11.1', '1.12.1', '1.13.1'));
    const unfolded = following(retirement(inPartitions(entries)), { ...later(notFolded), floor: logIndex(13) });
    expect(foldable(notFolded, p0, [unfolded])).toEqual(floor(1, 13));
  });
});

describe('a retirement whose entries are too large', () => {
  const bytesOf = (set: PartitionDots): number => encode(set).length;
  const large = (grant: number): DotSet =>
    dotSetOf(Array.from({ length: 50 }, (_, i) => dot(`1.${grant}.${2 * i + 1}`)));

  it('is made of the older ones of its actors', () => {
    const whole = retirement(inPartitions(union(large(3), large(5)), union(large(3), large(7))));
    const older = { ...whole, floor: logIndex(3), entries: inPartitions(large(3), large(3)) };
    expect(withinBytes(whole, bytesOf(whole.entries))).toEqual(whole);
    expect(withinBytes(whole, bytesOf(whole.entries) - 1)).toEqual(older);
    expect(withinBytes(whole, bytesOf(older.entries))).toEqual(older);
  });

  it('goes beyond what has been retired before', () => {
    const whole = retirement(inPartitions(union(floor(1, 2), union(large(3), large(7)))));
    const older = { ...whole, floor: logIndex(3), entries: inPartitions(union(floor(1, 2), large(3))) };
    expect(withinBytes(whole, bytesOf(whole.entries) - 1)).toEqual(older);
  });

  it('is none when those of its oldest actor are too large by themselves', () => {
    expect(withinBytes(retirement(inPartitions(large(3))), 50)).toBeUndefined();
    expect(withinBytes(retirement(inPartitions(union(large(3), large(7)))), 50)).toBeUndefined();
    expect(withinBytes(retirement(inPartitions(union(floor(1, 2), large(3)))), 50)).toBeUndefined();
  });

  it('has all entries up to its floor, and never takes more bytes than it may', () => {
    fc.assert(
      fc.property(anyPartitionDots, fc.integer({ min: 1, max: 60 }), (all, bytesMax) => {
        const whole = retirement(restrictedEntries(all, first, logIndex(7)));
        const within = withinBytes(whole, bytesMax);
        if (within === undefined) return;
        expect(bytesOf(within.entries)).toBeLessThanOrEqual(bytesMax);
        expect(within.entries).toEqual(restrictedEntries(whole.entries, first, within.floor));
      }),
    );
  });
});

describe('a stray', () => {
  it('is of an ended actor and not among the entries', () => {
    const retired = retirement(inPartitions(entries));
    expect(['1.3.2', '1.3.3', '1.5.1', '1.8.1', '2.3.3'].map((text) => isStray(retired, p0, dot(text)))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(isStray(retired, p1, dot('1.3.2'))).toBe(true);
    expect(isStray({ ...retired, entries: inPartitions(floor(1, 5)) }, p0, dot('1.5.1'))).toBe(false);
  });
});

describe('agreement', () => {
  const ownership = [
    [first, second],
    [second, third],
  ];
  const told = (owned: PartitionDots, kept: PartitionDots = new Map()): EndedWrites => ({ owned, kept });
  const answers = (...each: readonly EndedWrites[]) => new Map(each.map((one, i) => [memberNumber(i + 1), one]));

  it('is on what all owners of each partition hold', () => {
    const agreed = answers(
      told(inPartitions(entries)),
      told(inPartitions(entries, dots('1.3.7'))),
      told(inPartitions(EMPTY_DOTS, dots('1.3.7'))),
    );
    expect(agreementOf(agreed, ownership)).toEqual({ kind: 'agreed', entries: inPartitions(entries, dots('1.3.7')) });
  });

  it('is not reached while one owner holds more, or less', () => {
    for (const other of [EMPTY_DOTS, dots('1.3.1'), union(entries, dots('1.3.3')), floor(1, 3)]) {
      const differing = answers(told(inPartitions(entries)), told(inPartitions(other)), told(new Map()));
      expect(agreementOf(differing, ownership)).toEqual({ kind: 'differs', partition: p0 });
    }
  });

  it('is not reached while somebody keeps a write that the owners lack', () => {
    const keeping = (set: DotSet) =>
      answers(told(inPartitions(entries)), told(inPartitions(entries)), told(new Map(), inPartitions(set)));
    expect(agreementOf(keeping(dots('1.3.3')), ownership)).toEqual({ kind: 'hinted', partition: p0 });
    expect(agreementOf(keeping(dots('1.3.2')), ownership)).toEqual({ kind: 'agreed', entries: inPartitions(entries) });
  });
});

describe('entries', () => {
  it('are sound when they are of the retired actors, in partitions that there are', () => {
    const isSoundWith = (set: PartitionDots) => isSound(retirement(set), 2);
    expect(isSoundWith(inPartitions(entries, floor(1, 5)))).toBe(true);
    expect([dots('1.8.1'), dots('2.1.1'), floor(1, 7)].map((set) => isSoundWith(inPartitions(set)))).toEqual([
      false,
      false,
      false,
    ]);
    expect(isSoundWith(new Map<Partition, DotSet>([[partition(2), entries]]))).toBe(false);
    expect(isSoundWith(new Map<Partition, DotSet>([[p0, EMPTY_DOTS]]))).toBe(false);
  });

  it('of fewer actors are part of those of all', () => {
    const older = restrictedEntries(inPartitions(entries, dots('1.7.1')), first, logIndex(3));
    expect(older).toEqual(inPartitions(dots('1.3.1', '1.3.2')));
  });

  it('are equal when they are so in each partition', () => {
    fc.assert(
      fc.property(anyPartitionDots, anyPartitionDots, (a, b) => {
        const isWithin = (x: PartitionDots, y: PartitionDots) =>
          [...x].every(([at, set]) => isSubset(set, y.get(at) ?? EMPTY_DOTS));
        expect(equalPartitionDots(a, structuredClone(a))).toBe(true);
        expect(equalPartitionDots(a, b)).toBe(isWithin(a, b) && isWithin(b, a));
      }),
    );
  });

  it('are decoded as they were encoded, and anything else to an error or to the same bytes', () => {
    fc.assert(
      fc.property(anyPartitionDots, (set) => {
        expect(decode(encode(set))).toEqual(set);
      }),
    );
    fc.assert(
      fc.property(damaged(anyPartitionDots.map(encode)), (bytes) => {
        let set: PartitionDots;
        try {
          set = decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        expect(encode(set)).toEqual(bytes);
      }),
      { numRuns: 1000 },
    );
  });
});
