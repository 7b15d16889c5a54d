import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyContainer, anyDotSet, bytesOf, containerOf, dot, dots } from './causality-builders.ts';
import { type Container, dotsOf, EMPTY_CONTAINER, merge } from './container.ts';
import { formatDot } from './dot.ts';
import { type DotSet, hasDot, union } from './dot-set.ts';
import { mend } from './mend.ts';

/** Siblings whose versions may differ under the same dot, as damage makes them. */
const damagedContainer: fc.Arbitrary<Container> = fc
  .tuple(anyContainer, fc.infiniteStream(fc.constantFrom('', 'a', 'ab', 'b')))
  .map(([{ siblings, context }, versions]) => ({
    siblings: siblings.map((sibling) => ({ ...sibling, version: bytesOf(versions.next().value ?? '') })),
    context,
  }));

const everything = (...containers: readonly Container[]): DotSet => containers.map(dotsOf).reduce(union);

const shown = ({ siblings }: Container): string[] =>
  siblings.map(({ dot, version }) => `${formatDot(dot)}=${Buffer.from(version).toString()}`);

describe('mending two copies', () => {
  it('leaves the same siblings on both sides, in whatever order copies are mended', () => {
    fc.assert(
      fc.property(damagedContainer, damagedContainer, damagedContainer, (a, b, c) => {
        const shared = everything(a, b, c);
        expect(shown(mend(a, b, shared))).toEqual(shown(mend(b, a, shared)));
        expect(shown(mend(mend(a, b, shared), c, shared))).toEqual(shown(mend(a, mend(b, c, shared), shared)));
      }),
    );
  });

  it('changes nothing the second time, and nothing where copies are equal', () => {
    fc.assert(
      fc.property(damagedContainer, damagedContainer, anyDotSet, (a, b, shared) => {
        const mended = mend(a, b, shared);
        expect(mend(mended, b, shared)).toBe(mended);
        expect(mend(a, a, shared)).toBe(a);
      }),
    );
  });

  it('keeps every sibling there is, and takes in those that both clocks have, and no others', () => {
    fc.assert(
      fc.property(damagedContainer, damagedContainer, anyDotSet, (a, b, shared) => {
        const mended = mend(a, b, shared);
        const expected = new Set([
          ...a.siblings.map(({ dot }) => formatDot(dot)),
          ...b.siblings.filter(({ dot }) => hasDot(shared, dot)).map(({ dot }) => formatDot(dot)),
        ]);
        expect(new Set(mended.siblings.map(({ dot }) => formatDot(dot)))).toEqual(expected);
        expect(mended.context).toBe(a.context);
      }),
    );
  });

  it('gives back what one side has lost, where a merge would take it from the other', () => {
    const healthy = containerOf([dot('1.1.1')]);
    const lost = { ...EMPTY_CONTAINER, context: dots('1.1.1') };
    expect(merge(healthy, lost).siblings).toEqual([]);
    expect(mend(lost, healthy, dots('1.1.1')).siblings).toEqual(healthy.siblings);
    expect(mend(healthy, lost, dots('1.1.1'))).toBe(healthy);
  });

  it('takes the greater of two versions of one dot on both sides', () => {
    const of = (text: string): Container => ({
      siblings: [{ dot: dot('1.1.1'), version: bytesOf(text) }],
      context: [],
    });
    for (const [less, greater] of [
      ['a', 'b'],
      ['a', 'aa'],
      ['', 'a'],
      ['az', 'b'],
    ] as const) {
      expect(shown(mend(of(less), of(greater), dots('1.1.1')))).toEqual([`1.1.1=${greater}`]);
      expect(shown(mend(of(greater), of(less), dots('1.1.1')))).toEqual([`1.1.1=${greater}`]);
    }
  });
});
