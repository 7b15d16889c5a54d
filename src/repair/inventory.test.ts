import { beforeEach, describe, expect, it } from 'vitest';
import { actorOf } from '../core/causality/dot.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import { epoch, logIndex, memberNumber, nodeId, objectKey, type Partition, partition } from '../core/ids.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import { siblingHash } from '../replica/content-hashes.ts';
import { Replica } from '../replica/replica.ts';
import { openTestStore, type TestStore, turn } from '../storage/storage-builders.ts';
import { loadHashes } from '../system/hash.ts';
import { CONTENT_SURPRISES, Inventory } from './inventory.ts';

const hashOf = siblingHash((await loadHashes()).checksum32);
const mine = actorOf(memberNumber(1), logIndex(5));
const p0 = partition(0);
const p1 = partition(1);
const p2 = partition(2);
const view = new ClusterView(new History(createCommand()).present);

let disk: TestStore;

const open = (): Replica =>
  new Replica({
    ...{ self: nodeId('n1'), store: disk.store, limits: { siblings: 3, objectBytes: 1000 }, hashOf },
    currentView: () => view,
    ownActor: () => mine,
    forgot: () => {},
  });
const inventoryOf = (replica: Replica): Inventory => new Inventory({ ...disk, replica, keys: 2 });
const write = (replica: Replica, at: Partition, name: string, value: string): void =>
  void replica.coordinate(
    { epoch: epoch(1), partition: at, key: objectKey('b', name) },
    mine,
    Buffer.from(value),
    undefined,
  );

/** Runs the clock on, with something to do after each step, until the work is done. */
async function finish(work: Promise<void>, meanwhile: (step: number) => void = () => undefined): Promise<void> {
  let isDone = false;
  void work.then(() => {
    isDone = true;
  });
  for (let step = 0; !isDone; step++) {
    await turn();
    meanwhile(step);
    disk.clock.advance(2);
  }
}

/** What a new count of all that is stored finds. */
async function freshHash(at: Partition): Promise<number | undefined> {
  const fresh = open();
  await finish(inventoryOf(fresh).count(at));
  return fresh.contentHash(at);
}

/** Its time is up after two keys. */
const oneStep = (inventory: Inventory): Promise<void> =>
  finish(inventory.take([p0, p1]), () => disk.clock.advance(1000));

beforeEach(async () => {
  disk = await openTestStore();
  const before = open();
  for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) write(before, i < 3 ? p0 : p1, name, `value ${i}`);
});

