import type { Mutation } from './mutation.ts';

/** How owners find together again: the exchange of clocks, and the full comparison. */
export const REPAIR_MUTATIONS: readonly Mutation[] = [
  {
    name: 'owners never exchange their clocks',
    rule: 'I4',
    file: 'repair/anti-entropy.js',
    find: 'this.isStopped || view === undefined ||',
    replace: 'true ||',
    checkers: ['convergence'],
    seedsMax: 5,
  },
  {
    name: 'an exchange is taken in without a look at what the other clock covers',
    rule: 'I5',
    file: 'replica/replica.js',
    find: 'bearingOn(mine, theirs, theirClock, dots)',
    replace: 'bearingOn(mine, theirs, [], dots)',
    checkers: ['convergence', 'acknowledgements', 'clocks'],
    seedsMax: 5,
  },
  {
    name: 'an exchange leaves out keys of which nothing is left',
    rule: 'I4',
    file: 'repair/sync-handlers.js',
    find: 'Array.from(keys, ([key, dots]) => ({ key, dots, object: store.read(partition, key) }))',
    replace:
      'Array.from(keys, ([key, dots]) => ({ key, dots, object: store.read(partition, key) })).filter(({ object }) => object !== undefined)',
    checkers: ['convergence'],
    seedsMax: 63,
  },
  {
    name: 'a dot whose key was forgotten is passed over',
    rule: 'I3',
    file: 'replica/dot-log.js',
    find: 'if (key === undefined)\n            return undefined;',
    replace: 'if (key === undefined)\n            continue;',
    checkers: ['convergence'],
    seedsMax: 20,
  },
  {
    name: 'a full comparison leaves out what the other owner does not have',
    rule: 'C4',
    file: 'repair/partition-pull.js',
    find: 'if (!there.has(key))',
    replace: 'if (false)',
    checkers: ['contents', 'convergence', 'acknowledgements', 'clocks'],
    seedsMax: 1,
    scenario:
      'an owner was away, the others have forgotten what it missed, and compare key by key with it while clients write',
  },
  {
    name: 'a full comparison takes in the clock after its first piece',
    rule: 'C2',
    file: 'repair/partition-pull.js',
    find: 'comparison.passed = last;',
    replace: 'comparison.passed = last;\n            this.needs.replica.absorbClock(this.partition, first.clock);',
    checkers: ['clocks', 'acknowledgements', 'convergence', 'acknowledged writes', 'strict quorum'],
    seedsMax: 78,
  },
  {
    name: 'a full comparison takes in the clock of its last piece',
    rule: 'C2',
    file: 'repair/partition-pull.js',
    find: 'if (await this.compareAll(first, comparison))\n                replica.absorbClock(this.partition, first.clock);',
    replace:
      'if (await this.compareAll(first, comparison))\n                replica.absorbClock(this.partition, (await this.askCompare(undefined)).clock);',
    checkers: ['clocks', 'acknowledgements', 'convergence', 'acknowledged writes', 'strict quorum'],
    seedsMax: 678,
  },
];
