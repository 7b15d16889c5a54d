/** Whole nodes in this process, of which one has lost something: what the others have is found, and comes back. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { get, put, remove, valuesOf } from '../../test/requests.ts';
import { decodeContainer, encodeContainer } from '../core/causality/container.ts';
import { objectKey, type Partition, partition } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';
import { CONTENT_DIFFERS } from './content-checks.ts';
import { CONTENT_SURPRISES } from './inventory.ts';

/** An exchange with each peer comes after 3 s at the latest. */
const ROUND_MS = 3000;
const only: Partition = partition(0);

let cluster: InProcessCluster;
const counts = (node: string) => cluster.node(node).contents.counts;
const inAll = (what: 'mismatches' | 'compared' | 'repairs') =>
  cluster.ids.reduce((sum, id) => sum + counts(id)[what], 0);
const hashes = () => cluster.ids.map((id) => cluster.node(id).contents.hashOf(only));
const stored = (node: string, key: string) => cluster.store(node).read(only, objectKey('b', key));
const logged = (text: string) => cluster.log.filter((line) => line.includes(text));
const allAgree = () => new Set(hashes()).size === 1 && hashes()[0] !== undefined;

async function write(at: string, key: string, value: string): Promise<void> {
  await cluster.settle(cluster.node(at).api.write(put(key, value, { w: 3 })));
}

/** Behind the node's back, and seen by it when it starts again. */
async function damage(node: string, key: string, object: Uint8Array | undefined): Promise<void> {
  const store = cluster.store(node);
  store.apply(only, objectKey('b', key), object, []);
  await cluster.settle(store.durable(store.lastSequence, 'flush'));
  await cluster.stop(node);
  await cluster.start([node]);
}

beforeEach(async () => {
  cluster = new InProcessCluster({ partitions: 1 });
  await cluster.start();
  for (let i = 0; i < 12; i++) await write(`n${1 + (i % 3)}`, `k${i}`, `v${i}`);
  await cluster.until(allAgree, 'all contents to be known', 3 * ROUND_MS);
});

describe('an object that one owner has lost', () => {
  beforeEach(() => damage('n2', 'k5', undefined));

  it('is found and comes back within two exchanges, and is not taken from the others', async () => {
    await cluster.until(allAgree, 'contents to agree', 4 * ROUND_MS);
    for (const id of cluster.ids) expect(stored(id, 'k5')).toEqual(stored('n1', 'k5'));
    expect(valuesOf(await cluster.settle(cluster.node('n2').api.get(get('k5', { r: 1 }))))).toEqual(['v5']);
    expect(counts('n2')).toMatchObject({ repairs: 1 });
    expect(counts('n2').mismatches).toBeGreaterThanOrEqual(1);
    expect(logged(CONTENT_DIFFERS)[0]).toContain('"partition":0');
  });

  it('is shown as a divergence until then, and repairs go to zero afterwards (H27)', async () => {
    await cluster.until(() => counts('n2').mismatches > 0, 'the mismatch to be noticed');
    expect(cluster.node('n2').api.sync().partitions).toContainEqual(
      expect.objectContaining({ partition: only, missingHere: 0, missingThere: 0 }),
    );
    await cluster.until(allAgree, 'contents to agree', 4 * ROUND_MS);
    await cluster.pass(2 * ROUND_MS);
    const [mismatches, repairs, compared] = [inAll('mismatches'), inAll('repairs'), inAll('compared')];
    await cluster.pass(5 * ROUND_MS);
    expect([inAll('mismatches'), inAll('repairs')]).toEqual([mismatches, repairs]);
    expect(inAll('compared')).toBeGreaterThan(compared);
    expect(cluster.ids.map((id) => cluster.node(id).api.sync().oldestMs)).toEqual([null, null, null]);
    expect(cluster.ids.map((id) => cluster.node(id).contents.corrupt)).toEqual([0, 0, 0]);
  });

  it('stays away when it is deleted at that owner while the repair is under way', async () => {
    await cluster.until(() => counts('n2').compared > 0, 'contents to be compared');
    const api = cluster.node('n2').api;
    let deleted: Promise<unknown> | undefined;
    cluster.loses = (from, _, message) => {
      const method = requestMethod(message);
      if (from === 'n2' && method === METHOD.compare) deleted ??= deleteWithContext();
      // The others are to hear of it when the repair has had its say.
      return from === 'n2' && deleted !== undefined && method === METHOD.replicate;
    };
    const deleteWithContext = async () => {
      const { context } = await api.get(get('k5', { r: 1 }));
      return api.write(remove('k5', { w: 1, context }));
    };
    await cluster.until(() => counts('n2').repairs > 0, 'the repair');
    await cluster.settle(Promise.resolve(deleted));
    expect(stored('n2', 'k5')).toBeUndefined();
    cluster.loses = () => false;
    await cluster.until(allAgree, 'contents to agree', 20_000);
    for (const id of cluster.ids) expect(stored(id, 'k5')).toBeUndefined();
  });
});