describe('an inventory', () => {
  it('makes the hashes of all partitions known, empty ones included', async () => {
    const replica = open();
    expect([p0, p1, p2].map((at) => replica.contentHash(at))).toEqual([undefined, undefined, undefined]);
    await finish(inventoryOf(replica).take([p0, p1, p2]));
    const hashes = [p0, p1, p2].map((at) => replica.contentHash(at));
    expect(new Set(hashes).size).toBe(3);
    expect(hashes[2]).toBe(0);
  });

  it('comes to the same while keys behind it and before it change', async () => {
    const replica = open();
    const work = inventoryOf(replica).take([p0]);
    await finish(work, (step) => {
      for (const name of ['a', 'bb', 'z']) write(replica, p0, name, `step ${step}`);
    });
    const fresh = open();
    await finish(inventoryOf(fresh).take([p0]));
    expect(replica.contentHash(p0)).toBe(fresh.contentHash(p0));
  });

  it('misses no key that is written when it has just found the last', async () => {
    const replica = open();
    const work = inventoryOf(replica).count(p2);
    write(replica, p2, 'first', 'written before anything else can run');
    await work;
    const fresh = open();
    await finish(inventoryOf(fresh).take([p2]));
    expect(replica.contentHash(p2)).toBe(fresh.contentHash(p2));
  });

  it('finds the keys that are stored with a context', async () => {
    const late = { actor: actorOf(memberNumber(2), logIndex(5)), counter: 3 };
    const container = { siblings: [], context: [{ actor: late.actor, runs: [3, 3] }] };
    const first = open();
    first.merge({ epoch: epoch(1), partition: p0, key: objectKey('b', 'a'), dots: [], container });
    const replica = open();
    await finish(inventoryOf(replica).take([p0]));
    expect([replica.residueCount, replica.contentHash(p0)]).toEqual([1, undefined]);
    disk.store.applyClock(p0, container.context);
    expect(replica.contentHash(p0)).toEqual(expect.any(Number));
  });

  it('reports a partition that it cannot read, and goes on with the others', async () => {
    disk.store.apply(p0, objectKey('b', 'bad'), Uint8Array.of(9, 9, 9), []);
    const replica = open();
    const inventory = inventoryOf(replica);
    await finish(inventory.take([p0, p1]));
    expect([replica.contentHash(p0), replica.contentHash(p1)]).toEqual([undefined, expect.any(Number)]);
    expect(disk.logger.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ partition: p0 }) }),
    );
    const lines = disk.logger.lines.length;
    await finish(inventory.take([p0, p1]));
    expect(disk.logger.lines.length).toBe(lines);
  });

  it('ends when the node stops, with nothing known', async () => {
    const replica = open();
    const inventory = inventoryOf(replica);
    await finish(inventory.take([p0]), () => inventory.stop());
    expect(replica.contentHash(p0)).toBeUndefined();
  });

  it('leaves the rest of a partition for the next time when it takes long, and counts what changes in between', async () => {
    const replica = open();
    const inventory = inventoryOf(replica);
    // "a" and "b" have been passed, "c" has not.
    await oneStep(inventory);
    expect(replica.contentHash(p0)).toBeUndefined();
    for (const name of ['a', 'aa', 'c', 'd']) write(replica, p0, name, 'written between two rounds');
    await oneStep(inventory);
    expect(replica.contentHash(p0)).toBeUndefined();
    for (const name of ['aa', 'bb', 'z']) write(replica, p0, name, 'written later');
    await finish(inventory.take([p0, p1]));
    expect(replica.contentHash(p0)).toBe(await freshHash(p0));
    expect(replica.contentHash(p1)).toEqual(expect.any(Number));
  });

  it('is the same when the whole partition was counted between two of its rounds', async () => {
    const replica = open();
    const inventory = inventoryOf(replica);
    await oneStep(inventory);
    await finish(inventory.count(p0));
    const hash = replica.contentHash(p0);
    expect(hash).toBe(await freshHash(p0));
    await finish(inventory.take([p0, p1]));
    expect(replica.contentHash(p0)).toBe(hash);
    expect(disk.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('knows nothing in the end when what it has passed was damaged and is had again from others', async () => {
    const replica = open();
    const inventory = inventoryOf(replica);
    await oneStep(inventory);
    const a = objectKey('b', 'a');
    disk.store.apply(p0, a, Uint8Array.of(9, 9, 9), []);
    const dot = { actor: mine, counter: 1 };
    replica.restore(
      { partition: p0, key: a },
      { siblings: [{ dot, version: Buffer.from('value 0') }], context: [] },
      true,
    );
    await finish(inventory.take([p0, p1]));
    expect(replica.contentHash(p0)).toBeUndefined();
    await finish(inventory.count(p0));
    expect(replica.contentHash(p0)).toBe(await freshHash(p0));
  });

  it('counts a partition anew in rounds as well, while its hash is known', async () => {
    const replica = open();
    const inventory = inventoryOf(replica);
    await finish(inventory.take([p0]));
    disk.clock.advance(600_000);
    await oneStep(inventory);
    write(replica, p0, 'a', 'changed between two rounds');
    expect(replica.contentHash(p0)).toBe(await freshHash(p0));
    disk.store.apply(p0, objectKey('b', 'c'), undefined, []);
    await finish(inventory.take([p0]));
    expect(replica.contentHash(p0)).toBe(await freshHash(p0));
    expect(disk.logger.lines).toContainEqual(expect.objectContaining({ message: CONTENT_SURPRISES }));
  });
});
