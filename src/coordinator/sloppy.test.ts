import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { errorOf, get, put, remove, valuesOf } from '../../test/requests.ts';
import { nodeId } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';
import { ENVELOPE } from '../rpc/envelope.ts';
import type { GetResult, WriteRequest, WriteResult } from './api.ts';

const KEY = 'k';
let cluster: InProcessCluster;
let owners: readonly string[];
let fallbacks: readonly string[];
const api = (node: string) => cluster.node(node).api;
const write = (node: string, more: Partial<WriteRequest> = {}, value = 'v'): Promise<WriteResult> =>
  cluster.settle(api(node).write(put(KEY, value, more)));
const read = (node: string, more = {}): Promise<GetResult> => cluster.settle(api(node).get(get(KEY, more)));
const owner = (index: number): string => owners[index] ?? '';
const fallback = (index: number): string => fallbacks[index] ?? '';
const counted = ({ quorum }: WriteResult | GetResult) => [quorum.owners, quorum.fallbacks];
const keptAt = (node: string) =>
  cluster
    .node(node)
    .hints.totals()
    .map(({ target }) => target);
let numbers: ReadonlyMap<string, number>;
const numberOf = (node: string) => numbers.get(node);

async function crash(...nodes: readonly string[]): Promise<void> {
  for (const node of nodes) await cluster.crash(node);
  await cluster.pass(1);
}

/** A write that a fallback keeps for this owner, which answers what it is asked, while of its heartbeats none comes through. */
async function suspectedWhileWritten(node: string): Promise<void> {
  cluster.pause(node);
  await cluster.pass(1100);
  await write(owner(0), { w: 'all', timeoutMs: 200 });
  cluster.loses = (from, _, message) => from === node && message[0] === ENVELOPE.notice;
  cluster.resume(node);
  await cluster.pass(5);
  const { members } = api(owner(0)).cluster();
  expect(members.find(({ id }) => id === node)?.seenAs).toBe('suspect');
}

beforeEach(async () => {
  cluster = new InProcessCluster({ nodes: 5, n: 3 });
  await cluster.start();
  const { preferenceList } = api('n1').ringOf('b', KEY);
  numbers = new Map(
    api('n1')
      .cluster()
      .members.map(({ id, number }) => [id, number]),
  );
  owners = preferenceList.slice(0, 3);
  fallbacks = preferenceList.slice(3);
});

describe('a sloppy write', () => {
  it('counts owners alone while they are all there', async () => {
    expect(counted(await write(owner(0), { w: 'all' }))).toEqual([3, 0]);
    await cluster.pass(50);
    expect(cluster.ids.map((id) => cluster.node(id).hints.count)).toEqual([0, 0, 0, 0, 0]);
  });

  it('has a fallback stand in for an owner that is away, and says so', async () => {
    await crash(owner(1));
    expect(counted(await write(owner(0), { w: 'all' }))).toEqual([2, 1]);
    expect(keptAt(fallback(0))).toEqual([numberOf(owner(1))]);
    expect(keptAt(fallback(1))).toEqual([]);
  });

  it('gives each owner that is away a fallback of its own', async () => {
    await crash(owner(1), owner(2));
    expect(counted(await write(owner(0), { w: 'all' }))).toEqual([1, 2]);
    expect([...keptAt(fallback(0)), ...keptAt(fallback(1))].sort()).toEqual([owner(1), owner(2)].map(numberOf).sort());
  });

  it('never counts fallbacks towards pw (H9)', async () => {
    await crash(owner(1), owner(2));
    const error = await errorOf(write(owner(0), { w: 'all', pw: 2 }));
    expect(error).toMatchObject({ code: 'quorum-impossible', details: { outcome: 'not_applied' } });
    expect(counted(await write(owner(0), { w: 'all', pw: 1 }))).toEqual([1, 2]);
  });

  it('asks a fallback when an owner fails while it runs, and the next one when that fails', async () => {
    cluster.pause(owner(1));
    cluster.pause(fallback(0));
    const written = api(owner(0)).write(put(KEY, 'v', { w: 'all' }));
    await cluster.pass(20);
    await cluster.crash(owner(1));
    await cluster.pass(20);
    await cluster.crash(fallback(0));
    expect(counted(await cluster.settle(written))).toEqual([2, 1]);
    expect(keptAt(fallback(1))).toEqual([numberOf(owner(1))]);
  });

  it('is acknowledged by fallbacks alone when no owner can be reached', async () => {
    await crash(...owners);
    const written = await write(fallback(1), { w: 2 });
    expect(counted(written)).toEqual([0, 2]);
    const error = await errorOf(write(fallback(1), { w: 'all' }));
    expect(error).toMatchObject({ code: 'quorum-impossible', details: { outcome: 'not_applied' } });
  });

  it('overwrites at a fallback what that keeps, wherever it was asked', async () => {
    await crash(...owners);
    for (const [i, node] of [...fallbacks, ...fallbacks].entries()) await write(node, {}, `value ${i}`);
    expect(valuesOf(await read(fallback(0), { r: 2 }))).toEqual(['value 3']);
  });

  it('stays beside what was written unseen by a fallback, once the owners are back', async () => {
    await write(owner(0), { w: 'all' }, 'before');
    await crash(...owners);
    await write(fallback(0), {}, 'meanwhile');
    await cluster.start(owners);
    await cluster.until(() => fallbacks.every((id) => cluster.node(id).hints.count === 0), 'the hints to be delivered');
    const found = await read(owner(0), { r: 'all', pr: 'all' });
    expect(valuesOf(found)).toEqual(expect.arrayContaining(['before', 'meanwhile']));
    expect(found.siblings).toHaveLength(2);
  });

  it('with a context replaces through a fallback what the client has seen', async () => {
    await write(owner(0), { w: 'all' }, 'before');
    const { context } = await read(owner(0));
    await crash(...owners);
    await write(fallback(0), { context }, 'after');
    await cluster.start(owners);
    await cluster.until(() => fallbacks.every((id) => cluster.node(id).hints.count === 0), 'the hints to be delivered');
    expect(valuesOf(await read(owner(0), { r: 'all', pr: 'all' }))).toEqual(['after']);
  });

  it('that deletes is kept as well as one that adds', async () => {
    await write(owner(0), { w: 'all' }, 'before');
    const { context } = await read(owner(0));
    await crash(...owners);
    expect(counted(await cluster.settle(api(fallback(0)).write(remove(KEY, { context }))))).toEqual([0, 2]);
    await cluster.start(owners);
    await cluster.until(() => fallbacks.every((id) => cluster.node(id).hints.count === 0), 'the hints to be delivered');
    expect(valuesOf(await read(owner(0), { r: 'all', pr: 'all' }))).toEqual([]);
  });
});

