/** One object that cannot be read any more, on one owner's disk: everything else goes on. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { errorOf, get, put, remove } from '../../test/requests.ts';
import { objectKey } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';
import { objectStateKey } from '../storage/state-format.ts';

const KEYS = Array.from({ length: 40 }, (_, i) => `key-${i}`);

let cluster: InProcessCluster;
let hintsAreLost: boolean;
/** Nobody answers n3 what it holds of a key. */
let readsAreLost: boolean;
const api = (node: string) => cluster.node(node).api;
const partitionOf = (key: string) => api('n1').ringOf('b', key).partition;

/** Whether the node holds that text under the key; false also when it cannot read it. */
function holds(key: string, text: string, node = 'n3'): boolean {
  try {
    const object = cluster.store(node).read(partitionOf(key), objectKey('b', key));
    return object !== undefined && Buffer.from(object).includes(text);
  } catch {
    return false;
  }
}

/** Turns one bit of the object over, where it lies on the stopped node's disk. */
async function damage(node: string, key: string, partition = partitionOf(key)): Promise<void> {
  const { state } = cluster.disk(node);
  const place = objectStateKey(partition, objectKey('b', key));
  const value = Buffer.from(state.get(place) ?? []);
  expect(value.length).toBeGreaterThan(0);
  value[value.length >> 1] = (value[value.length >> 1] ?? 0) ^ 1;
  await state.write([{ key: place, value }]);
}

/** n3 is stopped, `victim` damaged on its disk, and meanwhile `change` made of every key. */
async function missAll(victim: string, change: (key: string) => ReturnType<typeof put>): Promise<void> {
  await cluster.stop('n3');
  await damage('n3', victim);
  hintsAreLost = true;
  for (const key of KEYS) await cluster.settle(api('n1').write(change(key)));
}

