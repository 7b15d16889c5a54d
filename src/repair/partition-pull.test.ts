import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ByteWriter } from '../core/bytes.ts';
import { containerOf, dot, dots, textsOf } from '../core/causality/causality-builders.ts';
import { type Container, decodeContainer, encodeContainer } from '../core/causality/container.ts';
import { type DotSet, dotSetOf, dotsIn } from '../core/causality/dot-set.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import { epoch, type NodeId, nodeId, objectKey, partition } from '../core/ids.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import { METHOD } from '../protocol.ts';
import { Replica } from '../replica/replica.ts';
import { Calls } from '../rpc/calls.ts';
import type { RequestHandler } from '../rpc/incoming.ts';
import { MemoryNetwork } from '../rpc/memory-transport.ts';
import { memoryLogger, seededRandom } from '../rpc/test-ports.ts';
import { checkpointed, openTestStore, type TestStore, turn } from '../storage/storage-builders.ts';
import { PartitionPull } from './partition-pull.ts';
import { readCompareRequest, writeCompareAnswer, writeMissingAnswer } from './sync-messages.ts';

const self = nodeId('n1');
const peer = nodeId('n2');
const at = partition(1);
const counts = { keys: 0, bytes: 0, comparisons: 0 };

interface Piece {
  readonly life: number;
  readonly clock: DotSet;
  readonly key: string;
  readonly holds: Container;
}

let disk: TestStore;
let network: MemoryNetwork;
let mine: Calls;
let pull: PartitionPull;
let replica: Replica;
/** The disk is slower than what is written. */
let isBehind: boolean;
/** What the peer answers to questions for the next piece; a key each. */
let pieces: Piece[];

beforeEach(async () => {
  disk = await openTestStore();
  network = new MemoryNetwork(disk.clock);
  const view = new ClusterView(new History(createCommand()).present);
  replica = new Replica({
    ...{ self, store: disk.store, limits: { siblings: 10, objectBytes: 1000 }, currentView: () => view },
    ...{ ownActor: () => undefined, hashOf: () => 0, forgot: () => {} },
  });
  pieces = [];
  mine = await callsOf(self, peer, new Map());
  await callsOf(
    peer,
    self,
    new Map([
      [METHOD.missing, unknownKeys],
      [METHOD.compare, nextPiece],
    ]),
  );
  isBehind = false;
  const store = Object.create(disk.store, { overloaded: { get: () => isBehind } });
  const needs = { replica, store, calls: mine, clock: disk.clock, logger: memoryLogger() };
  pull = new PartitionPull(needs, view, peer, at, counts);
});

afterEach(() => disk.store.close());

async function callsOf(node: NodeId, other: NodeId, requests: ReadonlyMap<number, RequestHandler>): Promise<Calls> {
  const transport = network.transport(node);
  transport.setPeers(new Map([[other, { host: '', port: 0 }]]));
  const calls = new Calls({
    ...{ transport, clock: disk.clock, random: seededRandom(1), logger: memoryLogger(), requests },
    ...{ notices: new Map(), onConnected: () => {}, onDisconnected: () => {}, pendingMax: 10 },
  });
  await calls.start();
  return calls;
}

const unknownKeys: RequestHandler = (_body, request) => {
  const out = new ByteWriter();
  writeMissingAnswer(out, { kind: 'unknown' });
  request.reply(out.view());
};

const nextPiece: RequestHandler = (body, request) => {
  readCompareRequest(body);
  const piece = pieces.shift();
  if (piece === undefined) throw new Error('nothing more was to be asked');
  const { life, clock, key, holds } = piece;
  const keys = [{ key: objectKey('b', key), dots: [], object: encodeContainer(holds) }];
  const out = new ByteWriter();
  writeCompareAnswer(out, { life, clock, content: undefined, keys, isLast: pieces.length === 0 });
  request.reply(out.view());
};

async function pulled(): Promise<void> {
  let isOver = false;
  const done = pull.run().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    disk.clock.advance(1);
    await turn();
  }
  await done;
}

function siblingsOf(key: string): readonly string[] {
  const stored = disk.store.read(at, objectKey('b', key));
  return stored === undefined ? [] : textsOf(decodeContainer(stored).siblings.map((sibling) => sibling.dot));
}

const known = () => textsOf(dotsIn(disk.store.clock(at)));
const a1 = dot('2.7.1');
const a2 = dot('2.7.2');

describe('a full comparison', () => {
  it('takes in the clock of its first piece once the last one has come (C2)', async () => {
    pieces = [
      { life: 1, clock: dots('2.7.1', '2.7.2', '2.7.3'), key: 'j', holds: containerOf([a1]) },
      { life: 1, clock: dots('2.7.1', '2.7.2', '2.7.3', '2.7.4'), key: 'k', holds: containerOf([a2]) },
    ];
    await pulled();
    expect(known()).toEqual(['2.7.1', '2.7.2', '2.7.3']);
  });

  it('brings with each value what that has overwritten, so that when it breaks off no late copy lives beside it (C2)', async () => {
    pieces = [
      { life: 1, clock: dots('2.7.1', '2.7.2'), key: 'j', holds: containerOf([a2]) },
      { life: 2, clock: dots('2.7.1', '2.7.2'), key: 'k', holds: containerOf([]) },
    ];
    await pulled();
    const late = { epoch: epoch(1), partition: at, key: objectKey('b', 'j'), dots: [a1], container: containerOf([a1]) };
    replica.merge(late);
    expect(siblingsOf('j')).toEqual(['2.7.2']);
    expect(known()).toEqual(['2.7.1', '2.7.2']);
  });

  it('asks for no more while the disk is behind', async () => {
    const clock = dots('2.7.1', '2.7.2');
    pieces = [
      { life: 1, clock, key: 'j', holds: containerOf([a1]) },
      { life: 1, clock, key: 'k', holds: containerOf([a2]) },
    ];
    isBehind = true;
    const done = pulled();
    for (let i = 0; i < 200; i++) await turn();
    expect(pieces).toHaveLength(1);
    isBehind = false;
    await done;
    expect(known()).toEqual(['2.7.1', '2.7.2']);
  });

  it('lets requests in between, however many keys are here and not there', async () => {
    const count = 3000;
    for (let i = 1; i <= count; i++) {
      const own = { actor: a1.actor, counter: i };
      disk.store.apply(at, objectKey('b', `j${i}`), encodeContainer(containerOf([own], [])), [own]);
    }
    const late = { actor: a1.actor, counter: count + 1 };
    const clock = dotSetOf([...dotsIn(disk.store.clock(at)), late]);
    pieces = [{ life: 1, clock, key: 'k', holds: containerOf([late], []) }];
    let most = 0;
    let isOver = false;
    const done = pull.run().finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const before = disk.store.lastSequence;
      disk.clock.advance(1);
      await turn();
      most = Math.max(most, disk.store.lastSequence - before);
    }
    await done;
    expect(disk.store.scan(at, undefined, 10).map(({ key }) => key)).toEqual([objectKey('b', 'k')]);
    await checkpointed(disk.store, disk.clock);
    expect(most).toBeLessThan(count / 2);
  });

  it('ends without its clock when the peer has begun another life, which need not have what the former told of (C1)', async () => {
    pieces = [
      { life: 1, clock: dots('2.7.1', '2.7.2', '2.7.3'), key: 'j', holds: containerOf([a1]) },
      { life: 2, clock: dots('2.7.1', '2.7.2'), key: 'k', holds: containerOf([a2]) },
    ];
    await pulled();
    expect(known()).toEqual(['2.7.1']);
  });
});
