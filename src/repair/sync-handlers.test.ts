import { beforeEach, describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { dot, dots, floor } from '../core/causality/causality-builders.ts';
import { type DotSet, dotCount, union } from '../core/causality/dot-set.ts';
import type { Retirement } from '../core/causality/retirement.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import { epoch, logIndex, memberNumber, nodeId, type ObjectKey, objectKey, partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import type { Store } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import { Replica } from '../replica/replica.ts';
import { IncomingRequest } from '../rpc/incoming.ts';
import { openTestStore, type TestStore } from '../storage/storage-builders.ts';
import { Divergences } from './divergences.ts';
import { EXCHANGE_LIMITS } from './exchange-limits.ts';
import { syncHandlers } from './sync-handlers.ts';
import {
  type MissingAnswer,
  readMissingAnswer,
  readSyncAnswer,
  writeMissingRequest,
  writeSyncRequest,
} from './sync-messages.ts';

const p0 = partition(0);
const peer = nodeId('n2');
const key = objectKey('b', 'k');
const entries = dots('1.3.1', '1.3.2');
const retirement: Retirement = { member: memberNumber(1), floor: logIndex(3), entries: new Map([[p0, entries]]) };

let disk: TestStore;
let replica: Replica;

let divergences: Divergences;

const digest = (clock: DotSet): bigint => BigInt(dotCount(clock));

interface Asked {
  readonly store?: Store;
  readonly dotsMax?: number;
}

/** What the second node is answered. */
async function ask(
  method: number,
  body: ByteWriter,
  { store = disk.store, dotsMax = 100 }: Asked = {},
): Promise<ByteReader> {
  const handler = syncHandlers({
    ...{ replica, store, limits: { ...EXCHANGE_LIMITS, dots: dotsMax }, digest, life: 1 },
    knows: (...shown) => divergences.heard(...shown),
    contentOf: () => undefined,
    compared: () => undefined,
    retirements: () => [retirement],
  }).get(method);
  let answer: Uint8Array | undefined;
  const sender = {
    sendReply: (_: IncomingRequest, bytes: Uint8Array) => {
      answer = Uint8Array.from(bytes);
    },
    sendFailure: () => undefined,
  };
  const request = new IncomingRequest(sender, peer, 1, 1, method, 1000);
  await handler?.(new ByteReader(body.copy()), request);
  if (answer === undefined) throw new Error('no answer');
  return new ByteReader(answer);
}

/** What an owner whose clock is `theirs` is told that it lacks. */
async function askMissing(theirs: DotSet, asked?: Asked): Promise<MissingAnswer> {
  const out = new ByteWriter();
  writeMissingRequest(out, { epoch: epoch(1), partition: p0, clock: theirs });
  return readMissingAnswer(await ask(METHOD.missing, out, asked));
}

beforeEach(async () => {
  disk = await openTestStore();
  const view = new ClusterView(new History(createCommand()).present);
  divergences = new Divergences(disk.clock);
  replica = new Replica({
    ...{ self: nodeId('n1'), store: disk.store, limits: { siblings: 3, objectBytes: 100 }, hashOf: () => 0 },
    currentView: () => view,
    ownActor: () => undefined,
    forgot: () => {},
  });
});

describe('an owner that is asked whether the clocks are equal', () => {
  it('knows that they were, though its own goes on while what it had is flushed', async () => {
    disk.store.apply(p0, key, undefined, [dot('2.4.1')]);
    const out = new ByteWriter();
    writeSyncRequest(out, {
      epoch: epoch(1),
      digests: [{ partition: p0, digest: digest(dots('2.4.1')), content: undefined }],
    });
    const answer = ask(METHOD.sync, out);
    disk.store.apply(p0, key, undefined, [dot('1.4.1')]);
    expect(readSyncAnswer(await answer).differing).toEqual([]);
    expect(divergences.clockOf(peer, p0)).toEqual(dots('2.4.1'));
    expect(divergences.current()).toEqual([]);
  });
});

describe('an owner that has folded, asked what another one lacks', () => {
  beforeEach(() => {
    disk.store.applyClock(p0, floor(1, 3));
  });

  it('names nothing to one that has all but the floor: it will fold by itself', async () => {
    expect(await askMissing(entries)).toMatchObject({ kind: 'keys', keys: [] });
  });

  it('names what is missing beside the floor', async () => {
    disk.store.apply(p0, key, undefined, [dot('2.4.1')]);
    replica.dotLog.add(p0, dot('2.4.1'), key);
    expect(await askMissing(entries)).toMatchObject({ kind: 'keys', keys: [{ key, dots: [dot('2.4.1')] }] });
    expect(await askMissing(union(entries, dots('2.4.1')))).toMatchObject({ kind: 'keys', keys: [] });
  });

  it('cannot name what is below the floor: all keys must be compared', async () => {
    expect(await askMissing(dots('1.3.1'))).toEqual({ kind: 'unknown' });
    expect(await askMissing(floor(1, 2))).toEqual({ kind: 'unknown' });
  });
});

describe('an owner that cannot read some of its records, asked what another one lacks', () => {
  const [first, second] = [dot('2.4.1'), dot('2.4.2')];
  const unreadable = objectKey('b', 'damaged');
  let failing: Store;

  beforeEach(() => {
    const { store } = disk;
    failing = Object.create(store, {
      read: {
        value: (at: typeof p0, which: ObjectKey) => {
          if (which === unreadable) throw new StoreError('storage-failed', 'damaged');
          return store.read(at, which);
        },
      },
    });
    for (const [to, written] of [[unreadable, first] as const, [key, second] as const]) {
      store.apply(p0, to, undefined, [written]);
      replica.dotLog.add(p0, written, to);
    }
  });

  it('names all others, and has found what is damaged: that remains missing', async () => {
    expect(await askMissing([], { store: failing })).toMatchObject({ kind: 'keys', keys: [{ key, dots: [second] }] });
    expect(replica.damaged.has(p0, unreadable)).toBe(true);
  });

  it('is not kept from naming those behind them by the limit of an answer', async () => {
    await askMissing([], { store: failing, dotsMax: 1 });
    expect(await askMissing([], { store: failing, dotsMax: 1 })).toMatchObject({
      kind: 'keys',
      keys: [{ key, dots: [second] }],
    });
  });
});
