import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { errorOf, get, put, valuesOf } from '../../test/requests.ts';
import { objectKey } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';
import type { GetRequest, GetResult, WriteRequest, WriteResult } from './api.ts';

const OLD = 'o'.repeat(2000);
const NEW = 'n'.repeat(3000);

/** Four nodes with n = 3, so that a read can also come to a node that owns nothing of its key. */
describe('a read of large values', () => {
  let cluster: InProcessCluster;
  let stranger: string;
  const key = 'k';
  const api = (node: string) => cluster.node(node).api;
  const owner = (place: number): string => api('n1').ringOf('b', key).owners[place] ?? '';
  const write = (node: string, request: WriteRequest): Promise<WriteResult> => cluster.settle(api(node).write(request));
  const read = (node: string, more: Partial<GetRequest> = {}): Promise<GetResult> =>
    cluster.settle(api(node).get(get(key, { explain: true, ...more })));
  const replicasOf = ({ explanation }: GetResult) => explanation?.replicas ?? [];
  const stored = (node: string) => cluster.store(node).read(api('n1').ringOf('b', key).partition, objectKey('b', key));
  const keepWritesFrom = (...nodes: string[]): void => {
    cluster.loses = (_, to, message) => nodes.includes(to) && requestMethod(message) === METHOD.replicate;
  };
  const mend = (): void => {
    cluster.loses = () => false;
  };

  beforeEach(async () => {
    cluster = new InProcessCluster({ nodes: 4, n: 3 });
    await cluster.start();
    stranger = cluster.ids.find((id) => !api('n1').ringOf('b', key).owners.includes(id)) ?? '';
  });

  it('gets the value from one replica, and dots from the others', async () => {
    await write(owner(0), put(key, OLD, { w: 'all' }));
    for (const node of [owner(0), owner(1), stranger]) {
      const result = await read(node, { r: 'all' });
      expect(valuesOf(result)).toEqual([OLD]);
      expect(replicasOf(result).map(({ digest }) => digest)).toEqual([undefined, true, true]);
      expect(replicasOf(result).some(({ fetchedMs }) => fetchedMs !== undefined)).toBe(false);
    }
  });

  it('gets small values from all', async () => {
    await write(owner(0), put(key, 'small', { w: 'all' }));
    expect(replicasOf(await read(stranger)).some(({ digest }) => digest)).toBe(false);
  });

  it('fetches what the dots of another show to be newer, and writes it back whole', async () => {
    const { context } = await write(owner(0), put(key, OLD, { w: 'all' }));
    keepWritesFrom(owner(0), owner(2));
    await write(owner(1), put(key, NEW, { context, w: 1 }));
    mend();
    const result = await read(owner(0));
    expect(valuesOf(result)).toEqual([NEW]);
    expect(replicasOf(result)[1]).toMatchObject({ node: owner(1), digest: true, fetchedMs: expect.any(Number) });
    expect(result.explanation?.writtenBack.map(({ node }) => node)).toEqual([owner(0)]);
    expect(stored(owner(0))).toEqual(stored(owner(1)));
  });

  it('repairs late digests with whole values', async () => {
    const { context } = await write(owner(0), put(key, OLD, { w: 'all' }));
    keepWritesFrom(owner(0), owner(2));
    await write(owner(1), put(key, NEW, { context, w: 1 }));
    mend();
    cluster.pause(owner(1));
    expect(valuesOf(await read(owner(0), { timeoutMs: 1000 }))).toEqual([OLD]);
    cluster.resume(owner(1));
    await cluster.pass(50);
    expect([stored(owner(0)), stored(owner(2))]).toEqual([stored(owner(1)), stored(owner(1))]);
    expect(valuesOf(await read(owner(2)))).toEqual([NEW]);
  });

  it('asks another owner for a value when the one that told of it is lost', async () => {
    const { context } = await write(owner(0), put(key, OLD, { w: 'all' }));
    keepWritesFrom(owner(0));
    await write(owner(1), put(key, NEW, { context }));
    let reads = 0;
    cluster.loses = (_, to, message) => to === owner(1) && requestMethod(message) === METHOD.read && ++reads > 1;
    const open = read(owner(0));
    await cluster.pass(10);
    await cluster.crash(owner(1));
    const result = await open;
    expect(valuesOf(result)).toEqual([NEW]);
    expect(replicasOf(result)[2]).toMatchObject({ node: owner(2), answeredMs: expect.any(Number) });
  });

  it('fails when the only owner that told of a value cannot be asked for it', async () => {
    const { context } = await write(owner(0), put(key, OLD, { w: 'all' }));
    keepWritesFrom(owner(0), owner(2));
    await write(owner(1), put(key, NEW, { context, w: 1 }));
    let reads = 0;
    cluster.loses = (_, to, message) => {
      const method = requestMethod(message);
      return to === owner(1) && (method === METHOD.sync || (method === METHOD.read && ++reads > 1));
    };
    expect(await errorOf(read(owner(0), { timeoutMs: 200 }))).toMatchObject({ code: 'deadline-exceeded' });
    reads = 0;
    const open = read(owner(0));
    const holder = owner(1);
    await cluster.pass(10);
    await cluster.crash(holder);
    expect(await errorOf(open)).toMatchObject({ code: 'quorum-impossible' });
  });
});
