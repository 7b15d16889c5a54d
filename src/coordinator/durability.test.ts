import { describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isRaft } from '../../test/messages.ts';
import { put } from '../../test/requests.ts';
import { objectKey } from '../core/ids.ts';

describe('a write that is acknowledged as flushed', () => {
  it.each([
    { from: 'os', to: 'flush', asked: 'one that has heard' },
    { from: 'flush', to: 'os', asked: 'one that has not heard' },
  ] as const)(
    'is on the disks of all owners that count, when the setting changes from $from to $to and $asked coordinates it',
    async ({ from, to }) => {
      const cluster = new InProcessCluster();
      await cluster.start();
      const api = (node: string) => cluster.node(node).api;
      const settingAt = (node: string) => api(node).cluster().settings.durability;
      await cluster.settle(api('n1').putSettings({ durability: from }, 2000));
      await cluster.until(() => cluster.ids.every((id) => settingAt(id) === from), 'all to know the first setting');
      // It hears nothing of the metadata group any more.
      const behind = cluster.ids.find((id) => id !== api('n1').cluster().leader) ?? '';
      const informed = cluster.ids.find((id) => id !== behind) ?? '';
      cluster.loses = (sender, receiver, message) => isRaft(message) && (sender === behind || receiver === behind);
      await cluster.settle(api(informed).putSettings({ durability: to }, 2000));
      await cluster.until(() => settingAt(informed) === to, 'the other setting to be known');
      expect(settingAt(behind)).toBe(from);

      const [coordinator, owner] = to === 'flush' ? [informed, behind] : [behind, informed];
      const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
      const key = keys.find((one) => api(coordinator).ringOf('b', one).owners[0] === coordinator) ?? '';
      const { partition } = api(coordinator).ringOf('b', key);
      const written = await cluster.settle(api(coordinator).write(put(key, 'v', { w: 'all' })));
      expect(written.durable).toBe('flush');
      await cluster.crash(owner);
      await cluster.launch(owner);
      expect(cluster.store(owner).read(partition, objectKey('b', key))).toBeDefined();
    },
  );
});
