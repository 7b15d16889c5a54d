import { expect, it } from 'vitest';
import { objectKey, partition } from '../core/ids.ts';
import { DamagedKeys } from './damaged-keys.ts';

const at = partition(3);
const key = objectKey('b', 'k');

it('a key that was written anew, and found damaged again, is another finding: what was asked for the first comes too late', () => {
  const damaged = new DamagedKeys();
  damaged.note(at, key);
  damaged.note(at, key);
  const [first] = damaged.list();
  if (first === undefined) throw new Error('a damaged key');
  expect([damaged.count, damaged.isStill(first)]).toEqual([1, true]);
  damaged.mended(at, key);
  expect([damaged.count, damaged.isStill(first)]).toEqual([0, false]);
  damaged.note(at, key);
  expect([damaged.count, damaged.isStill(first)]).toEqual([1, false]);
});
