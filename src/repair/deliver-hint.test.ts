import { beforeEach, describe, expect, it } from 'vitest';
import { containerOf, dot, dots } from '../core/causality/causality-builders.ts';
import type { Dot } from '../core/causality/dot.ts';
import { dotSetOf } from '../core/causality/dot-set.ts';
import { hintedWrites } from '../core/causality/hinted-writes.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import { type MemberNumber, memberNumber, type NodeId, nodeId, objectKey, partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
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

/** Whether a node has no time for what it is sent now. */
let refuses = (): boolean => false;
beforeEach(() => {
  refuses = () => false;
});

/** Three nodes that see these members own the partition; the first one keeps a hint for the second. */
async function keeping(ownerNumbers: readonly number[], written = dots('1.5.1')) {
  const owners = ownerNumbers.map(memberNumber);
  const view = new ClusterView(
    new History(createCommand({ n: owners.length, ownership: ownersOfAll(owners) })).present,
  );
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock);
  const nodes = await Promise.all(names.map((id) => nodeOf(id, network, view)));
  const first = nodes[0];
  if (first === undefined) throw new Error('a node');
  const hints = new HintStore(first.store, clock, 1_000_000, memoryLogger());
  hints.keep(
    away,
    { epoch: view.epoch, partition: at, key },
    hintedWrites(containerOf([dot('1.5.1')], written), written),
    'counted',
  );
  return {
    hints,
    stores: nodes.map(({ store }) => store),
    async deliver(): Promise<boolean> {
      let result: boolean | undefined;
      const needs = { ...first, hints, standing: { takesIn: () => true }, currentView: () => view };
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
  const replicate = replicateHandler({ replica, store, ended, standing, durability: () => 'flush' });
  const calls = new Calls({
    ...{ transport, clock, random: seededRandom(1), logger: memoryLogger(), notices: new Map(), pendingMax: 10 },
    ...{ onConnected: () => {}, onDisconnected: () => {} },
    requests: new Map([
      [
        METHOD.replicate,
        (...message) => {
          if (refuses()) throw new StoreError('overloaded', 'not now');
          return replicate(...message);
        },
      ],
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

  it('of many writes is brought in pieces, each of which the owner takes in by itself', async () => {
    const every = Array.from({ length: 10_000 }, (_, i): Dot => ({ actor: dot('1.5.1').actor, counter: 2 * i + 1 }));
    const { hints, stores, deliver, holders } = await keeping([2, 3], dotSetOf(every));
    expect([await deliver(), holders(), hints.count]).toEqual([true, ['n2'], 0]);
    expect(stores[1]?.clock(at)).toEqual(dotSetOf(every));
    expect(stores[1]?.lastSequence).toBe(3);
  });

  it('stays when a piece of it was not acknowledged', async () => {
    const every = Array.from({ length: 10_000 }, (_, i): Dot => ({ actor: dot('1.5.1').actor, counter: 2 * i + 1 }));
    const { hints, stores, deliver } = await keeping([2, 3], dotSetOf(every));
    let taken = 0;
    refuses = () => ++taken > 1;
    expect([await deliver(), hints.count, taken]).toEqual([false, 1, 2]);
    refuses = () => false;
    expect([await deliver(), hints.count]).toEqual([true, 0]);
    expect(stores[1]?.clock(at)).toEqual(dotSetOf(every));
  });
});
