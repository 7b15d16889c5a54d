import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { anyContainer, anyDotSet, bytesOf, containerOf, dot, dots, textsOf } from './causality-builders.ts';
import { dotsOf, EMPTY_CONTAINER, merge } from './container.ts';
import { addDot, dotSetOf, dotsIn, EMPTY_DOTS, hasDot, isSubset, union } from './dot-set.ts';
import {
  type HintedWrites,
  hintedWrites,
  mergeHinted,
  readHinted,
  sameHinted,
  writeAsFallback,
  writeHinted,
} from './hinted-writes.ts';
import { applyRemote } from './replica-update.ts';

/** A coordinator's container has the dots that it speaks of in its context. */
const anyHinted = fc
  .tuple(anyContainer, anyDotSet)
  .map(([{ siblings, context }, named]) => hintedWrites({ siblings, context: union(context, named) }, named));

const expectSame = (a: HintedWrites, b: HintedWrites) => expect(sameHinted(a, b)).toBe(true);

describe('what is kept for an owner', () => {
  it('merges associatively, commutatively and idempotently, containers as replicas do (law 1)', () => {
    fc.assert(
      fc.property(anyHinted, anyHinted, anyHinted, (a, b, c) => {
        expectSame(mergeHinted(mergeHinted(a, b), c), mergeHinted(a, mergeHinted(b, c)));
        expectSame(mergeHinted(a, b), mergeHinted(b, a));
        expectSame(mergeHinted(a, a), a);
        expect(mergeHinted(a, b).container).toEqual(merge(a.container, b.container));
      }),
    );
  });

  it('names every dot of every write merged in, all of them in the context (law 2)', () => {
    fc.assert(
      fc.property(anyHinted, anyHinted, (a, b) => {
        const { dots: named, container } = mergeHinted(a, b);
        for (const part of [a.dots, b.dots, dotsOf(container)]) expect(isSubset(part, named)).toBe(true);
        expect(isSubset(named, container.context)).toBe(true);
      }),
    );
  });

  it('leaves no hole in the clock of the owner that takes it in, also for writes that were overwritten meanwhile', () => {
    const first = hintedWrites(containerOf([dot('1.1.1')]), dots('1.1.1'));
    const second = hintedWrites(containerOf([dot('1.1.2')], dots('1.1.1')), dots('1.1.2'));
    const { container, dots: named } = mergeHinted(first, second);
    expect(textsOf(dotsIn(dotsOf(container)))).toEqual(['1.1.2']);
    const update = applyRemote(EMPTY_CONTAINER, EMPTY_DOTS, container, [...dotsIn(named)]);
    expect(update?.clock).toEqual(dots('1.1.1', '1.1.2'));
    expect(update?.stored.context).toEqual(EMPTY_DOTS);
  });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(anyHinted, (hinted) => {
        const out = new ByteWriter();
        writeHinted(out, hinted);
        expectSame(readHinted(new ByteReader(out.copy())), hinted);
      }),
    );
  });

  it('differs when its dots, its siblings or its context do', () => {
    const base = hintedWrites(containerOf([dot('1.1.1')]), dots('1.1.1'));
    expect(sameHinted(base, { ...base, dots: dots('1.1.1', '1.1.2') })).toBe(false);
    expect(sameHinted(base, { ...base, container: containerOf([], dots('1.1.1')) })).toBe(false);
    expect(sameHinted(base, { ...base, container: containerOf([dot('1.1.1')], dots('2.1.1')) })).toBe(false);
  });
});

describe('a write at a fallback', () => {
  it('covers what its hints hold and the client has seen, its own dot, and nothing else (law 3)', () => {
    fc.assert(
      fc.property(anyContainer, fc.option(anyDotSet, { nil: undefined }), (held, context) => {
        const own = dot('77.1.9');
        const { container, covered } = writeAsFallback(held, own, bytesOf('v'), context);
        expect(covered).toEqual(context ?? dotsOf(held));
        expect(container.context).toEqual(addDot(union(held.context, covered), own));
        for (const sibling of held.siblings) {
          const isKept = container.siblings.some((kept) => kept.dot === sibling.dot);
          expect(isKept).toBe(context !== undefined && !hasDot(context, sibling.dot));
        }
      }),
    );
  });

  it('without hints replaces nothing, not even what it wrote itself before (C5)', () => {
    const later = writeAsFallback(undefined, dot('7.1.2'), bytesOf('later'), undefined);
    expect(later.container.context).toEqual(dots('7.1.2'));
    const owner = containerOf([dot('7.1.1')]);
    expect(textsOf(dotsIn(dotsOf(merge(owner, later.container))))).toEqual(['7.1.1', '7.1.2']);
  });

  it('that deletes adds no sibling', () => {
    const held = containerOf([dot('1.1.1')]);
    expect(writeAsFallback(held, dot('7.1.1'), undefined, undefined).container).toEqual(
      containerOf([], dots('1.1.1', '7.1.1')),
    );
  });

  it('crashes rather than mint a dot twice', () => {
    expect(() => writeAsFallback(containerOf([dot('7.1.1')]), dot('7.1.1'), bytesOf('v'), undefined)).toThrow('once');
  });
});

describe('the dots in a set', () => {
  it('are those it was made of', () => {
    fc.assert(
      fc.property(anyDotSet, (set) => {
        const short = set.filter(isShort);
        expect(dotSetOf(dotsIn(short))).toEqual(short);
      }),
    );
  });
});

/** Not those that would take for ever to list. */
const isShort = ({ runs }: { readonly runs: readonly number[] }): boolean => (runs.at(-1) ?? 0) - (runs[0] ?? 0) < 100;
