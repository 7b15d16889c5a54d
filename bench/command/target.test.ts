import { describe, expect, it } from 'vitest';
import { filled, toldApart } from './target.ts';
import { aTestTarget } from './test-target.ts';

describe('a fill', () => {
  it('writes every key, and is over when the store has settled', async () => {
    const seen: string[] = [];
    const target = aTestTarget('test', async ({ key }) => void seen.push(key));
    const settled = async (): Promise<void> => void seen.push('settled');
    await filled({ ...target, settled }, 3, 1, () => {});
    expect(seen.slice(0, 3).sort()).toEqual(['key-0', 'key-1', 'key-2']);
    expect(seen.slice(3)).toEqual(['settled']);
  });
});

describe('the name of a target', () => {
  it('is its own where no other has it', () => {
    const target = aTestTarget('etcd, 3 members');
    expect(toldApart(target, [aTestTarget('consul, 3 members')]).info).toEqual(target.info);
  });

  it('gets a number where others have it already', () => {
    const first = aTestTarget('etcd, 3 members');
    const second = toldApart(first, [first]);
    const third = toldApart(first, [first, second]);
    expect([second, third].map(({ info }) => info.name)).toEqual(['etcd, 3 members (2)', 'etcd, 3 members (3)']);
    expect(second.addresses()).toEqual(first.addresses());
  });
});