describe('an owner with a damaged object', () => {
  let victim: string;
  let others: readonly string[];

  beforeEach(async () => {
    hintsAreLost = false;
    readsAreLost = false;
    cluster = new InProcessCluster({ partitions: 4 });
    await cluster.start();
    // Nothing but the exchange between owners brings n3 what it missed.
    cluster.loses = (from, to, message) =>
      (to === 'n3' && requestMethod(message) === METHOD.replicate && hintsAreLost) ||
      (from === 'n3' && requestMethod(message) === METHOD.read && readsAreLost);
    for (const key of KEYS) await cluster.settle(api('n1').write(put(key, 'first', { w: 3 })));
    // In the partition, and at the place in it, that come first.
    const [first = ''] = KEYS.toSorted((a, b) => partitionOf(a) - partitionOf(b));
    victim = first;
    others = KEYS.filter((key) => key !== victim);
  });

  it('has it again from the other owners, and every other write that it missed', async () => {
    await missAll(victim, (key) => put(key, 'second', { w: 2 }));
    await cluster.start(['n3']);
    await cluster.until(() => KEYS.every((key) => holds(key, 'second')), 'n3 to have all keys', 20_000);
    expect(cluster.node('n3').replica.damaged.count).toBe(0);
    expect(cluster.node('n3').antiEntropy.damageRepair.mended).toBe(1);
    await cluster.until(() => api('n3').sync().partitions.length === 0, 'n3 to agree with all', 10_000);
    expect(cluster.fatal).toEqual(new Map());
  });

  it('shows nothing of it and takes in nothing for it, while one of the other owners cannot be asked (C8)', async () => {
    hintsAreLost = true;
    readsAreLost = true;
    await cluster.stop('n3');
    await damage('n3', victim);
    await cluster.start(['n3']);
    await cluster.until(() => cluster.node('n3').replica.damaged.count === 1, 'the damage to be found');
    await cluster.pass(10_000);
    expect(cluster.node('n3').replica.damaged.count).toBe(1);
    expect(holds(victim, 'first')).toBe(false);
    expect(await errorOf(cluster.settle(api('n3').get(get(victim, { r: 3, timeoutMs: 500 }))))).toMatchObject({
      details: { failed: [expect.objectContaining({ node: 'n3' })] },
    });
    readsAreLost = false;
    await cluster.until(() => holds(victim, 'first'), 'n3 to have it again', 20_000);
  });

  it('takes in every other write that it missed, of the same partition too, while it cannot be had again', async () => {
    readsAreLost = true;
    await missAll(victim, (key) => put(key, 'second', { w: 2 }));
    await cluster.start(['n3']);
    await cluster.until(() => others.every((key) => holds(key, 'second')), 'n3 to have all other keys', 10_000);
    expect(holds(victim, 'second')).toBe(false);
    expect(cluster.fatal).toEqual(new Map());
  });

  it('does not keep the others from what it has in the other partitions, while it cannot be had again', async () => {
    // n3 alone has these writes, and has forgotten which keys they were to: its partitions are compared in full.
    const where = partitionOf(victim);
    const elsewhere = others.filter((key) => partitionOf(key) !== where);
    for (const node of ['n1', 'n2']) await cluster.stop(node);
    for (const key of others) await cluster.settle(api('n3').write(put(key, 'second', { w: 1 })));
    await cluster.stop('n3');
    await damage('n3', victim, where);
    const lost: readonly unknown[] = [METHOD.read, METHOD.replicate];
    cluster.loses = (from, _, message) => from === 'n3' && lost.includes(requestMethod(message));
    await cluster.start();
    await cluster.until(
      () => elsewhere.every((key) => ['n1', 'n2'].every((node) => holds(key, 'second', node))),
      'the others to have them',
      20_000,
    );
  });

  it('looks through the partition, and says that it is damaged, once and not in every round', async () => {
    readsAreLost = true;
    await cluster.stop('n3');
    await damage('n3', victim);
    const isSaid = (line: string): boolean => line.includes('n3 error a damaged record');
    const before = cluster.log.filter(isSaid).length;
    await cluster.start(['n3']);
    await cluster.pass(30_000);
    expect(cluster.log.filter(isSaid).length - before).toBe(1);
  });

  it('goes on with its exchanges while an owner is connected and answers nothing about many damaged objects', async () => {
    readsAreLost = true;
    const where = new Map(KEYS.map((key) => [key, partitionOf(key)]));
    await cluster.stop('n3');
    for (const key of KEYS) await damage('n3', key, where.get(key));
    await cluster.start(['n3']);
    await cluster.until(() => cluster.node('n3').replica.damaged.count === KEYS.length, 'the damage to be found');
    const { antiEntropy, replica } = cluster.node('n3');
    const before = antiEntropy.rounds;
    await cluster.pass(30_000);
    expect(antiEntropy.rounds - before).toBeGreaterThan(5);
    readsAreLost = false;
    await cluster.until(() => replica.damaged.count === 0, 'all to be mended', 20_000);
    await cluster.until(() => cluster.node('n3').contents.unknown === 0, 'the contents to be counted', 10_000);
  });

  it('is mended of a key that was deleted meanwhile: nothing is left of it', async () => {
    await missAll(victim, (key) => remove(key, { w: 2 }));
    await cluster.start(['n3']);
    const left = () => cluster.store('n3').scan(partitionOf(victim), undefined, 100);
    await cluster.until(() => left().length === 0, 'nothing to be left', 20_000);
    expect(cluster.node('n3').antiEntropy.damageRepair.mended).toBe(1);
  });

  it('says that it still differs in that partition, and in no other', async () => {
    readsAreLost = true;
    await missAll(victim, (key) => put(key, 'second', { w: 2 }));
    await cluster.start(['n3']);
    await cluster.pass(10_000);
    const differing = api('n3').sync().partitions;
    const where = partitionOf(victim);
    expect(differing.map(({ partition, missingHere }) => [partition, missingHere])).toEqual([
      [where, 1],
      [where, 1],
    ]);
  });

  it('compares every other partition in full, when the others do not remember what they wrote', async () => {
    readsAreLost = true;
    await missAll(victim, (key) => remove(key, { w: 2 }));
    for (const node of ['n1', 'n2']) {
      await cluster.stop(node);
      await cluster.launch(node);
    }
    await cluster.start(['n3']);
    const elsewhere = others.filter((key) => partitionOf(key) !== partitionOf(victim));
    await cluster.until(() => elsewhere.every((key) => !holds(key, 'first')), 'n3 to have all deletes', 20_000);
    const isLeft = ({ partition }: { partition: number }): boolean => partition === partitionOf(victim);
    await cluster.until(() => api('n3').sync().partitions.every(isLeft), 'n3 to agree on all other partitions', 10_000);
  });
});
