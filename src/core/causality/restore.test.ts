import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actor, anyClock, anyContainer, bytesOf, containerOf, dot, dots, floor } from './causality-builders.ts';
import {
  type Container,
  decodeContainer,
  dotsOf,
  EMPTY_CONTAINER,
  encodeContainer,
  fill,
  isVoid,
  merge,
  strip,
  withoutLacks,
} from './container.ts';
import { type DotSet, EMPTY_DOTS, isSubset, subtract, union } from './dot-set.ts';
import { bearingOn, judgedBy } from './exchange.ts';
import { mend } from './mend.ts';
import { applyRemote, coordinateWrite } from './replica-update.ts';
import { completed, restored } from './restore.ts';

const before = dot('1.1.1');
const after = dot('2.1.1');
/** The write of another key of the partition. */
const elsewhere = dot('2.1.2');

/** An owner's copy of one key. */
interface Copy {
  readonly stored: Container;
  readonly clock: DotSet;
}

/** What a full comparison brings of another owner's copy. */
function compared(mine: Copy, theirs: Copy): Copy {
  const remote = bearingOn(mine.stored, theirs.stored, theirs.clock, []);
  const update = applyRemote(mine.stored, mine.clock, remote, []) ?? mine;
  return { stored: update.stored, clock: union(update.clock, theirs.clock) };
}

const filled = ({ stored, clock }: Copy): Container => withoutLacks(fill(stored, clock));
const withSiblings = (clock: DotSet, { siblings }: Container): DotSet =>
  union(clock, dotsOf({ siblings, context: EMPTY_DOTS }));