describe('a strict write', () => {
  it('takes no fallback', async () => {
    await crash(owner(1), owner(2));
    const error = await errorOf(write(owner(0), { sloppy: false }));
    expect(error).toMatchObject({ code: 'quorum-impossible', details: { outcome: 'not_applied' } });
    expect(fallbacks.flatMap(keptAt)).toEqual([]);
  });

  it('that was acknowledged without an owner that is away leaves a hint at its coordinator (H14)', async () => {
    await crash(owner(2));
    expect(counted(await write(owner(0), { sloppy: false }))).toEqual([2, 0]);
    await cluster.pass(50);
    expect(keptAt(owner(0))).toEqual([numberOf(owner(2))]);
    await cluster.start([owner(2)]);
    await cluster.until(() => cluster.node(owner(0)).hints.count === 0, 'the hint to be delivered');
    expect(valuesOf(await read(owner(2), { r: 1 }))).toEqual(['v']);
  });

  it('leaves one for every owner that lacks it, also where a suspected one and its fallback both have it', async () => {
    cluster.pause(owner(1));
    await cluster.pass(1100);
    await crash(owner(2));
    cluster.resume(owner(1));
    const { detector } = cluster.node(owner(0)).membership;
    expect(detector.seenAs(cluster.ids.find((id) => id === owner(1)) ?? nodeId(''), cluster.clock.monotonicMs())).toBe(
      'suspect',
    );
    cluster.loses = (_, to, message) => to === fallback(1) && requestMethod(message) === METHOD.hint;
    await write(owner(0), { timeoutMs: 100 });
    await cluster.pass(110);
    expect(keptAt(fallback(0))).toEqual([numberOf(owner(1))]);
    expect(keptAt(owner(0))).toEqual([numberOf(owner(2))]);
  });

  it('leaves a hint for an owner that is not known to be away, once its time is up', async () => {
    cluster.loses = (_, to, message) => to === owner(2) && requestMethod(message) === METHOD.replicate;
    await write(owner(0), { sloppy: false, timeoutMs: 300 });
    expect(keptAt(owner(0))).toEqual([]);
    await cluster.pass(310);
    expect(keptAt(owner(0))).toEqual([numberOf(owner(2))]);
  });
});

