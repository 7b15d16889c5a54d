import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isRaft, requestMethod } from '../../test/messages.ts';
import { errorOf, get, put, remove, valuesOf } from '../../test/requests.ts';
import { nodeId, objectKey } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';
import type { WriteRequest, WriteResult } from './api.ts';

let cluster: InProcessCluster;
const api = (node: string) => cluster.node(node).api;
const write = (node: string, request: WriteRequest): Promise<WriteResult> => cluster.settle(api(node).write(request));
const ownersOf = (key: string) => api('n1').ringOf('b', key).owners;
const storedAt = (node: string, key: string) =>
  cluster.store(node).read(api(node).ringOf('b', key).partition, objectKey('b', key));
/** How much of the virtual time the promise takes. */
async function elapsed<T>(promise: Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const startMs = cluster.clock.monotonicMs();
  const value = await cluster.settle(promise);
  return { ms: cluster.clock.monotonicMs() - startMs, value };
}
/** Whether the promise is still open after the time. */
async function isOpenAfter(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let isOpen = true;
  const close = () => {
    isOpen = false;
  };
  promise.then(close, close);
  await cluster.pass(ms);
  return isOpen;
}

describe('in a cluster of three', () => {
  beforeEach(async () => {
    cluster = new InProcessCluster();
    await cluster.start();
  });

  it('a write that cannot have its quorum is refused before anything is stored anywhere (H10)', async () => {
    for (const id of ['n2', 'n3']) await cluster.crash(id);
    await cluster.pass(1);
    const { ms, value } = await elapsed(errorOf(api('n1').write(put('k', 'v'))));
    expect(ms).toBeLessThan(10);
    expect(value).toMatchObject({
      code: 'quorum-impossible',
      details: { required: 2, acked: [], pending: [], outcome: 'not_applied', retryable: true, epoch: 1 },
    });
    expect(value.details.failed).toEqual(['n2', 'n3'].map((node) => ({ node, reason: 'down' })));
    expect(storedAt('n1', 'k')).toBeUndefined();
    expect((await write('n1', put('k', 'v', { w: 1 }))).quorum.owners).toBe(1);
  });

  it('a read that cannot have its quorum is refused at once, and a smaller one is answered', async () => {
    await write('n1', put('k', 'v', { w: 'all' }));
    for (const id of ['n2', 'n3']) await cluster.crash(id);
    await cluster.pass(1);
    const { ms, value } = await elapsed(errorOf(api('n1').get(get('k'))));
    expect(ms).toBeLessThan(10);
    expect(value).toMatchObject({ code: 'quorum-impossible', details: { required: 2 } });
    expect(valuesOf(await cluster.settle(api('n1').get(get('k', { r: 1 }))))).toEqual(['v']);
  });

  it('a write that misses its quorum at the deadline says who has it and who may, and stays (H10)', async () => {
    cluster.loses = (from, _, message) => from === 'n1' && requestMethod(message) === METHOD.replicate;
    const key = keyFirstOwnedBy('n1');
    // What is left of a deadline is seldom a whole number; what is said of it is.
    const { ms, value } = await elapsed(errorOf(api('n1').write(put(key, 'v', { timeoutMs: 300.25 }))));
    expect(ms).toBeGreaterThanOrEqual(300);
    expect(ms).toBeLessThan(310);
    expect(value).toMatchObject({
      code: 'quorum-not-met',
      message: '1 of 2 required acknowledgements within 300 ms',
      details: { required: 2, acked: ['n1'], failed: [], outcome: 'unknown', retryable: true, epoch: 1 },
    });
    expect([...(value.details.pending ?? [])].sort()).toEqual(['n2', 'n3']);
    cluster.loses = () => false;
    expect(valuesOf(await cluster.settle(api('n1').get(get(key, { r: 'all' }))))).toEqual(['v']);
  });

  it('a write fails as soon as its quorum has become impossible, not at its deadline', async () => {
    const key = keyFirstOwnedBy('n1');
    cluster.pause('n3');
    const failed = errorOf(api('n1').write(put(key, 'v', { w: 'all' })));
    await cluster.pass(20);
    await cluster.crash('n3');
    const { ms, value } = await elapsed(failed);
    expect(ms).toBeLessThan(10);
    expect(value.details).toMatchObject({
      ...{ outcome: 'unknown', pending: [], failed: [{ node: 'n3', reason: 'disconnected' }] },
    });
    expect([...(value.details.acked ?? [])].sort()).toEqual(['n1', 'n2']);
  });

  it('a silent replica is worked around by asking one more, once', async () => {
    const key = keyFirstOwnedBy('n1');
    await write('n1', put(key, 'v', { w: 'all' }));
    const silent = ownersOf(key).at(1);
    cluster.loses = (from, to, message) => from === 'n1' && to === silent && requestMethod(message) === METHOD.read;
    const { ms, value } = await elapsed(api('n1').get(get(key)));
    expect(valuesOf(value)).toEqual(['v']);
    expect(value.quorum.hedged).toBe(1);
    expect(ms).toBeGreaterThanOrEqual(50);
    expect(ms).toBeLessThan(60);
  });

  it('a silent replica is worked around as soon as most answers would have come', async () => {
    const key = keyFirstOwnedBy('n1');
    await write('n1', put(key, 'v', { w: 'all' }));
    for (let i = 0; i < 100; i++) await cluster.settle(api('n1').get(get(key)));
    const silent = ownersOf(key).at(1);
    cluster.loses = (from, to, message) => from === 'n1' && to === silent && requestMethod(message) === METHOD.read;
    const { ms, value } = await elapsed(api('n1').get(get(key)));
    expect(value.quorum.hedged).toBe(1);
    expect(ms).toBeLessThan(10);
  });

  it('a replica that fails is replaced at once', async () => {
    const key = keyFirstOwnedBy('n1');
    await write('n1', put(key, 'v', { w: 'all' }));
    const failing = ownersOf(key).at(1) ?? '';
    cluster.pause(failing);
    const read = api('n1').get(get(key));
    await cluster.pass(5);
    await cluster.crash(failing);
    const { ms, value } = await elapsed(read);
    expect(ms).toBeLessThan(10);
    expect(value.quorum.hedged).toBe(0);
  });

  it('a read ends at its deadline and says whose answer was missing', async () => {
    cluster.loses = (_, __, message) => requestMethod(message) === METHOD.read;
    const { ms, value } = await elapsed(errorOf(api('n1').get(get('k', { r: 'all', timeoutMs: 200 }))));
    expect(ms).toBeGreaterThanOrEqual(200);
    expect(ms).toBeLessThan(210);
    expect(value).toMatchObject({ code: 'deadline-exceeded', details: { required: 3, acked: ['n1'] } });
    expect([...(value.details.pending ?? [])].sort()).toEqual(['n2', 'n3']);
  });

  it('no node shows a value that is not yet on its disk (C7)', async () => {
    for (const id of cluster.ids) cluster.disk(id).hold();
    const written = api('n1').write(put('k', 'v', { timeoutMs: 60_000 }));
    await cluster.pass(5);
    expect(storedAt('n1', 'k')).toBeDefined();
    const reads = cluster.ids.map((id) => api(id).get(get('k', { r: 1, timeoutMs: 60_000 })));
    for (const read of [written, ...reads]) expect(await isOpenAfter(200, read)).toBe(true);
    cluster.disk('n2').release();
    for (const read of reads) expect(valuesOf(await cluster.settle(read))).toEqual(['v']);
    expect(await isOpenAfter(200, written)).toBe(true);
    cluster.disk('n3').release();
    await cluster.settle(written);
    cluster.disk('n1').release();
  });

  it('nor an absence that is a delete not yet on its disk (C7)', async () => {
    const { context } = await write('n1', put('k', 'v', { w: 'all' }));
    for (const id of cluster.ids) cluster.disk(id).hold();
    const deleted = api('n1').write(remove('k', { context, timeoutMs: 60_000 }));
    await cluster.pass(5);
    expect(storedAt('n1', 'k')).toBeUndefined();
    const reads = cluster.ids.map((id) => api(id).get(get('k', { r: 1, timeoutMs: 60_000 })));
    for (const read of reads) expect(await isOpenAfter(100, read)).toBe(true);
    for (const id of cluster.ids) cluster.disk(id).release();
    for (const read of reads) expect(valuesOf(await cluster.settle(read))).toEqual([]);
    await cluster.settle(deleted);
  });

  it('nor does a write show what it left in place before that is on disk', async () => {
    const key = keyFirstOwnedBy('n1');
    cluster.disk('n1').hold();
    const more = { w: 1, timeoutMs: 60_000 } as const;
    await write('n1', put(key, 'v', more));
    const shown = api('n1').write(put(key, 'v', { ...more, returnValue: true }));
    expect(await isOpenAfter(200, shown)).toBe(true);
    cluster.disk('n1').release();
    expect((await cluster.settle(shown)).siblings).toHaveLength(1);
  });

  it('a node that was paused does not refuse writes because of its own silence (R11)', async () => {
    cluster.pause('n1');
    await cluster.pass(900);
    cluster.resume('n1');
    expect((await write('n1', put('k', 'v', { w: 'all' }))).quorum.owners).toBe(3);
    cluster.pause('n1');
    await cluster.pass(10_000);
    cluster.resume('n1');
    await cluster.pass(1);
    expect((await write('n1', put('k', 'w', { w: 'all' }))).quorum.owners).toBe(3);
  });

  describe('without a leader of the metadata group', () => {
    beforeEach(async () => {
      cluster.loses = (_, __, message) => isRaft(message);
      await cluster.pass(5000);
      expect(api('n1').cluster().leader).toBeNull();
    });

    it('reads and writes go on, and changes of properties do not', async () => {
      for (const id of cluster.ids) {
        await write(id, put(`k-${id}`, id));
        expect(valuesOf(await cluster.settle(api('n1').get(get(`k-${id}`))))).toEqual([id]);
      }
      const error = await errorOf(cluster.settle(api('n1').putBucket('b', { r: 1 }, 500)));
      expect(error).toMatchObject({ code: 'no-leader', details: { retryable: true } });
    });

    it('a node that restarts applies what others write, and leaves coordinating to them', async () => {
      const key = keyFirstOwnedBy('n2');
      await write('n1', put(key, 'before', { w: 'all' }));
      await cluster.crash('n2');
      await cluster.launch('n2');
      await cluster.pass(1000);
      expect(cluster.node('n2').membership.standing).toMatchObject({ actor: undefined, mayRead: false });
      const { detector } = cluster.node('n1').membership;
      expect(detector.isUp(nodeId('n2'), cluster.clock.monotonicMs())).toBe(true);
      expect(detector.mayCoordinate(nodeId('n2'), cluster.clock.monotonicMs())).toBe(false);
      const through = await write('n2', put(key, 'after', { w: 'all' }));
      expect(through.quorum.owners).toBe(3);
      expect(storedAt('n2', key)).toEqual(storedAt('n1', key));
      // Reads wait at this node, and so are answered by the two others.
      expect(valuesOf(await cluster.settle(api('n2').get(get(key))))).toEqual(['after']);
    });

    it('a node that restarts answers reads provisionally after five seconds, and coordinates once there is a leader', async () => {
      await write('n1', put('k', 'v', { w: 'all' }));
      await cluster.crash('n2');
      await cluster.launch('n2');
      await cluster.pass(100);
      const read = api('n1').get(get('k', { r: 'all', timeoutMs: 20_000 }));
      expect(await isOpenAfter(4800, read)).toBe(true);
      expect(valuesOf(await cluster.settle(read))).toEqual(['v']);
      const { standing } = cluster.node('n2').membership;
      expect(standing).toMatchObject({ isProvisional: true, actor: undefined });
      cluster.loses = () => false;
      await cluster.until(() => standing.actor !== undefined, 'n2 to be granted');
      expect(standing.isProvisional).toBe(false);
    });

    it('reads that nobody waits for any more do not pile up at a node that may not answer them yet', async () => {
      await cluster.crash('n2');
      await cluster.launch('n2');
      await cluster.pass(100);
      const { standing } = cluster.node('n2').membership;
      const before = cluster.clock.waiting;
      const all = { r: 'all', timeoutMs: 500 } as const;
      const errors = cluster.ids.flatMap((id) => [1, 2, 3].map((i) => errorOf(api(id).get(get(`k${i}`, all)))));
      await cluster.pass(10);
      expect(standing.waitingReads).toBe(9);
      for (const error of errors) expect(await cluster.settle(error)).toMatchObject({ code: 'deadline-exceeded' });
      expect(standing.waitingReads).toBe(0);
      expect(cluster.clock.waiting).toBeLessThan(before + 20);
    });

    it('a folder that never took part answers no reads, however long it waits', async () => {
      await cluster.crash('n2');
      cluster.wipe('n2');
      await cluster.launch('n2');
      await cluster.pass(15_000);
      expect(cluster.node('n2').membership.standing.mayRead).toBe(false);
    });
  });

  it('reads are not provisional while there is a leader that has yet to decide', async () => {
    await cluster.crash('n3');
    // Heartbeats pass, but nothing that n3 asks for.
    cluster.loses = (from, _, message) => from === 'n3' && isRaft(message);
    await cluster.launch('n3');
    await cluster.pass(7000);
    expect(cluster.node('n3').membership.standing.mayRead).toBe(false);
    cluster.loses = () => false;
    await cluster.until(() => cluster.node('n3').membership.standing.actor !== undefined, 'n3 to be granted');
  });
});

