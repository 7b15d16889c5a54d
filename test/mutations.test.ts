/** The simulator's checkers catch broken products: the quick ones here, all of them with `npm run mutations`. */
import { describe, expect, it } from 'vitest';
import { compiledText, tryMutation, trySeeds, UNBROKEN } from './simulator/mutations/mutant.ts';
import { type Mutation, mutated } from './simulator/mutations/mutation.ts';
import { MUTATIONS } from './simulator/mutations/mutations.ts';
import { scenarioNames } from './simulator/scenarios.ts';
import { typescriptFiles } from './tidy/project-files.ts';

const QUICK_SEEDS_MAX = 5;
const quick = MUTATIONS.filter(({ seedsMax, among }) => seedsMax <= QUICK_SEEDS_MAX && among === undefined);

const mutation = (change: Partial<Mutation>): Mutation => ({
  ...{ name: 'm', rule: 'C1', file: 'a.js', find: 'b', replace: 'c', checkers: ['clocks'], seedsMax: 1 },
  ...change,
});

describe('a mutation', () => {
  it('replaces its text', () => {
    expect(mutated('abd', mutation({}))).toBe('acd');
  });

  it('fails when its text is not there, or not once', () => {
    expect(() => mutated('xyz', mutation({}))).toThrow('occurs 0 times');
    expect(() => mutated('abab', mutation({}))).toThrow('occurs 2 times');
  });

  it('fails when it changes nothing', () => {
    expect(() => mutated('abd', mutation({ replace: 'b' }))).toThrow('changes nothing');
  });
});

describe('the list of mutations', () => {
  it('has names of their own, and enough that are quick', () => {
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
    expect(MUTATIONS.length).toBeGreaterThan(40);
    expect(quick.length).toBeGreaterThan(15);
  });

  it.each(MUTATIONS)('fits the compiled product: $name', (one) => {
    expect(() => mutated(compiledText(one), one)).not.toThrow();
  });

  it('names checkers and scenarios that there are', () => {
    const simulator = typescriptFiles('test/simulator').filter(({ path }) => !path.includes('/mutations/'));
    const isThere = (checker: string) => simulator.some(({ text }) => text.includes(`'${checker}'`));
    expect(MUTATIONS.flatMap(({ checkers }) => checkers).filter((checker) => !isThere(checker))).toEqual([]);
    const scenarios = MUTATIONS.flatMap(({ scenario }) => scenario ?? []);
    expect(new Set(scenarios)).toEqual(new Set(scenarioNames()));
  });
});

describe('the unbroken product', () => {
  it('passes schedules of Raft machines alone', { timeout: 60_000 }, async () => {
    expect(await trySeeds(UNBROKEN, ['raft', '1', '50'])).toMatchObject({ tried: 50, violations: [] });
  });
});

describe.concurrent('the simulator notices that', () => {
  it.each(quick)('$name', { timeout: 120_000 }, async (one) => {
    expect(await tryMutation(one)).toMatchObject({ kind: 'caught' });
  });
});
