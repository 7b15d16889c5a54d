import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { errorOf, get, put, remove, valuesOf } from '../../test/requests.ts';
import { decodeContainer } from '../core/causality/container.ts';
import { epoch, nodeId, objectKey } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';
import type { GetRequest, GetResult, WriteRequest, WriteResult } from './api.ts';

const SECOND = nodeId('n2');

/** Three nodes that own everything; the key's first owner is n1. */
describe('a read that finds replicas differing', () => {
  let cluster: InProcessCluster;
  let key: string;
  const api = (node: string) => cluster.node(node).api;
  const write = (node: string, request: WriteRequest): Promise<WriteResult> => cluster.settle(api(node).write(request));
  const read = (node: string, more: Partial<GetRequest> = {}): Promise<GetResult> =>
    cluster.settle(api(node).get(get(key, more)));
  const place = () => api('n1').ringOf('b', key).partition;
  const stored = (node: string) => cluster.store(node).read(place(), objectKey('b', key));
  const siblingsAt = (node: string): number => {
    const bytes = stored(node);
    return bytes === undefined ? 0 : decodeContainer(bytes).siblings.length;
  };
  const stats = (node: string) => cluster.node(node).readRepairs.stats();
  const idle = { sent: 0, failed: 0, dropped: 0, writtenBack: 0 };
  /** Writes do not reach these nodes. */
  const keepWritesFrom = (...nodes: string[]): void => {
    cluster.loses = (_, to, message) => nodes.includes(to) && requestMethod(message) === METHOD.replicate;
  };
  const mend = (): void => {
    cluster.loses = () => false;
  };

  beforeEach(async () => {
    cluster = new InProcessCluster();
    await cluster.start();
    key =
      Array.from({ length: 1000 }, (_, i) => `key-${i}`).find((k) => api('n1').ringOf('b', k).owners[0] === 'n1') ?? '';
  });

  it('shows nothing before as many owners have it as must answer (H11)', async () => {
    keepWritesFrom('n2', 'n3');
    await write('n1', put(key, 'v', { w: 1 }));
    expect([siblingsAt('n1'), siblingsAt('n2'), siblingsAt('n3')]).toEqual([1, 0, 0]);
    mend();
    cluster.disk('n2').hold();
    cluster.disk('n3').hold();
    const open = api('n1').get(get(key, { timeoutMs: 60_000 }));
    let isOpen = true;
    open.finally(() => {
      isOpen = false;
    });
    await cluster.pass(300);
    expect(isOpen).toBe(true);
    cluster.disk('n2').release();
    cluster.disk('n3').release();
    expect(valuesOf(await cluster.settle(open))).toEqual(['v']);
    expect(Math.max(siblingsAt('n2'), siblingsAt('n3'))).toBe(1);
    expect(stats('n1')).toEqual({ ...idle, writtenBack: 1 });
  });

  it('merges it at its own node too, and waits for the flush there (H12)', async () => {
    keepWritesFrom('n2', 'n3');
    await write('n1', put(key, 'v', { w: 1 }));
    mend();
    cluster.disk('n2').hold();
    const open = api('n2').get(get(key, { timeoutMs: 300 }));
    expect(await errorOf(cluster.settle(open))).toMatchObject({ code: 'deadline-exceeded' });
    cluster.disk('n2').release();
    expect(valuesOf(await read('n2'))).toEqual(['v']);
    expect(stored('n2')).toEqual(stored('n1'));
  });

  it('fails at its deadline when nobody else can be given what it found', async () => {
    keepWritesFrom('n2', 'n3');
    await write('n1', put(key, 'v', { w: 1 }));
    const error = await errorOf(read('n1', { timeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'deadline-exceeded', details: { required: 2 } });
    expect(error.message).toBe('not on 2 owners, as what is shown must be, within 200 ms');
    expect(valuesOf(await read('n1', { r: 1 }))).toEqual(['v']);
  });

  it('gives it to the third owner when the one behind is lost', async () => {
    keepWritesFrom('n2', 'n3');
    await write('n1', put(key, 'v', { w: 1 }));
    const behind = api('n1').ringOf('b', key).owners[1] ?? '';
    const third = api('n1').ringOf('b', key).owners[2] ?? '';
    keepWritesFrom(behind);
    const open = api('n1').get(get(key));
    await cluster.pass(10);
    await cluster.crash(behind);
    expect(valuesOf(await cluster.settle(open))).toEqual(['v']);
    expect(siblingsAt(third)).toBe(1);
  });

  it('brings what was deleted or overwritten as well', async () => {
    const { context } = await write('n1', put(key, 'v', { w: 'all' }));
    keepWritesFrom('n2', 'n3');
    await write('n1', remove(key, { context, w: 1 }));
    mend();
    expect(valuesOf(await read('n1', { r: 'all' }))).toEqual([]);
    expect(cluster.ids.map(siblingsAt)).toEqual([0, 0, 0]);
    await read('n1', { r: 'all' });
    expect(stats('n1')).toEqual({ ...idle, writtenBack: 2 });
  });

  it('writes nothing back to a node that stops meanwhile', async () => {
    const { context } = await read('n1', { r: 'all' });
    keepWritesFrom('n1', 'n2', 'n3');
    await write('n2', put(key, 'at n2', { w: 1, context }));
    cluster.disk('n1').hold();
    const slow = { context, timeoutMs: 60_000 };
    const requests = [
      errorOf(api('n1').write(put(key, 'at n1', { w: 2, ...slow }))),
      errorOf(api('n1').get(get(key, { r: 2, timeoutMs: 60_000 }))),
    ];
    await cluster.pass(20);
    const stopped = cluster.stop('n1');
    await cluster.pass(20);
    cluster.disk('n1').release();
    await stopped;
    for (const request of requests) await cluster.settle(request);
    expect(cluster.fatal).toEqual(new Map());
  });

  it('repairs who answered too late to count', async () => {
    keepWritesFrom('n2');
    await write('n1', put(key, 'v', { w: 2 }));
    mend();
    await lateAnswerOf('n2');
    expect(stored('n2')).toEqual(stored('n1'));
    expect(stats('n1')).toEqual({ ...idle, sent: 1 });
  });

  it('repairs those that were read before a late answer brought more', async () => {
    const { context } = await write('n1', put(key, 'old', { w: 'all' }));
    keepWritesFrom('n1', 'n3');
    await write('n2', put(key, 'new', { context, w: 1 }));
    mend();
    await lateAnswerOf('n2');
    expect([stored('n1'), stored('n3')]).toEqual([stored('n2'), stored('n2')]);
    expect(stats('n1')).toEqual({ ...idle, sent: 2 });
  });

  it('counts a repair that fails, and repairs when it is read again', async () => {
    keepWritesFrom('n2');
    await write('n1', put(key, 'v', { w: 2 }));
    await lateAnswerOf('n2');
    await cluster.pass(2100);
    expect(stats('n1')).toEqual({ ...idle, sent: 1, failed: 1 });
    mend();
    await read('n1', { r: 'all' });
    expect(stored('n2')).toEqual(stored('n1'));
  });

  it('sends nothing when all agree, also while other keys of the partition are being written', async () => {
    await write('n1', put(key, 'v', { w: 'all' }));
    const sameplace = Array.from({ length: 1000 }, (_, i) => `other-${i}`).find(
      (k) => api('n1').ringOf('b', k).partition === place(),
    );
    keepWritesFrom('n2', 'n3');
    await write('n1', put(sameplace ?? '', 'v', { w: 1 }));
    mend();
    for (const id of cluster.ids) expect(valuesOf(await read(id, { r: 'all' }))).toEqual(['v']);
    await cluster.pass(100);
    for (const id of cluster.ids) expect(stats(id)).toEqual(idle);
  });

  it('repairs once: at rest nothing is sent (H27)', async () => {
    keepWritesFrom('n2', 'n3');
    await write('n1', put(key, 'v', { w: 1 }));
    mend();
    await read('n3', { r: 'all' });
    expect(stats('n3')).toEqual({ ...idle, writtenBack: 2 });
    for (const id of cluster.ids) await read(id, { r: 'all' });
    await cluster.pass(100);
    expect(stats('n3')).toEqual({ ...idle, writtenBack: 2 });
    expect([stats('n1'), stats('n2')]).toEqual([idle, idle]);
  });

  it('has so many repairs under way at most, and counts those beyond', async () => {
    cluster.loses = (_, __, message) => requestMethod(message) === METHOD.replicate;
    const address = { epoch: epoch(1), partition: place(), key: objectKey('b', key) };
    const owners = Array.from({ length: 300 }, () => SECOND);
    const { readRepairs } = cluster.node('n1');
    readRepairs.repairLater(owners, { ...address, dots: [], container: { siblings: [], context: [] } });
    await cluster.pass(10);
    expect(readRepairs.stats()).toEqual({ ...idle, sent: 256, dropped: 44 });
    await cluster.pass(2100);
    expect(readRepairs.stats()).toMatchObject({ failed: 256 });
    readRepairs.repairLater([SECOND], { ...address, dots: [], container: { siblings: [], context: [] } });
    await cluster.pass(10);
    expect(readRepairs.stats()).toMatchObject({ sent: 257, dropped: 44 });
  });

  /** A read at n1 that is answered by the two others of the three, before that node answers. */
  async function lateAnswerOf(node: string): Promise<void> {
    cluster.pause(node);
    await read('n1', { timeoutMs: 1000 });
    const others = stats('n1');
    cluster.resume(node);
    await cluster.pass(50);
    expect(others).toEqual(idle);
  }
});
