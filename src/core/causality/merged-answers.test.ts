import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logIndex, memberNumber } from '../ids.ts';
import { anyContainer, containerOf, dot, dots, textsOf } from './causality-builders.ts';
import { type Container, EMPTY_CONTAINER, fill, merge, sameSiblings } from './container.ts';
import { type DotSet, dotSetOf, dotsIn, EMPTY_DOTS, hasDot, restrictedTo } from './dot-set.ts';
import { MergedAnswers, UNKNOWN_VERSION } from './merged-answers.ts';
import { applyRemote } from './replica-update.ts';

/** One of them tells of deletions. */
function answersOf(containers: readonly Container[], by = 0, deletions: DotSet = EMPTY_DOTS): MergedAnswers {
  const answers = new MergedAnswers();
  for (const [i, container] of containers.entries()) answers.add(container, false, i === by ? deletions : EMPTY_DOTS);
  return answers;
}

const withoutVersions = ({ siblings, context }: Container): Container => ({
  siblings: siblings.map((sibling) => ({ dot: sibling.dot, version: UNKNOWN_VERSION })),
  context,
});
const [one, two] = [dot('1.1.1'), dot('2.1.1')];
const someDeletions = fc.subarray([dot('1.1.1'), dot('1.1.3'), dot('2.1.2'), dot('9.9.9')]).map(dotSetOf);
const someContainers = fc.array(anyContainer, { minLength: 1, maxLength: 5 });

describe('merged answers', () => {
  it('law 1: are the merge of all', () => {
    fc.assert(
      fc.property(someContainers, (containers) => {
        expect(answersOf(containers).container).toEqual(containers.reduce(merge));
      }),
    );
  });

  it('law 2: are behind when their siblings differ from the merged ones, or a known dot is new to them', () => {
    fc.assert(
      fc.property(someContainers, fc.nat(4), someDeletions, (containers, by, deletions) => {
        const answers = answersOf(containers, by, deletions);
        const told = by < containers.length ? [...dotsIn(deletions)] : [];
        const known = containers.some((each) => !sameSiblings(each, containers[0] ?? EMPTY_CONTAINER))
          ? containers.flatMap(({ siblings }) => siblings.map((sibling) => sibling.dot)).concat(told)
          : told;
        expect(new Set(textsOf(answers.named))).toEqual(new Set(textsOf(known)));
        const behind = containers.flatMap((held, index) => {
          const lacks = !sameSiblings(held, answers.container) || known.some((each) => !hasDot(held.context, each));
          return lacks ? [index] : [];
        });
        expect(answers.behind()).toEqual(behind);
      }),
    );
  });

  it('law 3: are behind no more when they were brought what was merged, as a replica merges it', () => {
    fc.assert(
      fc.property(someContainers, fc.nat(4), (containers, by) => {
        // A replica's own deletions are in its clock.
        const deletions = restrictedTo(containers[by]?.context ?? [], memberNumber(1), logIndex(1));
        const answers = answersOf(containers, by, deletions);
        const { container, named } = answers;
        const behind = answers.behind();
        for (const index of behind) answers.brought(index);
        expect(answers.behind()).toEqual([]);
        const repaired = containers.map((held, index) => {
          if (!behind.includes(index)) return held;
          const update = applyRemote({ ...held, context: [] }, held.context, container, named);
          return update === undefined ? held : fill(update.stored, update.clock);
        });
        expect(answersOf(repaired, by, deletions).behind()).toEqual([]);
      }),
    );
  });

  it('law 4: show a sibling with its version, once anyone told it, and know who can tell it till then', () => {
    const mixed = fc.array(fc.tuple(anyContainer, fc.boolean()), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(mixed, (containers) => {
        const answers = new MergedAnswers();
        for (const [each, digest] of containers) answers.add(digest ? withoutVersions(each) : each, digest);
        for (let known = 0; !answers.isWhole; known++) {
          expect(known).toBeLessThanOrEqual(containers.length);
          const holder = answers.holderOfUnknown() ?? -1;
          expect(containers[holder]?.[1]).toBe(true);
          expect(answers.holderOfUnknown([...containers.keys()])).toBeUndefined();
          answers.replace(holder, containers[holder]?.[0] ?? EMPTY_CONTAINER);
        }
        expect(answers.holderOfUnknown()).toBeUndefined();
        expect(answers.container).toEqual(containers.map(([each]) => each).reduce(merge));
      }),
    );
  });

  it('law 4: know no version of what its only holder has overwritten meanwhile, and show it no more', () => {
    const answers = answersOf([containerOf([])]);
    answers.add(withoutVersions(containerOf([one])), true);
    expect([answers.isWhole, answers.holderOfUnknown(), answers.behind()]).toEqual([false, 1, [0]]);
    answers.replace(1, containerOf([two], dots('1.1.1')));
    expect([answers.isWhole, answers.behind()]).toEqual([true, [0]]);
    expect(answers.container).toEqual(containerOf([two], dots('1.1.1')));
  });

  it('are not behind for what their replica lacks of other keys', () => {
    const answers = answersOf([containerOf([one], dots('3.1.1')), containerOf([one], dots('3.1.2'))]);
    expect(answers.behind()).toEqual([]);
    expect(answers.container.context).toEqual(dots('1.1.1', '3.1.1', '3.1.2'));
  });

  it('are behind with a value that another has seen overwritten, and without one that it covers', () => {
    const answers = answersOf([containerOf([one]), containerOf([two], dots('1.1.1')), containerOf([two])]);
    expect(answers.container).toEqual(containerOf([two], dots('1.1.1')));
    expect(answers.behind()).toEqual([0, 2]);
  });

  it('are behind again when a later answer brings more', () => {
    const answers = answersOf([containerOf([one]), containerOf([])]);
    answers.brought(1);
    answers.add(containerOf([two]));
    expect(answers.behind()).toEqual([0, 1, 2]);
  });

  it('build nothing while they are equal', () => {
    const first = containerOf([one], dots('3.1.9'));
    const answers = answersOf([first, containerOf([one], dots('3.1.9'))]);
    expect(answers.container).toBe(first);
    expect(answers.behind()).toBe(answersOf([]).behind());
  });
});
