/** A folder that is put back after the actors that wrote to it were retired by owners who had not seen all that they wrote (C9, H1). */
import { expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { errorOf, get, put, valuesOf } from '../../test/requests.ts';
import { memberNumber, objectKey } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';

const KEYS = Array.from({ length: 100 }, (_, i) => `k${i}`);

interface Setting {
  readonly cluster: InProcessCluster;
  readonly key: string;
}

/**
 * A key is written by all, and overwritten at n3 alone. Its folder is lost, the actor that wrote there is retired, other keys of the
 * partition are written, and the folder is put back. Until it has caught up.
 */
async function putBack(): Promise<Setting> {
  const cluster = new InProcessCluster({ partitions: 4, retirementMs: 400 });
  await cluster.start();
  const { api } = cluster.node('n1');
  const whole = () => cluster.until(() => cluster.node('n3').membership.standing.isWhole, 'n3 to be whole');
  // What is written blindly is coordinated by the first owner.
  const key = KEYS.find((each) => api.ringOf('b', each).owners[0] === 'n3') ?? '';
  const isNeighbour = (each: string) => api.ringOf('b', each).partition === api.ringOf('b', key).partition;
  const neighbour = KEYS.find((each) => each !== key && isNeighbour(each)) ?? '';
  await cluster.settle(api.write(put(key, 'acknowledged', { w: 'all' })));

  const brings: readonly unknown[] = [METHOD.replicate, METHOD.sync, METHOD.missing, METHOD.compare];
  cluster.loses = (_, __, message) => brings.includes(requestMethod(message));
  const error = await errorOf(cluster.settle(cluster.node('n3').api.write(put(key, 'unknown', { w: 2 }))));
  expect(error.details.outcome).toBe('unknown');
  await cluster.stop('n3');
  const folder = cluster.disk('n3').copy();
  cluster.wipe('n3');
  cluster.loses = () => false;
  await cluster.launch('n3');
  await whole();

  const retirements = () => cluster.node('n1').membership.view?.state.retirements;
  await cluster.until(() => retirements()?.has(memberNumber(3)) === true, 'the actor that was lost to be retired');
  await cluster.settle(api.write(put(neighbour, 'later', { w: 'all' })));
  await cluster.pass(5000);
  await cluster.crash('n3');
  cluster.restore('n3', folder);
  await cluster.launch('n3');
  await whole();
  return { cluster, key };
}

function isHeldBy({ cluster, key }: Setting, id: string): boolean {
  const { partition } = cluster.node('n1').api.ringOf('b', key);
  const stored = cluster.store(id).read(partition, objectKey('b', key)) ?? [];
  return Buffer.from(stored).includes('acknowledged');
}

it('takes nothing away from the other owners that all of them have acknowledged', async () => {
  const setting = await putBack();
  const { cluster, key } = setting;
  expect(cluster.ids.map((id) => isHeldBy(setting, id))).toEqual([true, true, true]);
  expect(valuesOf(await cluster.settle(cluster.node('n1').api.get(get(key, { r: 3 }))))).toContain('acknowledged');
});

it('does not have reads take it away for good', async () => {
  const setting = await putBack();
  const { cluster, key } = setting;
  await cluster.settle(cluster.node('n1').api.get(get(key, { r: 3 })));
  await cluster.pass(60_000);
  expect(cluster.ids.map((id) => isHeldBy(setting, id))).toEqual([true, true, true]);
});
