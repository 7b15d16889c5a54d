/** Writes of a key whose first owner cannot read its record: other owners serve it until it is mended. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster, type InProcessOptions } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { errorOf, get, put, remove, valuesOf } from '../../test/requests.ts';
import { objectKey } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';
import { objectStateKey } from '../storage/state-format.ts';
import type { GetResult, WriteRequest, WriteResult } from './api.ts';

const KEY = 'k';
let cluster: InProcessCluster;
let owners: readonly string[];
/** Nobody tells a damaged owner what the others hold. */
let isMendable: boolean;
let forwards: readonly string[];

const api = (node: string) => cluster.node(node).api;
const owner = (place: number): string => owners[place] ?? '';
const write = (node: string, value: string, more: Partial<WriteRequest> = {}): Promise<WriteResult> =>
  cluster.settle(api(node).write(put(KEY, value, more)));
const read = (node: string, more = {}): Promise<GetResult> => cluster.settle(api(node).get(get(KEY, more)));
const counted = ({ quorum }: WriteResult | GetResult) => [quorum.owners, quorum.fallbacks];
const hintsAt = (nodes: readonly string[]): number =>
  nodes.reduce((sum, node) => sum + cluster.node(node).hints.count, 0);
const clocks = () =>
  owners.map((node) => JSON.stringify(cluster.store(node).clock(api(node).ringOf('b', KEY).partition)));

/** The node stops, its disk turns over one bit of the key's record, and it starts again. */
async function damage(node: string): Promise<void> {
  await cluster.stop(node);
  const { state } = cluster.disk(node);
  const { partition } = api(cluster.ids.find((id) => cluster.isRunning(id)) ?? '').ringOf('b', KEY);
  const place = objectStateKey(partition, objectKey('b', KEY));
  const value = Buffer.from(state.get(place) ?? []);
  expect(value.length).toBeGreaterThan(0);
  value[value.length >> 1] = (value[value.length >> 1] ?? 0) ^ 1;
  await state.write([{ key: place, value }]);
  await cluster.start([node]);
  await cluster.until(() => cluster.node(node).replica.damaged.count === 1, 'the damage to be found');
}

async function start(options: InProcessOptions, damaged: number): Promise<void> {
  cluster = new InProcessCluster({ partitions: 4, ...options });
  await cluster.start();
  owners = api('n1').ringOf('b', KEY).owners;
  await write('n1', 'before', { w: 'all' });
  isMendable = false;
  forwards = [];
  cluster.loses = (from, to, message) => {
    if (requestMethod(message) === METHOD.write) forwards = [...forwards, to];
    return owners.includes(from) && requestMethod(message) === METHOD.read && !isMendable;
  };
  for (const node of owners.slice(0, damaged)) await damage(node);
  // All have heard that it is back.
  await cluster.pass(500);
}

async function mend(node: string): Promise<void> {
  isMendable = true;
  await cluster.until(() => cluster.node(node).replica.damaged.count === 0, 'the record to be mended', 90_000);
}

