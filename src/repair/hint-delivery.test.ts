import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isReply, requestMethod } from '../../test/messages.ts';
import { get, put, valuesOf } from '../../test/requests.ts';
import { objectKey } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';

let cluster: InProcessCluster;
const api = (node: string) => cluster.node(node).api;
const ownersOf = (key: string) => api('n1').ringOf('b', key).owners;
const kept = (node: string) => cluster.node(node).hints.count;
const keptInAll = () => cluster.ids.reduce((sum, id) => sum + (cluster.isRunning(id) ? kept(id) : 0), 0);
const storedAt = (node: string, key: string) =>
  cluster.store(node).read(api(node).ringOf('b', key).partition, objectKey('b', key));
const isDelivery = (message: Uint8Array): boolean => requestMethod(message) === METHOD.replicate;

/** Keys that the node owns. */
function keysOf(node: string, count: number): readonly string[] {
  const keys = Array.from({ length: 1000 }, (_, i) => `key-${i}`);
  return keys.filter((key) => ownersOf(key).some((owner) => owner === node)).slice(0, count);
}

async function writeAll(keys: readonly string[], from: string): Promise<void> {
  for (const key of keys) await cluster.settle(api(from).write(put(key, `of ${key}`)));
  // The last calls to whoever is away have ended.
  await cluster.pass(2500);
}

describe('hints for a node that was away', () => {
  let keys: readonly string[];

  beforeEach(async () => {
    cluster = new InProcessCluster({ nodes: 5, n: 3 });
    await cluster.start();
    keys = keysOf('n2', 12);
    await cluster.crash('n2');
    await cluster.pass(1);
    await writeAll(keys, 'n1');
  });

  it('are kept while it is away, and nothing is sent for them', async () => {
    const before = keptInAll();
    expect(before).toBeGreaterThanOrEqual(keys.length);
    let sent = 0;
    cluster.loses = (_, __, message) => {
      if (isDelivery(message)) sent++;
      return false;
    };
    await cluster.pass(3000);
    expect([keptInAll(), sent]).toEqual([before, 0]);
  });

  it('are delivered when it is back, and go', async () => {
    await cluster.start(['n2']);
    await cluster.until(() => keptInAll() === 0, 'the hints to be delivered', 5000);
    for (const key of keys) {
      expect(storedAt('n2', key)).toEqual(storedAt(ownersOf(key).find((id) => id !== 'n2') ?? '', key));
      expect(valuesOf(await cluster.settle(api('n2').get(get(key, { r: 1 }))))).toEqual([`of ${key}`]);
    }
  });

  it('are found again by nodes that restart meanwhile (H16)', async () => {
    const before = keptInAll();
    for (const id of ['n1', 'n3', 'n4', 'n5']) await cluster.crash(id);
    for (const id of ['n1', 'n3', 'n4', 'n5']) await cluster.launch(id);
    await cluster.pass(10);
    expect(keptInAll()).toBe(before);
    await cluster.launch('n2');
    await cluster.until(() => cluster.ids.every((id) => api(id).notReady() === undefined), 'all to be ready');
    await cluster.until(() => keptInAll() === 0, 'the hints to be delivered', 10_000);
    for (const key of keys) expect(storedAt('n2', key)).toBeDefined();
  });

  it('stay until they are acknowledged: answers that are lost are waited for, and the hint is sent again (H17)', async () => {
    const before = keptInAll();
    let sent = 0;
    cluster.loses = (from, to, message) => {
      if (to === 'n2' && isDelivery(message)) sent++;
      return from === 'n2' && isReply(message);
    };
    await cluster.launch('n2');
    await cluster.pass(3000);
    expect(sent).toBeGreaterThan(0);
    expect(keptInAll()).toBe(before);
    cluster.loses = () => false;
    await cluster.until(() => keptInAll() === 0, 'the hints to be delivered', 20_000);
  });

  it('go unsent when their owner has shown that it took the writes from another owner', async () => {
    let sent = 0;
    cluster.loses = (_, to, message) => {
      if (to !== 'n2' || !isDelivery(message)) return false;
      sent++;
      return true;
    };
    await cluster.start(['n2']);
    await cluster.until(() => keptInAll() === 0, 'the hints to go', 10_000);
    expect(sent).toBeLessThan(keys.length);
    for (const key of keys) expect(storedAt('n2', key)).toBeDefined();
  });

  it('are delivered and go though one of them is damaged, which stays (H21)', async () => {
    const keeper = cluster.ids.find((id) => cluster.isRunning(id) && kept(id) > 1) ?? '';
    const [record] = cluster.store(keeper).metaWithPrefix('hint/');
    cluster.store(keeper).applyMeta([{ key: record?.key ?? '', value: Uint8Array.of(9) }]);
    await cluster.start(['n2']);
    await cluster.until(() => keptInAll() === 0, 'the others to be delivered', 5000);
    expect(api(keeper).hints()).toMatchObject({ damaged: 1, targets: [] });
    const failed = cluster.node(keeper).delivery.failures;
    await cluster.crash(keeper);
    await cluster.start([keeper]);
    await cluster.until(() => keptInAll() === 0, 'what the crash brought back to be delivered', 5000);
    expect(api(keeper).hints()).toMatchObject({ damaged: 1, targets: [] });
    expect(failed).toBe(0);
  });

  it('are not all sent at once (H20)', async () => {
    let underWay = 0;
    let most = 0;
    cluster.loses = (from, to, message) => {
      if (from === 'n4' && to === 'n2' && isDelivery(message)) most = Math.max(most, ++underWay);
      if (from === 'n2' && to === 'n4' && isReply(message)) underWay--;
      return false;
    };
    await cluster.start(['n2']);
    await cluster.until(() => keptInAll() === 0, 'the hints to be delivered', 5000);
    expect(most).toBeLessThanOrEqual(16);
  });

  it('are left alone by a node that is stopping', async () => {
    const node = cluster.node('n1');
    const before = node.hints.count;
    await cluster.stop('n1');
    await cluster.launch('n2');
    await cluster.pass(2000);
    expect(node.hints.count).toBe(before);
  });
});