describe('a sloppy read', () => {
  it('counts a fallback that holds a hint for the key', async () => {
    await crash(owner(1), owner(2));
    await write(owner(0));
    const found = await read(owner(0));
    expect([valuesOf(found), counted(found)]).toEqual([['v'], [1, 1]]);
    expect(await errorOf(read(owner(0), { sloppy: false }))).toMatchObject({ code: 'quorum-impossible' });
    expect(await errorOf(read(owner(0), { pr: 2 }))).toMatchObject({ code: 'quorum-impossible' });
  });

  it('does not count a fallback without one: only owners can say that there is nothing', async () => {
    await write(owner(0), { w: 'all' });
    await crash(owner(1), owner(2));
    const error = await errorOf(read(owner(0)));
    expect(error.code).toBe('quorum-impossible');
    expect(error.details.failed?.filter(({ reason }) => reason === 'no-hint').map(({ node }) => node)).toEqual(
      fallbacks,
    );
    expect(counted(await read(owner(0), { r: 1 }))).toEqual([1, 0]);
  });

  it('is answered by fallbacks alone when no owner can be reached', async () => {
    await crash(...owners);
    await write(fallback(0));
    for (const node of fallbacks) {
      const found = await read(node);
      expect([valuesOf(found), counted(found)]).toEqual([['v'], [0, 2]]);
    }
  });

  describe('that demands owners (pr), where one is away and one only seems so', () => {
    beforeEach(async () => {
      await cluster.crash(owner(1));
      await suspectedWhileWritten(owner(2));
    });

    it('asks these before fallbacks, which cannot take their place', async () => {
      for (const r of [2, 3]) {
        const found = await read(owner(0), { r, pr: 2, explain: true });
        expect([valuesOf(found), counted(found)]).toEqual([['v'], [2, r - 2]]);
        expect(found.explanation?.replicas.filter(({ askedMs }) => askedMs === 0)).toHaveLength(r);
      }
    });

    it('asks a fallback before the one that only seems to be away, where no more owners are demanded', async () => {
      const { explanation } = await read(owner(0), { pr: 1, explain: true });
      expect(explanation?.replicas.find(({ node }) => node === owner(2))?.askedMs).toBeUndefined();
    });
  });

  it('that demands owners (pr) asks the one that only seems to be away as soon as another is lost', async () => {
    await suspectedWhileWritten(owner(2));
    cluster.pause(owner(1));
    const found = api(owner(0)).get(get(KEY, { pr: 2, explain: true }));
    const startedMs = cluster.clock.monotonicMs();
    await cluster.pass(1);
    await cluster.crash(owner(1));
    expect(counted(await cluster.settle(found))).toEqual([2, 0]);
    // Sooner than it would be asked because the answer takes long.
    expect(cluster.clock.monotonicMs() - startedMs).toBeLessThan(10);
  });

  it('asks the fallback when an owner fails while it runs', async () => {
    await crash(owner(2));
    await write(owner(0), { w: 'all' });
    cluster.pause(owner(1));
    const found = api(owner(0)).get(get(KEY));
    await cluster.pass(10);
    await cluster.crash(owner(1));
    expect(counted(await cluster.settle(found))).toEqual([1, 1]);
  });

  describe('that finds at a fallback what the owners lack', () => {
    beforeEach(async () => {
      await crash(...owners);
      await write(fallback(0));
      const isDelivery = (from: string, message: Uint8Array): boolean =>
        fallbacks.includes(from) && requestMethod(message) === METHOD.replicate;
      cluster.loses = (from, _, message) => isDelivery(from, message);
      await cluster.start(owners.slice(0, 2));
      await cluster.pass(1);
    });

    it('repairs the owners, after the answer', async () => {
      const found = await read(owner(0), { r: 'all', explain: true });
      expect([valuesOf(found), counted(found)]).toEqual([['v'], [2, 1]]);
      expect(found.explanation).toMatchObject({ writtenBack: [], repaired: owners.slice(0, 2) });
      await cluster.pass(50);
      expect(valuesOf(await read(owner(1), { r: 1 }))).toEqual(['v']);
    });

    it('brings it before the answer to as many owners as pr demands (H11)', async () => {
      const found = await read(owner(0), { r: 'all', pr: 2, explain: true });
      expect([valuesOf(found), counted(found)]).toEqual([['v'], [2, 1]]);
      expect(found.explanation?.writtenBack.map(({ node, durableMs }) => [node, durableMs !== undefined])).toEqual(
        owners.slice(0, 2).map((node) => [node, true]),
      );
      expect(valuesOf(await read(owner(1), { r: 2, sloppy: false }))).toEqual(['v']);
    });
  });
});

describe('where all nodes are owners', () => {
  it('nobody can stand in, and nothing changes', async () => {
    cluster = new InProcessCluster({ nodes: 3, n: 3 });
    await cluster.start();
    await cluster.crash('n3');
    await cluster.pass(1);
    expect(counted(await cluster.settle(api('n1').write(put(KEY, 'v'))))).toEqual([2, 0]);
    const error = await errorOf(cluster.settle(api('n1').write(put(KEY, 'v', { w: 'all' }))));
    expect(error).toMatchObject({ code: 'quorum-impossible', details: { outcome: 'not_applied' } });
  });
});