describe('a record that is had again from some of its owners', () => {
  it('law 1: claims what they claimed, and all that the clock does only when that is all', () => {
    fc.assert(
      fc.property(anyClock, anyContainer, (clock, theirs) => {
        const { stored } = restored(clock, theirs, false);
        expect(withoutLacks(fill(stored, withSiblings(clock, theirs)))).toEqual(
          stored.lacks === undefined ? fill(theirs, clock) : theirs,
        );
        expect(stored.lacks ?? EMPTY_DOTS).toEqual(subtract(clock, theirs.context));
        const whole = restored(clock, theirs, true).stored;
        expect(fill(whole, clock).context).toEqual(union(clock, theirs.context));
      }),
    );
  });

  it('law 2: loses nothing that another owner has, however often those who were asked compare meanwhile', () => {
    fc.assert(
      fc.property(anyClock, anyContainer, anyContainer, fc.array(fc.boolean()), (clock, theirs, away, turns) => {
        const { stored } = restored(clock, theirs, false);
        let lost: Copy = { stored, clock: withSiblings(clock, theirs) };
        let told: Copy = { stored: strip(theirs, theirs.context), clock: theirs.context };
        for (const turn of turns) {
          if (turn) told = compared(told, lost);
          else lost = compared(lost, told);
        }
        const expected = merge(theirs, away).siblings;
        expect(merge(filled(lost), away).siblings).toEqual(expected);
        expect(merge(filled(told), away).siblings).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('law 3: lacks nothing any more once others were heard that have all of the clock, or all were', () => {
    fc.assert(
      fc.property(anyClock, anyContainer, anyContainer, (clock, theirs, others) => {
        const { stored } = restored(clock, theirs, false);
        if (stored.lacks === undefined) {
          expect(completed(stored, clock, others, true)).toBeUndefined();
          return;
        }
        const own = withSiblings(clock, theirs);
        const siblings = merge(theirs, others).siblings;
        for (const update of [completed(stored, own, others, true), completed(stored, own, fill(others, own), false)]) {
          expect(update?.stored.lacks).toBeUndefined();
          expect(isSubset(update?.stored.context ?? own, union(theirs.context, union(others.context, own)))).toBe(true);
        }
        expect(completed(stored, own, others, true)?.stored.siblings).toEqual(siblings);
      }),
    );
  });

  it('shows what it overwrote until the owner that was away is back, and then what overwrote it', () => {
    const clock = dots('1.1.1', '2.1.1');
    const third = containerOf([before]);
    const { stored } = restored(clock, third, false);
    const away = { stored: strip(containerOf([after], dots('1.1.1')), clock), clock };
    expect(merge(filled({ stored, clock }), filled(away)).siblings).toEqual(containerOf([after]).siblings);
    // With the clock's word for it, both would be gone.
    const claimed = restored(clock, third, true).stored;
    expect(merge(filled({ stored: claimed, clock }), filled(away)).siblings).toEqual([]);
    const back = compared({ stored, clock }, away);
    expect(back.stored).toEqual({ siblings: containerOf([after]).siblings, context: EMPTY_DOTS });
  });
});

describe('a record that lacks something', () => {
  const clock = dots('1.1.1', '2.1.1', '2.1.2');
  const { stored } = restored(clock, containerOf([before]), false);

  it('is stored with it, though nothing else is in it', () => {
    const empty = restored(clock, EMPTY_CONTAINER, false).stored;
    expect([stored.lacks, isVoid(empty)]).toEqual([dots('2.1.1', '2.1.2'), false]);
    for (const each of [stored, empty]) {
      const bytes = Uint8Array.from(encodeContainer(each));
      const again = decodeContainer(bytes);
      expect([again.lacks, Uint8Array.from(encodeContainer(again))]).toEqual([each.lacks, bytes]);
    }
    expect(strip(fill(stored, clock), clock)).toEqual(stored);
  });

  it('is no record when it lacks nothing, or what it has', () => {
    const bytes = Uint8Array.from(encodeContainer({ siblings: [], context: EMPTY_DOTS }));
    expect(() => decodeContainer(Uint8Array.from([...bytes, 0]))).toThrow('lacks nothing');
    const has = encodeContainer({ siblings: [], context: dots('1.1.1'), lacks: dots('1.1.1') });
    expect(() => decodeContainer(has)).toThrow('lacks nothing');
  });

  it('is overwritten by a client without what is lacking', () => {
    const write = coordinateWrite(stored, clock, actor(3), bytesOf('new'), undefined);
    expect(write.filled).toEqual({ siblings: write.stored.siblings, context: dots('1.1.1', '3.1.1') });
    expect(write.stored.lacks).toEqual(stored.lacks);
    const seen = coordinateWrite(stored, clock, actor(3), bytesOf('new'), clock);
    expect(seen.stored).toEqual({ siblings: seen.filled.siblings, context: EMPTY_DOTS });
  });

  it('makes the record of an owner that takes in its clock lack it too, but of one that had it', () => {
    const lost: Copy = { stored, clock };
    const without = compared({ stored: EMPTY_CONTAINER, clock: EMPTY_DOTS }, lost);
    expect(without.stored.lacks).toEqual(stored.lacks);
    const half = compared({ stored: EMPTY_CONTAINER, clock: dots('1.1.1', '2.1.1') }, lost);
    expect(half.stored).toMatchObject({ siblings: [], lacks: dots('2.1.2') });
    const having = compared({ stored: EMPTY_CONTAINER, clock }, lost);
    expect(having.stored).toEqual(EMPTY_CONTAINER);
  });

  it('takes in what it lacks late in a comparison, though the other owner has seen it go', () => {
    const late = containerOf([after]);
    expect(judgedBy(stored, clock, [after])).toBe(stored);
    expect(applyRemote(judgedBy(stored, clock, [after]), clock, late, [after])?.stored.siblings).toHaveLength(2);
    expect(judgedBy(stored, dots('2.1.9'), [dot('2.1.9')]).lacks).toEqual(stored.lacks);
  });

  it('is not mended from a copy with an equal clock, and mends none: they are not to be equal', () => {
    const other = { siblings: containerOf([after, elsewhere]).siblings, context: EMPTY_DOTS };
    expect([mend(stored, other, clock), mend(other, stored, clock)]).toEqual([stored, other]);
  });

  it('lacks a retired actor as a whole, until others are heard that have folded it too', () => {
    const folded = union(clock, floor(2, 3));
    const { stored: lost } = restored(folded, containerOf([before], dots('2.1.1')), false);
    expect(lost.lacks).toEqual(floor(2, 3));
    expect(completed(lost, folded, fill(EMPTY_CONTAINER, floor(2, 4)), false)?.stored.lacks).toBeUndefined();
  });
});
