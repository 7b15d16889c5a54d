import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ByteWriter } from '../core/bytes.ts';
import { containerOf, dot, dots, textsOf } from '../core/causality/causality-builders.ts';
import { type Container, decodeContainer, encodeContainer } from '../core/causality/container.ts';
import type { Dot } from '../core/causality/dot.ts';
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
  readonly keys: Readonly<Record<string, Container>>;
}

/** A key of this node's, of the peer's, of both or of neither. */
interface AnyKey {
  /** `new`: the peer has not heard of the value. */
  readonly mine: 'nothing' | 'known' | 'new';
  readonly isTheirs: boolean;
  /** The last of a piece. */
  readonly isEnd: boolean;
  readonly bytes: number;
}

const anyKeys: fc.Arbitrary<readonly AnyKey[]> = fc.array(
  fc.record({
    mine: fc.constantFrom('nothing', 'known', 'new'),
    isTheirs: fc.boolean(),
    isEnd: fc.nat(200).map((n) => n === 0),
    bytes: fc.nat(20).map((n) => (n === 0 ? 60_000 : 1)),
  }),
  { minLength: 1, maxLength: 400, size: 'max' },
);
/** Copies of what the peer has or had that come late, `isOlder` of what that has overwritten: those of one turn each. */
const anyLate = fc.array(
  fc.array(fc.record({ key: fc.nat(400), isOlder: fc.boolean() }), { maxLength: 20, size: 'max' }),
  { minLength: 1, maxLength: 10 },
);

let disk: TestStore;
let network: MemoryNetwork;
let mine: Calls;
let pull: PartitionPull;
let replica: Replica;
/** The disk is slower than what is written. */
let isBehind: boolean;
/** What the peer answers to questions for the next piece; a key each. */
let pieces: Piece[];

async function begin(): Promise<void> {
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
}

/** A checkpoint of so many keys pauses, on the clock that stands still while a store is being closed. */
async function end(): Promise<void> {
  await checkpointed(disk.store, disk.clock);
  await disk.store.close();
}

beforeEach(begin);
afterEach(end);

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
  const { life, clock } = piece;
  const keys = Object.entries(piece.keys).map(([name, holds]) => {
    return { key: objectKey('b', name), dots: [], object: Buffer.from(encodeContainer(holds)) };
  });
  const out = new ByteWriter();
  writeCompareAnswer(out, { life, clock, content: undefined, keys, isLast: pieces.length === 0 });
  request.reply(out.view());
};

/** With something to do before each turn. */
async function pulled(meanwhile: (step: number) => void = () => undefined): Promise<void> {
  let isOver = false;
  const done = pull.run().finally(() => {
    isOver = true;
  });
  for (let step = 0; !isOver; step++) {
    meanwhile(step);
    disk.clock.advance(1);
    await turn();
  }
  await done;
}

const name = (i: number): string => `k${String(i).padStart(4, '0')}`;
/** The value of a key that the peer has or had, the one which that has overwritten, and one that it does not know of. */
const latestOf = (i: number): Dot => dot(`2.7.${i + 1}`);
const olderOf = (i: number): Dot => dot(`2.8.${i + 1}`);
const newOf = (i: number): Dot => dot(`3.7.${i + 1}`);

/** Here are `count` keys that the peer has deleted: it has no others, and answers so in one piece. Its clock has one dot more. */
function deletedThere(count: number, bytes = 1): void {
  const values = Array.from({ length: count }, (_, i) => latestOf(i));
  for (const [i, own] of values.entries()) store(name(i), own, bytes);
  pieces = [{ life: 1, clock: dotSetOf([...values, latestOf(count)]), keys: {} }];
}

function store(key: string, own: Dot, bytes: number): void {
  const object = { siblings: [{ dot: own, version: new Uint8Array(bytes) }], context: [] };
  disk.store.apply(at, objectKey('b', key), encodeContainer(object), [own]);
}

/** What the peer answers: at the end of each piece that its keys are cut into it is asked again. */
function piecesOf(keys: readonly AnyKey[]): Piece[] {
  const clock = dotSetOf(keys.flatMap((_, i) => [latestOf(i), olderOf(i)]));
  const cut: Record<string, Container>[] = [{}];
  for (const [i, { isTheirs, isEnd, bytes }] of keys.entries()) {
    if (!isTheirs) continue;
    const last = cut.at(-1) ?? {};
    last[name(i)] = { siblings: [{ dot: latestOf(i), version: new Uint8Array(bytes) }], context: [] };
    if (isEnd) cut.push({});
  }
  return cut.map((holds) => ({ life: 1, clock, keys: holds }));
}

