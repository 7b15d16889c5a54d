import { expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { get, put, valuesOf } from '../../test/requests.ts';
import { METHOD } from '../protocol.ts';

it('a hint stays until its owner has flushed it, also where writes are acknowledged unflushed (H17)', async () => {
  const cluster = new InProcessCluster({ nodes: 3, n: 1 });
  await cluster.start();
  await cluster.settle(cluster.node('n1').membership.putSettings({ durability: 'os' }, 5000));
  const kept = (): number => cluster.node('n1').hints.count + cluster.node('n2').hints.count;
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  const key = keys.find((each) => cluster.node('n1').api.ringOf('b', each).owners[0] === 'n3') ?? '';
  await cluster.crash('n3');
  await cluster.pass(10);
  await cluster.settle(cluster.node('n1').api.write(put(key, 'acknowledged', { w: 1 })));
  await cluster.pass(10_000);
  expect(kept()).toBe(1);

  cluster.loses = (_, __, message) => requestMethod(message) === METHOD.replicate;
  await cluster.start(['n3']);
  cluster.disk('n3').hold();
  cluster.loses = () => false;
  // Its disk is slow.
  await cluster.pass(5000);
  await cluster.crash('n3');
  await cluster.start(['n3']);
  await cluster.until(() => kept() === 0, 'the hint to be delivered', 30_000);
  expect(valuesOf(await cluster.settle(cluster.node('n3').api.get(get(key, { r: 1 }))))).toEqual(['acknowledged']);
});
