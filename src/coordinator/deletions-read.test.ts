import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { get, put, remove, valuesOf } from '../../test/requests.ts';
import { METHOD } from '../protocol.ts';
import type { GetRequest, GetResult, WriteRequest, WriteResult } from './api.ts';

/** Three owners; the key's owners are, in order, n2, n3, n1: so n1 reads with n2, and n2 with n3. */
describe('strict quorum reads are monotonic (H11)', () => {
  let cluster: InProcessCluster;
  let key: string;
  const api = (node: string) => cluster.node(node).api;
  const write = (node: string, request: WriteRequest): Promise<WriteResult> => cluster.settle(api(node).write(request));
  const read = (node: string, more: Partial<GetRequest> = {}): Promise<GetResult> =>
    cluster.settle(api(node).get(get(key, { r: 2, sloppy: false, explain: true, ...more })));
  const asked = ({ explanation }: GetResult): readonly string[] => explanation?.replicas.map(({ node }) => node) ?? [];
  const keepWritesFrom = (...nodes: string[]): void => {
    cluster.loses = (_, to, message) => nodes.includes(to) && requestMethod(message) === METHOD.replicate;
  };

  beforeEach(async () => {
    cluster = new InProcessCluster({ partitions: 64 });
    await cluster.start();
    key =
      Array.from({ length: 10_000 }, (_, i) => `key-${i}`).find(
        (k) => api('n1').ringOf('b', k).owners.join() === 'n2,n3,n1',
      ) ?? '';
    expect(key).not.toBe('');
  });

  it('also where one has shown that a value is gone, and the other owner that it asked never had it', async () => {
    const empty = await read('n1');
    keepWritesFrom('n2');
    await write('n1', put(key, 'v', { w: 2, context: empty.context }));
    const seen = await cluster.settle(api('n1').get(get(key, { r: 1 })));
    expect(valuesOf(seen)).toEqual(['v']);
    keepWritesFrom('n2', 'n3');
    await write('n1', remove(key, { w: 1, context: seen.context }));
    cluster.loses = () => false;

    const first = await read('n1');
    expect(asked(first)).toEqual(['n1', 'n2']);
    expect([valuesOf(first), first.quorum.owners]).toEqual([[], 2]);
    const second = await read('n2');
    expect(asked(second)).toEqual(['n2', 'n3']);
    expect(second.quorum.owners).toBe(2);
    // The first read's context covers `v`, which it said is gone.
    expect(valuesOf(second)).toEqual([]);
  });

  it('also where one has shown one of two siblings as gone', async () => {
    const empty = await read('n1');
    await write('n1', put(key, 'stays', { w: 3, context: empty.context }));
    keepWritesFrom('n2');
    await write('n1', put(key, 'goes', { w: 2, context: empty.context }));
    const both = await cluster.settle(api('n1').get(get(key, { r: 1 })));
    const goes = both.siblings.find(({ value }) => Buffer.from(value).toString() === 'goes');
    const one = await cluster.settle(api('n1').get(get(key, { r: 1, dot: goes?.dot })));
    keepWritesFrom('n2', 'n3');
    await write('n1', remove(key, { w: 1, context: one.context }));
    cluster.loses = () => false;
    expect(valuesOf(await read('n1'))).toEqual(['stays']);
    expect(valuesOf(await read('n2'))).toEqual(['stays']);
  });
});