describe('a write of a key that its first owner cannot read', () => {
  beforeEach(() => start({}, 1));

  it('is coordinated by the next owner when it is blind, wherever it was asked', async () => {
    for (const [place, node] of owners.entries()) {
      forwards = [];
      expect(counted(await write(node, `value ${place}`))).toEqual([2, 0]);
      expect(forwards).toEqual([[owner(1)], [owner(0)], [owner(0), owner(1)]][place]);
    }
    isMendable = true;
    expect(valuesOf(await read(owner(1)))).toEqual(['value 2']);
  });

  it('is coordinated by another owner when it has a context and is asked where the damage is', async () => {
    isMendable = true;
    const { context } = await read(owner(1));
    isMendable = false;
    const { explanation } = await write(owner(0), 'after', { context, explain: true });
    expect(explanation).toMatchObject({
      coordinators: [{ node: owner(0), refused: expect.stringContaining('damaged') }, { node: owner(1) }],
    });
    const removed = await cluster.settle(api(owner(0)).write(remove(KEY, { context, returnValue: true })));
    expect(valuesOf({ siblings: removed.siblings ?? [] })).toEqual(['after']);
  });

  it('is stored once, and nothing of it where it was refused (H3)', async () => {
    const before = clocks();
    // Neither replication nor a hint brings the first owner what it has refused to coordinate.
    const { loses } = cluster;
    cluster.loses = (from, to, message) =>
      loses(from, to, message) || (to === owner(0) && requestMethod(message) === METHOD.replicate);
    await write(owner(2), 'after');
    expect(clocks()[0]).toBe(before[0]);
    expect(clocks().slice(1)).not.toEqual(before.slice(1));
    cluster.loses = () => false;
    await mend(owner(0));
    for (const node of owners) expect(valuesOf(await read(node, { r: 'all' }))).toEqual(['after']);
  });

  it('leaves a hint for that owner, which stays until the record is mended (H14)', async () => {
    const others = owners.slice(1);
    await write(owner(1), 'after', { sloppy: false });
    await cluster.pass(100);
    expect(hintsAt(others)).toBe(1);
    await cluster.pass(5000);
    expect(hintsAt(others)).toBe(1);
    await mend(owner(0));
    await cluster.until(() => hintsAt(others) === 0, 'the hint to be delivered');
    expect(valuesOf(await read(owner(0), { r: 1 }))).toEqual(['after']);
  });

  it('fails as unknown when the damaged owner is needed and nobody stands in for it', async () => {
    expect(await errorOf(write(owner(1), 'after', { w: 'all' }))).toMatchObject({
      code: 'quorum-not-met',
      details: { outcome: 'unknown', failed: [{ node: owner(0), reason: expect.stringContaining('damaged') }] },
    });
  });
});

describe('an owner whose disk is behind', () => {
  it('refuses writes itself, and leaves them to no other: that would make siblings of them', async () => {
    await start({}, 0);
    Object.defineProperty(cluster.store(owner(0)), 'overloaded', { get: () => true });
    for (const node of owners) {
      expect(await errorOf(write(node, 'after'))).toMatchObject({
        code: 'overloaded',
        details: { outcome: 'not_applied' },
      });
    }
    expect(new Set(forwards)).toEqual(new Set([owner(0)]));
  });
});

describe('where fallbacks can stand in', () => {
  beforeEach(() => start({ nodes: 5, n: 3 }, 1));
  const fallbacks = () => cluster.ids.filter((id) => !owners.includes(id));

  it('one of them keeps the write for the owner with the damaged record, and delivers it once that is mended', async () => {
    expect(counted(await write(fallbacks()[0] ?? '', 'after', { w: 'all' }))).toEqual([2, 1]);
    expect(hintsAt(fallbacks())).toBe(1);
    await cluster.pass(5000);
    expect(hintsAt(fallbacks())).toBe(1);
    await mend(owner(0));
    await cluster.until(() => hintsAt(fallbacks()) === 0, 'the hint to be delivered');
    expect(valuesOf(await read(owner(0), { r: 1 }))).toEqual(['after']);
  });
});

describe('a write of a key that no owner can read', () => {
  beforeEach(() => start({}, 3));

  it('is refused as not applied, with the reason of each, and stored nowhere (H10)', async () => {
    const before = clocks();
    for (const node of owners) {
      const error = await errorOf(write(node, 'after', { w: 1 }));
      expect(error).toMatchObject({
        code: 'quorum-impossible',
        details: { outcome: 'not_applied', retryable: true, acked: [], pending: [] },
      });
      expect(error.details.failed).toEqual(
        owners.map((id) => ({ node: id, reason: expect.stringContaining('damaged') })),
      );
    }
    expect(clocks()).toEqual(before);
  });
});
