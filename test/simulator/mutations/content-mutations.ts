import type { Mutation } from './mutation.ts';

const LOSS = 'a disk loses an object, in a node that comes back without it';
const CHANGE = 'a disk alters an object, in a node that comes back with it';

/** What owners with equal clocks hold: the hashes that are compared, and the repair of what differs. */
export const CONTENT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'the hash of the contents misses objects that go',
    rule: 'C10',
    file: 'replica/replica.js',
    find: 'this.content.changed(partition, key, before, stored);',
    replace: 'if (!isVoid(stored)) this.content.changed(partition, key, before, stored);',
    checkers: ['contents'],
    seedsMax: 5,
  },
  {
    name: 'keys that a count has not come to are counted when they change',
    rule: 'C10',
    file: 'replica/content-hashes.js',
    find: 'return passed !== undefined && compareKeys(key, passed) <= 0;',
    replace: 'return true;',
    checkers: ['contents'],
    seedsMax: 30,
  },
  {
    name: 'contents are compared that reflect more than the clock',
    rule: 'C10',
    file: 'replica/content-hashes.js',
    find: '!isSubset(content.reflected, clock)',
    replace: 'false',
    checkers: ['contents'],
    seedsMax: 1,
    scenario:
      'a delete reaches one owner, a read there takes it to another one, and then the first is not heard of for a while',
  },
  {
    name: 'contents are not compared where clocks are equal',
    rule: 'C10',
    file: 'repair/content-checks.js',
    find: 'compared(peer, partition, isSame) {',
    replace: 'compared(peer, partition, isSame) { isSame = true;',
    checkers: ['contents', 'clocks', 'convergence'],
    seedsMax: 1,
    scenario: LOSS,
  },
  {
    name: 'what differs under equal clocks is merged as usual',
    rule: 'C10',
    file: 'repair/anti-entropy.js',
    find: 'await new ContentRepair({ ...this.options, inventory: this.inventory }, view, peer, partition).run();',
    replace: 'await new PartitionPull(this.options, view, peer, partition, this.pulled).compare();',
    checkers: ['clocks', 'acknowledged writes'],
    seedsMax: 1,
    scenario: LOSS,
  },
  {
    name: 'of two versions of one dot each owner keeps its own',
    rule: 'C10',
    file: 'core/causality/mend.js',
    find: 'other !== undefined && isGreater(other, sibling.version)',
    replace: 'false',
    checkers: ['contents', 'convergence'],
    seedsMax: 1,
    scenario: CHANGE,
  },
];
