import { describe, expect, it } from 'vitest';
import { objectKey } from '../ids.ts';
import { isPartitionCount, partitioner } from './hash-place.ts';

const KEY = objectKey('carts', '42');

describe('partitioner', () => {
  it('takes the top bits of the hash', () => {
    const hash = 0xabcd_0000_0000_0001n;
    expect(partitioner(16, () => hash)(KEY)).toBe(0xa);
    expect(partitioner(256, () => hash)(KEY)).toBe(0xab);
    expect(partitioner(65_536, () => hash)(KEY)).toBe(0xabcd);
  });

  it('puts everything into the only partition when there is one', () => {
    expect(partitioner(1, () => 2n ** 64n - 1n)(KEY)).toBe(0);
  });

  it('maps the ends of the hash space to the first and the last partition', () => {
    expect(partitioner(64, () => 0n)(KEY)).toBe(0);
    expect(partitioner(64, () => 2n ** 64n - 1n)(KEY)).toBe(63);
    expect(partitioner(64, () => 2n ** 58n - 1n)(KEY)).toBe(0);
    expect(partitioner(64, () => 2n ** 58n)(KEY)).toBe(1);
  });

  it('hashes bucket, NUL and key', () => {
    const hashed: string[] = [];
    partitioner(64, (text) => BigInt(hashed.push(text)))(objectKey('b', 'k\u00e9'));
    expect(hashed).toEqual(['b\0k\u00e9']);
  });

  it('refuses a number of partitions that is no power of two up to 65536', () => {
    for (const count of [0, 3, 63, 1.5, -4, 131_072, Number.NaN]) {
      expect(isPartitionCount(count)).toBe(false);
      expect(() => partitioner(count, () => 0n)).toThrow('power of two');
    }
    for (const count of [1, 2, 64, 65_536]) expect(isPartitionCount(count)).toBe(true);
  });
});
