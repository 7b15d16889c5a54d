import fc from 'fast-check';
import { logIndex, memberNumber } from '../ids.ts';
import type { Container, Sibling } from './container.ts';
import { type Actor, actorOf, compareDots, type Dot, formatDot, parseDot } from './dot.ts';
import { type DotSet, dotSetOf, EMPTY_DOTS, floorOf, union } from './dot-set.ts';

/** Values for tests, written short. */
export const actor = (member: number, grant = 1): Actor => actorOf(memberNumber(member), logIndex(grant));

/** The dot of its text, `member.grant.counter`. */
export function dot(text: string): Dot {
  const parsed = parseDot(text);
  if (parsed === undefined) throw new Error(`not a dot: ${text}`);
  return parsed;
}

export const dots = (...texts: string[]): DotSet => dotSetOf(texts.map(dot));
/** Every dot of the member's actors with this grant or a lower one. */
export const floor = (member: number, grant: number): DotSet => floorOf(memberNumber(member), logIndex(grant));
export const textsOf = (set: Iterable<Dot>): string[] => [...set].map(formatDot).sort();

/** A value's bytes; one dot names one value, so that the dot's text makes a good one. */
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
export const siblingOf = (at: Dot): Sibling => ({ dot: at, version: bytesOf(formatDot(at)) });

/** A container with these siblings, its context all of `context` and the siblings' dots. */
export function containerOf(siblings: readonly Dot[], context: DotSet = EMPTY_DOTS): Container {
  const unique = [...new Map(siblings.map((at) => [formatDot(at), at])).values()].toSorted(compareDots);
  return { siblings: unique.map(siblingOf), context: union(context, dotSetOf(siblings)) };
}

const anyActor = fc.constantFrom(actor(1), actor(1, 7), actor(2), actor(300, 70_000), actor(2 ** 20 - 1, 2 ** 32 - 1));
const anyCounter = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 1, arbitrary: fc.integer({ min: Number.MAX_SAFE_INTEGER - 5, max: Number.MAX_SAFE_INTEGER }) },
);

/** Few actors and small counters, so that sets meet, touch and leave gaps; now and then the largest there are. */
export const anyDot: fc.Arbitrary<Dot> = fc.record({ actor: anyActor, counter: anyCounter });
export const anyDots: fc.Arbitrary<Dot[]> = fc.array(anyDot, { maxLength: 24, size: 'max' });
export const anyDotSet: fc.Arbitrary<DotSet> = anyDots.map(dotSetOf);
export const anyFloor: fc.Arbitrary<{ readonly member: number; readonly grant: number }> = fc.constantFrom(
  { member: 1, grant: 1 },
  { member: 1, grant: 3 },
  { member: 1, grant: 7 },
  { member: 2, grant: 1 },
  { member: 300, grant: 69_999 },
  { member: 300, grant: 70_000 },
  { member: 7, grant: 2 },
);
/** With floors. */
export const anyClock: fc.Arbitrary<DotSet> = fc
  .tuple(anyDotSet, fc.array(anyFloor, { maxLength: 2 }))
  .map(([set, floors]) => floors.map(({ member, grant }) => floor(member, grant)).reduce(union, set));
/** A filled container. */
export const anyContainer: fc.Arbitrary<Container> = fc
  .tuple(fc.array(anyDot, { maxLength: 6, size: 'max' }), anyDotSet)
  .map(([siblings, context]) => containerOf(siblings, context));

/** Bytes near those of `encodings`: one changed, removed, doubled or cut off; or anything at all. */
export function damaged(encodings: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const near = fc
    .tuple(encodings, fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 4 }))
    .map(([bytes, where, byte, how]) => {
      const at = where % Math.max(1, bytes.length);
      const [before, after] = [[...bytes.slice(0, at)], [...bytes.slice(at + 1)]];
      const middles = [[byte], [], [bytes[at] ?? 0, byte], [(bytes[at] ?? 0) | 0x80, 0]];
      return Uint8Array.from([...before, ...(middles[how] ?? []), ...(how === 4 ? [] : after)]);
    });
  return fc.oneof({ weight: 4, arbitrary: near }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) });
}
