import { describe, expect, it } from 'vitest';
import type { Way } from '../stores/store.ts';
import { fill } from './fill.ts';
import { TestStore } from './test-store.ts';

const write: Way = { label: 'any', parameter: '', strength: 'quorum' };
const setting = { addresses: ['a'], write, connections: 7, keys: 100, valueBytes: 10 };

describe('filling a store', () => {
  it('writes every key once, and says so at the end', async () => {
    const written: string[] = [];
    const progress: number[] = [];
    const store = new TestStore(async ({ key }) => {
      written.push(key);
      return undefined;
    });
    await fill({ ...setting, store, onProgress: (count) => progress.push(count) });
    expect(written.sort()).toEqual(Array.from({ length: 100 }, (_, i) => `key-${i}`).sort());
    expect(progress.at(-1)).toBe(100);
  });

  it('repeats what failed', async () => {
    const failed = new Set<string>();
    const written = new Set<string>();
    const store = new TestStore(async ({ key }) => {
      if (!failed.has(key) && failed.add(key)) return '503';
      written.add(key);
      return undefined;
    });
    await fill({ ...setting, store });
    expect(written.size).toBe(100);
  });

  it('gives up on a store that takes nothing', async () => {
    const store = new TestStore(async () => '507');
    await expect(fill({ ...setting, store, keys: 1 })).rejects.toThrow('cannot write key-0: 507, 20 times');
  });
});