/** A message from long ago, which brings one value and knows of nothing else. */
function late(key: string, value: Dot): void {
  const container = containerOf([value]);
  replica.merge({ epoch: epoch(1), partition: at, key: objectKey('b', key), dots: [value], container });
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
      { life: 1, clock: dots('2.7.1', '2.7.2', '2.7.3'), keys: { j: containerOf([a1]) } },
      { life: 1, clock: dots('2.7.1', '2.7.2', '2.7.3', '2.7.4'), keys: { k: containerOf([a2]) } },
    ];
    await pulled();
    expect(known()).toEqual(['2.7.1', '2.7.2', '2.7.3']);
  });

  it('brings with each value what that has overwritten, so that when it breaks off no late copy lives beside it (C2)', async () => {
    pieces = [
      { life: 1, clock: dots('2.7.1', '2.7.2'), keys: { j: containerOf([a2]) } },
      { life: 2, clock: dots('2.7.1', '2.7.2'), keys: { k: containerOf([]) } },
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
      { life: 1, clock, keys: { j: containerOf([a1]) } },
      { life: 1, clock, keys: { k: containerOf([a2]) } },
    ];
    isBehind = true;
    const done = pulled();
    for (let i = 0; i < 200; i++) await turn();
    expect(pieces).toHaveLength(1);
    isBehind = false;
    await done;
    expect(known()).toEqual(['2.7.1', '2.7.2']);
  });

  it('leaves of each key what both have and what the other one cannot know, whatever comes late meanwhile (C2)', async () => {
    await fc.assert(
      fc
        .asyncProperty(anyKeys, anyLate, async (keys, lates) => {
          for (const [i, { mine: own, bytes }] of keys.entries()) {
            if (own !== 'nothing') store(name(i), own === 'known' ? latestOf(i) : newOf(i), bytes);
          }
          pieces = piecesOf(keys);
          await pulled((step) => {
            for (const { key, isOlder } of lates[step % lates.length] ?? []) {
              const i = key % keys.length;
              late(name(i), isOlder ? olderOf(i) : latestOf(i));
            }
          });
          for (const [i, { mine: own, isTheirs }] of keys.entries()) {
            const left = [...(isTheirs ? [latestOf(i)] : []), ...(own === 'new' ? [newOf(i)] : [])];
            expect([name(i), siblingsOf(name(i))]).toEqual([name(i), textsOf(left)]);
          }
        })
        .beforeEach(begin)
        .afterEach(end),
      { numRuns: 60 },
    );
  });

  it('lets requests in between, however many keys are here and not there', async () => {
    deletedThere(3000);
    let most = 0;
    let before = disk.store.lastSequence;
    await pulled(() => {
      most = Math.max(most, disk.store.lastSequence - before);
      before = disk.store.lastSequence;
    });
    expect(most).toBe(100);
    expect(disk.store.stats().objects).toBe(0);
    expect(known()).toContain('2.7.3001');
  });

  it('looks at few of its own keys in one turn where they are large', async () => {
    deletedThere(50, 60_000);
    let most = 0;
    let before = 50;
    await pulled(() => {
      most = Math.max(most, before - disk.store.stats().objects);
      before = disk.store.stats().objects;
    });
    expect(most).toBe(4);
    expect(disk.store.stats().objects).toBe(0);
  });

  it('drops no more while the disk is behind', async () => {
    deletedThere(1000);
    const left: number[] = [];
    await pulled((step) => {
      const { objects } = disk.store.stats();
      if (objects < 700) left.push(objects);
      isBehind = left.length > 0 && left.length < 100;
      expect(step).toBeLessThan(1000);
    });
    expect(new Set(left.slice(1, 100)).size).toBe(1);
    expect(disk.store.stats().objects).toBe(0);
  });

  it('breaks off when the node stops, however much is still to be dropped', async () => {
    deletedThere(3000);
    const left: number[] = [];
    await pulled(() => {
      const { objects } = disk.store.stats();
      if (objects < 2500 && left.length === 0) void mine.stop();
      if (objects < 2500) left.push(objects);
    });
    expect(left[0]).toBeGreaterThan(2000);
    expect(disk.store.stats().objects).toBe(left[0]);
    expect(known()).not.toContain('2.7.3001');
  });

  it('ends without its clock when the peer has begun another life, which need not have what the former told of (C1)', async () => {
    pieces = [
      { life: 1, clock: dots('2.7.1', '2.7.2', '2.7.3'), keys: { j: containerOf([a1]) } },
      { life: 2, clock: dots('2.7.1', '2.7.2'), keys: { k: containerOf([a2]) } },
    ];
    await pulled();
    expect(known()).toEqual(['2.7.1']);
  });
});
