import { beforeAll, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { errorOf, get, put, remove, valuesOf } from '../../test/requests.ts';
import { openContext } from '../core/causality/context-token.ts';
import { objectKey, partition } from '../core/ids.ts';
import { tokenMacs } from '../system/token-mac.ts';
import type { GetRequest, GetResult, WriteRequest, WriteResult } from './api.ts';

/** Requests of a five-node cluster with n = 3: most nodes own most keys and no node owns all. */
describe('a coordinator', () => {
  const cluster = new InProcessCluster({ nodes: 5, n: 3 });
  beforeAll(() => cluster.start());

  const write = (node: string, request: WriteRequest): Promise<WriteResult> =>
    cluster.settle(cluster.node(node).api.write(request));
  const read = (node: string, request: GetRequest): Promise<GetResult> =>
    cluster.settle(cluster.node(node).api.get(request));
  const ownersOf = (key: string) => cluster.node('n1').api.ringOf('b', key).owners;
  const strangerTo = (key: string) => cluster.ids.find((id) => !ownersOf(key).includes(id)) ?? '';

  it('serves every key at every node, whoever owns it', async () => {
    for (const [i, node] of cluster.ids.entries()) {
      for (const [j, other] of cluster.ids.entries()) {
        const key = `every-${i}-${j}`;
        const written = await write(node, put(key, `${node} ${other}`));
        expect(written).toMatchObject({ durable: 'flush', quorum: { required: 2, fallbacks: 0, epoch: 1 } });
        const found = await read(other, get(key));
        expect(valuesOf(found)).toEqual([`${node} ${other}`]);
        expect(found.siblings[0]).toMatchObject({ contentType: 'text/plain', meta: [], stampMs: expect.any(Number) });
      }
    }
  });

  it('answers for a key that was never written, with a context', async () => {
    const found = await read('n1', get('never'));
    expect(found.siblings).toEqual([]);
    expect(found.context).not.toBe('');
  });

  it('lets one blind write after another overwrite, whichever nodes they come to', async () => {
    for (const [i, node] of cluster.ids.entries()) await write(node, put('blind', `${i}`));
    expect(valuesOf(await read('n2', get('blind', { r: 'all' })))).toEqual(['4']);
  });

  it('deletes, so that nothing is left in any store', async () => {
    await write('n1', put('gone', 'v', { w: 'all' }));
    const { context } = await read('n2', get('gone'));
    await write('n3', remove('gone', { context, w: 'all' }));
    expect((await read('n4', get('gone', { r: 'all' }))).siblings).toEqual([]);
    const place = partition(cluster.node('n1').api.ringOf('b', 'gone').partition);
    for (const id of cluster.ids) expect(cluster.store(id).read(place, objectKey('b', 'gone'))).toBeUndefined();
  });

  it('keeps what two writers wrote on the same context side by side, on every owner', async () => {
    const { context } = await write('n1', put('two', 'first', { w: 'all' }));
    await Promise.all([
      write('n2', put('two', 'left', { context, w: 'all' })),
      write('n5', put('two', 'right', { context, w: 'all' })),
    ]);
    for (const node of cluster.ids) {
      const found = await read(node, get('two', { r: 'all' }));
      expect([...valuesOf(found)].sort()).toEqual(['left', 'right']);
    }
    const seen = await read('n3', get('two'));
    await write('n4', put('two', 'merged', { context: seen.context }));
    expect(valuesOf(await read('n1', get('two', { r: 'all' })))).toEqual(['merged']);
  });

  it('leaves two siblings, however often two writers with stale contexts take turns (H2)', async () => {
    let [left, right] = [(await read('n1', get('turns'))).context, (await read('n2', get('turns'))).context];
    for (let i = 0; i < 10; i++) {
      left = (await write('n1', put('turns', `left ${i}`, { context: left }))).context;
      right = (await write('n2', put('turns', `right ${i}`, { context: right }))).context;
    }
    expect([...valuesOf(await read('n3', get('turns', { r: 'all' })))].sort()).toEqual(['left 9', 'right 9']);
  });

  it('refuses a context of another key, of another cluster, or a damaged one, and stores nothing (H4)', async () => {
    const { context } = await write('n1', put('token', 'v'));
    const other = await write('n1', put('token-other', 'v'));
    const foreign = tokenMacs('other', new Uint8Array(32))(objectKey('b', 'token'));
    expect(openContext(context, foreign)).toBeUndefined();
    const damaged = [
      other.context,
      `${context}A`,
      context.slice(0, -1),
      context.replace(/^./, 'Z'),
      '',
      '!',
      'A'.repeat(5000),
    ];
    for (const bad of damaged) {
      const error = await errorOf(write('n2', put('token', 'evil', { context: bad })));
      expect(error).toMatchObject({ code: 'bad-context', details: { field: 'Causal-Context' } });
    }
    expect(valuesOf(await read('n3', get('token', { r: 'all' })))).toEqual(['v']);
  });

  it('names the level that is above n, and lowers nothing (H13)', async () => {
    expect(await errorOf(read('n1', get('k', { r: 4 })))).toMatchObject({
      code: 'bad-parameter',
      details: { field: 'r' },
    });
    expect(await errorOf(read('n1', get('k', { r: 2, pr: 3 })))).toMatchObject({
      code: 'bad-parameter',
      details: { field: 'pr' },
    });
    expect(await errorOf(write('n1', put('k', 'v', { w: 4 })))).toMatchObject({
      code: 'bad-parameter',
      details: { field: 'w' },
    });
    expect(await errorOf(write('n1', put('k', 'v', { w: 1, pw: 2 })))).toMatchObject({ details: { field: 'pw' } });
  });

  it('takes the levels from the request, else from the bucket, else from the cluster', async () => {
    await cluster.settle(cluster.node('n1').api.putBucket('b', { w: 'all', r: 1 }, 2000));
    await cluster.until(() => cluster.node('n2').membership.view?.epoch === 2, 'the change to reach n2');
    expect((await write('n2', put('levels', 'v'))).quorum.required).toBe(3);
    expect((await read('n2', get('levels'))).quorum.required).toBe(1);
    expect((await write('n2', put('levels', 'v', { w: 1 }))).quorum.required).toBe(1);
    await cluster.settle(cluster.node('n1').api.putBucket('b', {}, 2000));
    await cluster.until(() => cluster.ids.every((id) => cluster.node(id).membership.view?.epoch === 3), 'all to know');
    expect((await write('n2', put('levels', 'v'))).quorum.required).toBe(2);
  });

  it('returns what the coordinating replica holds, when asked, from a node that owns nothing of it too', async () => {
    const { context } = await write('n1', put('return', 'one'));
    await write('n1', put('return', 'two', { context, w: 'all' }));
    const node = strangerTo('return');
    const written = await write(node, put('return', 'three', { context, returnValue: true }));
    expect([...valuesOf({ siblings: written.siblings ?? [] })].sort()).toEqual(['three', 'two']);
    expect((await write(node, put('return', 'four'))).siblings).toBeUndefined();
  });

  it('shows one sibling by its dot, with a context that covers it alone', async () => {
    const { context } = await write('n1', put('dot', 'base'));
    for (const value of ['one', 'two']) await write('n2', put('dot', value, { context }));
    const [first, second] = (await read('n3', get('dot'))).siblings;
    const only = await read('n4', get('dot', first && { dot: first.dot }));
    expect(only.siblings).toEqual([first]);
    await write('n5', put('dot', 'three', { context: only.context, w: 'all' }));
    const values = valuesOf(await read('n1', get('dot', { r: 'all' })));
    expect([...values].sort()).toEqual(['three', Buffer.from(second?.value ?? '').toString()].sort());
    const gone = await read('n1', get('dot', first && { dot: first.dot }));
    expect(gone.siblings).toEqual([]);
    await write('n2', put('dot', 'four', { context: gone.context, w: 'all' }));
    expect(valuesOf(await read('n1', get('dot', { r: 'all' })))).toHaveLength(3);
  });

  it('refuses one sibling too many, and has not stored it', async () => {
    const { context } = await read('n1', get('many'));
    const limit = cluster.config.limits.siblings;
    for (let i = 0; i < limit; i++) await write('n1', put('many', `${i}`, { context, w: 'all' }));
    const error = await errorOf(write('n1', put('many', 'too many', { context, w: 'all' })));
    expect(error).toMatchObject({ code: 'sibling-limit', details: { outcome: 'not_applied', retryable: false } });
    const all = await read('n2', get('many', { r: 'all' }));
    expect(valuesOf(all)).toHaveLength(limit);
    await write('n1', remove('many', { context }));
    await write('n1', put('many', 'merged', { context: all.context }));
    expect(valuesOf(await read('n3', get('many', { r: 'all' })))).toEqual(['merged']);
  });
});