describe('other damage', () => {
  it('in a value is settled alike everywhere', async () => {
    const { siblings, context } = decodeContainer(stored('n3', 'k7') ?? new Uint8Array());
    const greater = siblings.map(({ dot, version }) => ({ dot, version: version.with(-1, 0xff) }));
    const object = Buffer.from(encodeContainer({ siblings: greater, context }));
    await damage('n3', 'k7', object);
    await cluster.until(allAgree, 'contents to agree', 6 * ROUND_MS);
    for (const id of cluster.ids) expect(object.equals(stored(id, 'k7') ?? new Uint8Array())).toBe(true);
    expect(inAll('mismatches')).toBeGreaterThan(0);
  });

  it('under a node that runs is found when it looks through its disk again', async () => {
    cluster.store('n1').apply(only, objectKey('b', 'k1'), undefined, []);
    await cluster.pass(2 * ROUND_MS);
    expect([inAll('mismatches'), logged(CONTENT_SURPRISES).length]).toEqual([0, 0]);
    cluster.clock.advance(600_000);
    await cluster.until(() => logged(CONTENT_SURPRISES).length > 0, 'the node to look', 30_000);
    await cluster.until(allAgree, 'contents to agree', 6 * ROUND_MS);
    for (const id of cluster.ids) expect(stored(id, 'k1')).toEqual(stored('n2', 'k1'));
    expect(stored('n1', 'k1')).toBeDefined();
  });

  it('to the hash alone is cured by counting again, and touches no key', async () => {
    const { content } = cluster.node('n1').replica;
    const ghost = decodeContainer(stored('n1', 'k1') ?? new Uint8Array());
    content.changed(only, objectKey('b', 'ghost'), { siblings: [], context: [] }, ghost);
    await cluster.until(() => inAll('mismatches') > 0, 'the mismatch to be noticed');
    await cluster.until(allAgree, 'contents to agree', 4 * ROUND_MS);
    expect(logged('mended a key')).toEqual([]);
  });
});

describe('owners that differ in nothing but what they have heard', () => {
  it('raise no alarm in calm, nor while clients write, messages are lost and nodes restart', async () => {
    let sent = 0;
    cluster.loses = (_, __, message) => requestMethod(message) === METHOD.replicate && sent++ % 3 === 0;
    const open: Promise<unknown>[] = [];
    const before = inAll('compared');
    for (let i = 0; i < 300; i++) {
      const { api } = cluster.node(`n${1 + (i % 3)}`);
      const request = i % 4 === 3 ? remove(`k${i % 12}`, { w: 1 }) : put(`k${i % 12}`, `w${i}`, { w: 1 });
      open.push(api.write(request).catch(() => undefined));
      await cluster.pass(40);
      if (i === 150) {
        await cluster.crash('n2');
        await cluster.start(['n2']);
      }
    }
    await cluster.settle(Promise.all(open));
    expect(inAll('compared')).toBeGreaterThan(before);
    cluster.loses = () => false;
    await cluster.until(allAgree, 'contents to agree', 20_000);
    await cluster.pass(2 * ROUND_MS);
    expect(logged('seems to differ')).toEqual([]);
    expect(inAll('mismatches')).toBe(0);
  });
});

describe('the hash of a node\u2019s contents', () => {
  it('is unknown until it has looked through its keys, and equal clocks say nothing until then', async () => {
    await cluster.stop('n3');
    await cluster.launch('n3');
    expect(cluster.node('n3').contents.unknown).toBe(0);
    await cluster.until(() => cluster.node('n3').membership.view !== undefined, 'the view');
    expect([cluster.node('n3').contents.unknown, hashes()[2]]).toEqual([1, undefined]);
    await cluster.until(allAgree, 'contents to be known', 4 * ROUND_MS);
    expect(cluster.node('n3').contents.unknown).toBe(0);
  });
});
