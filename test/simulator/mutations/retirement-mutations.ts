import type { Mutation } from './mutation.ts';

const PUT_BACK = 'a folder is put back after its last writes, which nobody else had seen, were retired';
const LATE = 'a node ends with its last write under way, which arrives late';

/** Ended actors: what their owners agree on, promise, refuse and fold (rule C9). */
export const RETIREMENT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'actors are retired though their owners hold different writes of them',
    rule: 'C9',
    file: 'core/causality/retirement.js',
    find: '!others.every((dots) => equalDotSets(dots, first))',
    replace: 'false',
    checkers: ['retirement', 'acknowledged writes', 'clocks', 'shown values', 'convergence'],
    seedsMax: 229,
  },
  {
    name: 'actors are retired though hints hold writes of them',
    rule: 'C9',
    file: 'repair/retirement-handler.js',
    find: 'const kept = hintedDots(hints, member, floor);',
    replace: 'const kept = new Map();',
    checkers: ['retirement', 'acknowledged writes', 'hints', 'shown values', 'convergence'],
    seedsMax: 1,
    scenario: 'those who own nothing are cut off and write, and one of them ends meanwhile',
  },
  {
    name: 'nobody promises to take in no more of ended actors',
    rule: 'C9',
    file: 'repair/retirement-handler.js',
    find: 'ended.promise({ member, floor, entries });',
    replace: ';',
    checkers: ['retirement', 'acknowledged writes', 'clocks', 'shown values', 'convergence'],
    seedsMax: 1,
    scenario: LATE,
  },
  {
    name: 'late writes of retired actors are taken in',
    rule: 'C9',
    file: 'replica/ended-actors.js',
    find: 'const isPast = retirement !== undefined && isStray(retirement, partition, dot);',
    replace: 'const isPast = false;',
    checkers: ['contents', 'retirement', 'acknowledged writes', 'clocks', 'shown values', 'convergence'],
    seedsMax: 1,
    scenario: LATE,
  },
  {
    name: 'retired actors are folded where the clock lacks what was agreed on',
    rule: 'C9',
    file: 'core/causality/retirement.js',
    find: 'if (isSubset(entries.get(partition) ?? EMPTY_DOTS, clock))',
    replace: 'if (true)',
    checkers: ['contents', 'clocks', 'acknowledgements', 'acknowledged writes', 'strict quorum', 'convergence'],
    seedsMax: 1,
    scenario: 'a folder is lost after the actors that wrote to it were retired',
  },
  {
    name: 'a folder that is put back keeps what was retired without it',
    rule: 'C9',
    file: 'replica/older-folder.js',
    find: 'if (!mayHaveStrays(store.clock(partition), partition, retirements))',
    replace: 'if (true)',
    checkers: ['contents', 'clocks', 'acknowledged writes', 'strict quorum', 'convergence'],
    seedsMax: 1,
    scenario: PUT_BACK,
  },
  {
    name: 'a folder that is put back folds retired actors before it is looked through',
    rule: 'C9',
    file: 'repair/anti-entropy.js',
    find: 'if (!this.isGranted)\n            return;',
    replace: ';',
    checkers: ['contents', 'clocks', 'acknowledged writes', 'strict quorum', 'convergence'],
    seedsMax: 1,
    scenario: PUT_BACK,
  },
];