describe('a write that another owner has to coordinate', () => {
  let key = '';
  let asked = '';
  let forwards: { readonly from: string; readonly to: string }[] = [];

  beforeEach(async () => {
    cluster = new InProcessCluster({ nodes: 4, n: 3 });
    await cluster.start();
    key = 'k';
    asked = cluster.ids.find((id) => !ownersOf(key).includes(id)) ?? '';
    forwards = [];
    cluster.loses = (from, to, message) => {
      if (requestMethod(message) === METHOD.write) forwards.push({ from, to });
      return false;
    };
  });
  const owner = (place: number) => ownersOf(key).at(place) ?? nodeId('');

  it('goes to the first live owner, and no further (H3)', async () => {
    await write(asked, put(key, 'v'));
    expect(forwards).toEqual([{ from: asked, to: owner(0) }]);
  });

  it('is so at another owner too when it is blind, and stays there when it has a context', async () => {
    await write(owner(1), put(key, 'blind'));
    expect(forwards).toEqual([{ from: owner(1), to: owner(0) }]);
    const { context } = await cluster.settle(api(owner(1)).get(get(key)));
    await write(owner(1), put(key, 'with a context', { context }));
    expect(forwards).toHaveLength(1);
  });

  it('is unknown when the owner is lost after it was sent, and is not tried elsewhere', async () => {
    cluster.pause(owner(0));
    const failed = errorOf(api(asked).write(put(key, 'v')));
    await cluster.pass(5);
    const first = owner(0);
    await cluster.crash(first);
    expect(await cluster.settle(failed)).toMatchObject({
      code: 'quorum-not-met',
      details: { outcome: 'unknown', failed: [{ node: first, reason: 'disconnected' }], pending: [] },
    });
    expect(forwards).toHaveLength(1);
  });

  it('is unknown when the owner is silent until the deadline', async () => {
    cluster.pause(owner(0));
    const { ms, value } = await elapsed(errorOf(api(asked).write(put(key, 'v', { timeoutMs: 300 }))));
    expect(ms).toBeLessThan(320);
    expect(value.details).toMatchObject({ outcome: 'unknown', acked: [], pending: [owner(0)] });
  });

  it('goes to the next owner when the first one is gone before it is sent', async () => {
    const [first, second] = [owner(0), owner(1)];
    await cluster.crash(first);
    // The link is gone, the news of it not yet there.
    await write(asked, put(key, 'v'));
    expect(forwards.map(({ to }) => to)).toEqual(expect.arrayContaining([second]));
  });

  it('goes to the next owner when the first one has no grant, and the refusing one does not pass it on (H3)', async () => {
    const [first, second] = [owner(0), owner(1)];
    const { loses } = cluster;
    cluster.loses = (from, to, message) => isRaft(message) || loses(from, to, message);
    await cluster.crash(first);
    await cluster.launch(first);
    await cluster.pass(100);
    // As if the news that it lost its grant had not come yet.
    cluster.node(asked).membership.detector.heard(owner(0), cluster.clock.monotonicMs(), true);
    const written = await write(asked, put(key, 'v'));
    expect(written.quorum.owners).toBeGreaterThanOrEqual(2);
    expect(forwards).toEqual([first, second].map((to) => ({ from: asked, to })));
  });

  it('is refused as not applied when no owner can coordinate it', async () => {
    for (const id of [owner(0), owner(1), owner(2)]) cluster.cut(asked, id);
    await cluster.pass(1);
    const error = await errorOf(write(asked, put(key, 'v', { w: 1, sloppy: false })));
    expect(error).toMatchObject({
      code: 'quorum-impossible',
      details: { outcome: 'not_applied', acked: [], pending: [] },
    });
    expect(error.details.failed?.map(({ reason }) => reason)).toEqual(['down', 'down', 'down']);
    expect(ownersOf(key).map((id) => storedAt(id, key))).toEqual([undefined, undefined, undefined]);
  });

  it('is answered by the coordinating owner in time, with who has it and who may', async () => {
    const silent = owner(2);
    const { loses } = cluster;
    cluster.loses = (from, to, message) =>
      loses(from, to, message) || (to === silent && requestMethod(message) === METHOD.replicate);
    const { ms, value } = await elapsed(errorOf(api(asked).write(put(key, 'v', { w: 'all', timeoutMs: 300 }))));
    expect(ms).toBeLessThan(310);
    expect(value).toMatchObject({ code: 'quorum-not-met', details: { outcome: 'unknown', pending: [silent] } });
    expect(value.details.acked).toHaveLength(2);
  });
});

/** A key of the cluster whose first owner is the given node. */
function keyFirstOwnedBy(node: string): string {
  for (let i = 0; i < 1000; i++) if (ownersOf(`key-${i}`)[0] === node) return `key-${i}`;
  throw new Error(`${node} comes first nowhere`);
}
