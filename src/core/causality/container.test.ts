import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { logIndex, memberNumber } from '../ids.ts';
import {
  anyClock,
  anyContainer,
  anyDot,
  anyDotSet,
  bytesOf,
  containerOf,
  damaged,
  dot,
  dots,
  siblingOf,
} from './causality-builders.ts';
import {
  type Container,
  decodeContainer,
  dotsOf,
  EMPTY_CONTAINER,
  encodeContainer,
  fill,
  isVoid,
  lacking,
  merge,
  readContainer,
  sameSiblings,
  strip,
  withoutLacks,
  write,
  writeContainer,
} from './container.ts';
import { actorOf, type Dot, formatDot, sameDot } from './dot.ts';
import { type DotSet, dotSetOf, EMPTY_DOTS, hasDot, isSubset, subtract, union } from './dot-set.ts';

const has = (container: Container, at: Dot) => container.siblings.some((sibling) => sameDot(sibling.dot, at));
const encode = (container: Container) => Uint8Array.from(encodeContainer(container));

describe('container', () => {
  it('law 1: merge is associative, commutative and idempotent (H5)', () => {
    fc.assert(
      fc.property(anyContainer, anyContainer, anyContainer, (a, b, c) => {
        expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
        expect(merge(a, b)).toEqual(merge(b, a));
        expect(merge(a, structuredClone(a))).toEqual(a);
        expect(merge(merge(a, b), b)).toEqual(merge(a, b));
        expect(merge(a, EMPTY_CONTAINER)).toEqual(a);
      }),
      { numRuns: 500 },
    );
  });

  it('law 2: keeps a sibling that both have, or that one has and the other does not cover', () => {
    fc.assert(
      fc.property(anyContainer, anyContainer, (a, b) => {
        const merged = merge(a, b);
        for (const { dot: at } of [...a.siblings, ...b.siblings]) {
          const kept =
            (has(a, at) && has(b, at)) ||
            (has(a, at) && !hasDot(b.context, at)) ||
            (has(b, at) && !hasDot(a.context, at));
          expect(has(merged, at)).toBe(kept);
        }
        for (const { dot: at } of merged.siblings) expect(has(a, at) || has(b, at)).toBe(true);
        expect(merged.context).toEqual(union(a.context, b.context));
      }),
      { numRuns: 500 },
    );
  });

  it('law 3: the context covers every sibling, and stripping undoes filling', () => {
    fc.assert(
      fc.property(anyContainer, anyContainer, anyDotSet, anyDot, anyDotSet, (a, b, clock, at, context) => {
        const filled = [merge(a, b), fill(a, clock), write(a, at, bytesOf('x'), context).container];
        for (const container of filled) expect(isSubset(dotsOf(container), container.context)).toBe(true);
        const stored = strip(fill(a, clock), clock);
        expect(strip(fill(stored, clock), clock)).toEqual(stored);
        expect(subtract(stored.context, clock)).toEqual(stored.context);
      }),
    );
  });

  it('law 3: of a clock with many holes the context is left as it is, and stripped once they are filled', () => {
    const actor = actorOf(memberNumber(1), logIndex(1));
    const every = (step: number): DotSet =>
      dotSetOf(Array.from({ length: 200 / step }, (_, i) => ({ actor, counter: step * i + 1 })));
    const odd = every(2);
    const filled = { siblings: [], context: every(1) };
    const stored = strip(filled, odd);
    expect(stored.context).toEqual(filled.context);
    expect(strip(fill(stored, odd), odd)).toEqual(stored);
    expect(strip(stored, filled.context).context).toEqual([]);
  });

  it('law 4: a write adds at most one sibling, removes what the context covers, and covers all that went before', () => {
    const anyContext = fc.option(anyDotSet, { nil: undefined });
    fc.assert(
      fc.property(anyContainer, anyDot, anyContext, fc.boolean(), (filled, at, context, deletes) => {
        fc.pre(!hasDot(filled.context, at));
        const { container, covered } = write(filled, at, deletes ? undefined : bytesOf(formatDot(at)), context);
        expect(covered).toEqual(context ?? dotsOf(filled));
        for (const sibling of filled.siblings) expect(has(container, sibling.dot)).toBe(!hasDot(covered, sibling.dot));
        expect(has(container, at)).toBe(!deletes);
        const kept = filled.siblings.filter((sibling) => !hasDot(covered, sibling.dot));
        expect(container.siblings.length).toBe(kept.length + (deletes ? 0 : 1));
        for (const part of [filled.context, covered]) expect(isSubset(part, container.context)).toBe(true);
        expect(hasDot(container.context, at)).toBe(true);
        const nothingElse = union(union(filled.context, covered), dots(formatDot(at)));
        expect(container.context).toEqual(nothingElse);
      }),
      { numRuns: 500 },
    );
  });

  it('law 5: what lacks dots speaks for itself alone, and lacks after a merge what neither context has', () => {
    const anyLacking = fc.tuple(anyContainer, anyClock).map(([container, dots]) => lacking(container, dots));
    fc.assert(
      fc.property(anyLacking, anyLacking, anyLacking, anyClock, (a, b, c, clock) => {
        expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
        expect(merge(a, b)).toEqual(merge(b, a));
        expect(merge(a, structuredClone(a))).toEqual(a);
        const both = union(a.lacks ?? EMPTY_DOTS, b.lacks ?? EMPTY_DOTS);
        const { lacks, ...merged } = merge(a, b);
        expect(lacks ?? EMPTY_DOTS).toEqual(subtract(both, merged.context));
        expect(merged).toEqual(merge(withoutLacks(a), withoutLacks(b)));
        const alone = a.lacks === undefined ? [fill(a, clock), strip(a, clock)] : [a, a];
        expect([fill(a, clock), strip(a, clock)]).toEqual(alone);
      }),
      { numRuns: 500 },
    );
  });

  it('a blind write replaces everything it finds and claims no more than that', () => {
    const filled = containerOf([dot('1.1.1'), dot('2.1.1')], dots('9.1.1'));
    const { container, covered } = write(filled, dot('1.1.2'), bytesOf('new'));
    expect(container.siblings).toEqual([{ dot: dot('1.1.2'), version: bytesOf('new') }]);
    expect(covered).toEqual(dots('1.1.1', '2.1.1'));
  });

  it('a write with an empty context is a sibling of all', () => {
    const { container } = write(containerOf([dot('2.1.1')]), dot('1.1.1'), bytesOf('1.1.1'), EMPTY_DOTS);
    expect(container.siblings).toEqual([siblingOf(dot('1.1.1')), siblingOf(dot('2.1.1'))]);
  });

  it('absence with the dot in the context means deleted, and wins over the sibling', () => {
    const [deleted, stale] = [containerOf([], dots('1.1.1')), containerOf([dot('1.1.1')])];
    expect(merge(deleted, stale).siblings).toEqual([]);
    expect(merge(EMPTY_CONTAINER, stale)).toEqual(stale);
  });

  it('is void without siblings and context only', () => {
    expect(isVoid(EMPTY_CONTAINER)).toBe(true);
    expect(isVoid(containerOf([], dots('1.1.1')))).toBe(false);
    expect(isVoid({ siblings: [siblingOf(dot('1.1.1'))], context: EMPTY_DOTS })).toBe(false);
  });

  it('tells whether two containers have the same siblings', () => {
    const [one, two] = [dot('1.1.1'), dot('1.1.2')];
    expect(sameSiblings(containerOf([one]), containerOf([one], dots('3.1.1')))).toBe(true);
    expect(sameSiblings(containerOf([one]), containerOf([two]))).toBe(false);
    expect(sameSiblings(containerOf([one]), containerOf([one, two]))).toBe(false);
  });

  it('decodes what it encoded, filled or stripped', () => {
    fc.assert(
      fc.property(anyContainer, anyDotSet, (container, clock) => {
        for (const form of [container, strip(container, clock)]) {
          const back = decodeContainer(encode(form));
          expect(encode(back)).toEqual(encode(form));
          expect(back.context).toEqual(form.context);
          expect(sameSiblings(back, form)).toBe(true);
          expect(back.siblings.map(({ version }) => Buffer.from(version).toString())).toEqual(
            form.siblings.map((sibling) => formatDot(sibling.dot)),
          );
        }
      }),
    );
  });

  it('decodes anything else to an error, or to a container that encodes to the same bytes', () => {
    fc.assert(
      fc.property(damaged(anyContainer.map(encode)), (bytes) => {
        let container: Container;
        try {
          container = decodeContainer(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        expect(encode(container)).toEqual(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses siblings that do not ascend, one twice, and more of them than bytes', () => {
    const sibling = (at: string) => [...encode({ siblings: [siblingOf(dot(at))], context: EMPTY_DOTS }).slice(2)];
    expect(() => decodeContainer(Uint8Array.from([0, 2, ...sibling('1.1.2'), ...sibling('1.1.1')]))).toThrow('ascend');
    expect(() => decodeContainer(Uint8Array.from([0, 2, ...sibling('1.1.1'), ...sibling('1.1.1')]))).toThrow('ascend');
    expect(() => decodeContainer(Uint8Array.from([0, 99, ...sibling('1.1.1')]))).toThrow('more siblings than bytes');
    expect(() => decodeContainer(Uint8Array.from([0, 1, ...sibling('1.1.1'), 7]))).toThrow('longer than its message');
    expect(() => decodeContainer(Uint8Array.from([0, 1, ...sibling('1.1.1'), 0]))).toThrow('lacks nothing');
  });

  it('reads from a larger message and leaves the rest', () => {
    const out = new ByteWriter();
    writeContainer(out, containerOf([dot('1.1.1')]));
    const source = new ByteReader(out.string('rest').copy());
    expect(readContainer(source).context).toEqual(dots('1.1.1'));
    expect(source.string()).toBe('rest');
  });
});
