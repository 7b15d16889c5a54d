import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actor, bytesOf, dot, dots, siblingOf, textsOf } from './causality-builders.ts';
import { type Container, EMPTY_CONTAINER, fill, merge, strip } from './container.ts';
import { type Dot, formatDot } from './dot.ts';
import { type DotSet, EMPTY_DOTS, hasDot, union } from './dot-set.ts';
import { bearingOn, judgedBy } from './exchange.ts';
import { applyRemote, coordinateWrite } from './replica-update.ts';

const KEYS = ['a', 'b', 'c'];

/** An owner's copy of a partition. */
class Copy {
  readonly stored = new Map<string, Container>();
  clock: DotSet = EMPTY_DOTS;

  at(key: string): Container {
    return this.stored.get(key) ?? EMPTY_CONTAINER;
  }

  write(key: string, by: number, value: string | undefined, context: DotSet | undefined): [Container, Dot] {
    const version = value === undefined ? undefined : bytesOf(value);
    const update = coordinateWrite(this.at(key), this.clock, actor(by), version, context);
    this.stored.set(key, update.stored);
    this.clock = update.clock;
    return [update.filled, update.dot];
  }

  take(key: string, remote: Container, named: readonly Dot[]): void {
    const update = applyRemote(this.at(key), this.clock, remote, named);
    if (update === undefined) return;
    this.stored.set(key, update.stored);
    this.clock = update.clock;
  }
}

const step = fc.record({
  at: fc.nat(1),
  key: fc.constantFrom(...KEYS),
  value: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
  context: fc.constantFrom('none', 'seen', 'empty'),
  arrives: fc.boolean(),
});

/** Two owners that write, and hear of only some of each other's writes. */
function diverged(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  const copies = [new Copy(), new Copy()] as const;
  const keyOf = new Map<string, string>();
  for (const { at, key, value, context, arrives } of steps) {
    const [mine, other] = at === 0 ? copies : [copies[1], copies[0]];
    const seen = fill(mine.at(key), mine.clock).context;
    const sent = context === 'none' ? undefined : context === 'seen' ? seen : EMPTY_DOTS;
    const [filled, own] = mine.write(key, at + 1, value, sent);
    keyOf.set(formatDot(own), key);
    if (arrives) other.take(key, filled, [own]);
  }
  return { mine: copies[0], theirs: copies[1], keyOf };
}

describe('an exchange', () => {
  it('leaves what a merge of the whole containers and clocks would leave', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const { mine, theirs, keyOf } = diverged(steps);
        const clock = union(mine.clock, theirs.clock);
        const expected = KEYS.map((key) => {
          const whole = merge(fill(mine.at(key), mine.clock), fill(theirs.at(key), theirs.clock));
          return strip(whole, clock);
        });
        const missing = new Map<string, Dot[]>();
        for (const [name, key] of keyOf) {
          const one = dot(name);
          if (hasDot(theirs.clock, one) && !hasDot(mine.clock, one)) {
            missing.set(key, [...(missing.get(key) ?? []), one]);
          }
        }
        for (const [key, named] of missing) {
          mine.take(key, bearingOn(mine.at(key), theirs.at(key), theirs.clock, named), named);
        }
        expect(mine.clock).toEqual(clock);
        expect(KEYS.map((key) => textsOf(mine.at(key).siblings.map((s) => s.dot)))).toEqual(
          expected.map(({ siblings }) => textsOf(siblings.map((s) => s.dot))),
        );
        for (const key of KEYS) expect(strip(mine.at(key), mine.clock).context).toEqual([]);
      }),
    );
  });

  it('covers nothing but what bears on the key', () => {
    const mine = { siblings: [siblingOf(dot('1.1.1')), siblingOf(dot('1.1.9'))], context: dots('1.1.1', '1.1.9') };
    const theirs = { siblings: [siblingOf(dot('2.1.4'))], context: EMPTY_DOTS };
    const theirClock = dots('1.1.1', '1.1.2', '2.1.1', '2.1.2', '2.1.3', '2.1.4');
    expect(bearingOn(mine, theirs, theirClock, [dot('2.1.3')]).context).toEqual(dots('1.1.1', '2.1.3', '2.1.4'));
  });
});

describe('a key that a comparison has passed', () => {
  const startClock = dots('2.1.1', '2.1.2');

  it('takes a late copy of a write that the other owner has seen go for gone', () => {
    const late = { siblings: [siblingOf(dot('2.1.1'))], context: dots('2.1.1') };
    const judged = judgedBy(EMPTY_CONTAINER, startClock, [dot('2.1.1')]);
    expect(applyRemote(judged, EMPTY_DOTS, late, [dot('2.1.1')])?.stored.siblings).toEqual([]);
    expect(applyRemote(EMPTY_CONTAINER, EMPTY_DOTS, late, [dot('2.1.1')])?.stored.siblings).toHaveLength(1);
  });

  it('takes what is new to the other owner as ever, and keeps what it holds', () => {
    const held = { siblings: [siblingOf(dot('2.1.2'))], context: EMPTY_DOTS };
    expect(judgedBy(held, startClock, [dot('2.1.2'), dot('3.1.1')])).toBe(held);
  });
});
