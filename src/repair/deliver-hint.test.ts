import { describe, expect, it } from 'vitest';
import { containerOf, dot, dots } from '../core/causality/causality-builders.ts';
import { hintedWrites } from '../core/causality/hinted-writes.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import { type MemberNumber, memberNumber, type NodeId, nodeId, objectKey, partition } from '../core/ids.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import { Standing } from '../membership/standing.ts';
import { METHOD } from '../protocol.ts';
import { EndedActors } from '../replica/ended-actors.ts';
import { HintStore } from '../replica/hint-store.ts';
import { Replica } from '../replica/replica.ts';
import { replicateHandler } from '../replica/replicate-handler.ts';
import { Calls } from '../rpc/calls.ts';
import { MemoryNetwork } from '../rpc/memory-transport.ts';
import { memoryLogger, seededRandom } from '../rpc/test-ports.ts';
import { openTestStore, turn } from '../storage/storage-builders.ts';
import { ManualClock } from '../system/manual-clock.ts';
import { deliverHint } from './deliver-hint.ts';

const at = partition(0);
const key = objectKey('b', 'k');
const names = ['n1', 'n2', 'n3'].map(nodeId);
const away = memberNumber(2);

/** Three nodes that see these members own the partition; the first one keeps a hint for the second. */
async function keeping(ownerNumbers: readonly number[]) {
  const owners = ownerNumbers.map(memberNumber);
  const view = new ClusterView(
    new History(createCommand({ n: owners.length, ownership: ownersOfAll(owners) })).present,
  );
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock);
  const nodes = await Promise.all(names.map((id) => nodeOf(id, network, view)));
  const first = nodes[0];
  if (first === undefined) throw new Error('a node');
  const hints = new HintStore(first.store, clock, 10_000, memoryLogger());
  hints.keep(
    away,
    { epoch: view.epoch, partition: at, key },
    hintedWrites(containerOf([dot('1.5.1')]), dots('1.5.1')),
    'counted',
  );
  return {
    hints,
    async deliver(): Promise<boolean> {
      let result: boolean | undefined;
      const needs = { ...first, hints, currentView: () => view };
      deliverHint(needs, away, key).then((isDelivered) => {
        result = isDelivered;
      });
      while (result === undefined) {
        clock.advance(1);
        await turn();
      }
      return result;
    },
    holders: () => nodes.filter(({ store }) => store.read(at, key) !== undefined).map(({ self }) => self),
  };
}

const ownersOfAll = (owners: readonly MemberNumber[]) => [owners, owners, owners, owners];

async function nodeOf(self: NodeId, network: MemoryNetwork, view: ClusterView) {
  const { store, clock } = await openTestStore();
  const replica = new Replica({
    ...{ self, store, limits: { siblings: 10, objectBytes: 1000 }, currentView: () => view },
    ...{ hashOf: () => 0, ownActor: () => undefined, forgot: () => {} },
  });
  const ended = new EndedActors(store, () => new Map());
  const standing = new Standing({ isOpen: () => false, isOver: true });
  const transport = network.transport(self);
  transport.setPeers(new Map(names.filter((id) => id !== self).map((id) => [id, { host: '', port: 0 }])));
  const calls = new Calls({
    ...{ transport, clock, random: seededRandom(1), logger: memoryLogger(), notices: new Map(), pendingMax: 10 },
    ...{ onConnected: () => {}, onDisconnected: () => {} },
    requests: new Map([
      [METHOD.replicate, replicateHandler({ replica, store, ended, standing, durability: () => 'flush' })],
    ]),
  });
  await calls.start();
  return { self, store, replica, ended, calls };
}

describe('a hint', () => {
  it('is brought to the owner that it was kept for, while that is one', async () => {
    const { hints, deliver, holders } = await keeping([2, 3]);
    expect([await deliver(), holders(), hints.count]).toEqual([true, ['n2'], 0]);
  });

  it('goes to all present owners, this node among them, when who it was kept for owns the partition no more (H19)', async () => {
    const { hints, deliver, holders } = await keeping([1, 3]);
    expect([await deliver(), holders(), hints.count]).toEqual([true, ['n1', 'n3'], 0]);
  });
});
