import { describe, expect, it } from 'vitest';
import { GET, HALF_AND_HALF, PUT, READ_MODIFY_WRITE, YCSB } from '../load/mix.ts';
import { CONSUL } from '../stores/consul.ts';
import { ETCD } from '../stores/etcd.ts';
import { quorate } from '../stores/quorate.ts';
import { redis } from '../stores/redis.ts';
import type { Store } from '../stores/store.ts';
import { kindOf } from './kind-of.ts';
import { wayOf } from './target.ts';

const readsOf = (store: Store) => store.reads.map((read) => [read.label, kindOf(store, GET, read)]);

describe('the kind of a workload', () => {
  it.each<[string, Store, [string, string][]]>([
    [
      'quorate of 3',
      quorate(3),
      [
        ['GET r=3', 'agreed-read'],
        ['GET r=2', 'agreed-read'],
        ['GET r=1', 'local-read'],
      ],
    ],
    [
      'quorate of 5',
      quorate(5),
      [
        ['GET r=5', 'agreed-read'],
        ['GET r=4', 'agreed-read'],
        ['GET r=3', 'agreed-read'],
        ['GET r=2', 'local-read'],
        ['GET r=1', 'local-read'],
      ],
    ],
    ['one copy', quorate(1), [['GET r=1', 'local-read']]],
    [
      'etcd',
      ETCD,
      [
        ['linearizable range', 'agreed-read'],
        ['serializable range', 'local-read'],
      ],
    ],
    [
      'consul',
      CONSUL,
      [
        ['consistent read', 'agreed-read'],
        ['default read', 'agreed-read'],
        ['stale read', 'local-read'],
      ],
    ],
    [
      'redis',
      redis(3),
      [
        ['GET at the primary', 'agreed-read'],
        ['GET', 'local-read'],
      ],
    ],
  ])('follows from what a read is answered by: %s', (_name, store, kinds) => {
    expect(readsOf(store)).toEqual(kinds);
  });

  it('is a write for every PUT, and a mix for all else', () => {
    const read = wayOf(ETCD.reads, 'one');
    expect(kindOf(ETCD, PUT, read)).toBe('write');
    for (const mix of [HALF_AND_HALF, READ_MODIFY_WRITE, ...YCSB]) expect(kindOf(ETCD, mix, read)).toBe('mix');
  });
});
