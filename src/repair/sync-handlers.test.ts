import { beforeEach, describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { dot, dots, floor } from '../core/causality/causality-builders.ts';
import { encodeContainer } from '../core/causality/container.ts';
import { type DotSet, dotCount, union } from '../core/causality/dot-set.ts';
import type { Retirement } from '../core/causality/retirement.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import {
  epoch,
  logIndex,
  memberNumber,
  nodeId,
  type ObjectKey,
  objectKey,
  type Partition,
  partition,
} from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import type { Store } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import { Replica } from '../replica/replica.ts';
import { IncomingRequest } from '../rpc/incoming.ts';
import { openTestStore, type TestStore, turn } from '../storage/storage-builders.ts';
import { Divergences } from './divergences.ts';
import { EXCHANGE_LIMITS } from './exchange-limits.ts';
import { syncHandlers } from './sync-handlers.ts';
import {
  type CompareAnswer,
  type MissingAnswer,
  readCompareAnswer,
  readMissingAnswer,
  readSyncAnswer,
  writeCompareRequest,
  writeMissingRequest,
  writeSyncRequest,
} from './sync-messages.ts';

const p0 = partition(0);
const peer = nodeId('n2');
const key = objectKey('b', 'k');
const entries = dots('1.3.1', '1.3.2');
const retirement: Retirement = { member: memberNumber(1), floor: logIndex(3), entries: new Map([[p0, entries]]) };

let disk: TestStore;
let store: Store;
let reads: number;
let isGranted: boolean;
let replica: Replica;

let divergences: Divergences;

const digest = (clock: DotSet): bigint => BigInt(dotCount(clock));

interface Asked {
  readonly from?: Store;
  readonly dotsMax?: number;
}

/** What the second node is answered. */
async function ask(
  method: number,
  write: (out: ByteWriter) => void,
  { from = store, dotsMax = 100 }: Asked = {},
): Promise<ByteReader> {
  const handler = syncHandlers({
    ...{ replica, store: from, limits: { ...EXCHANGE_LIMITS, dots: dotsMax }, digest, life: 1 },
    knows: (...shown) => divergences.heard(...shown),
    contentOf: () => undefined,
    compared: () => undefined,
    isGranted: () => isGranted,
    retirements: () => [retirement],
  }).get(method);
  let answer: ByteReader | undefined;
  const sender = {
    sendReply: (_: IncomingRequest, body: Uint8Array) => {
      answer = new ByteReader(Uint8Array.from(body));
    },
    sendFailure: () => undefined,
  };
  const out = new ByteWriter();
  write(out);
  const request = new IncomingRequest(sender, peer, 1, 1, method, 1000);
  let failure: unknown;
  const handled = Promise.resolve(handler?.(new ByteReader(out.copy()), request)).catch((error: unknown) => {
    failure = error;
  });
  while (answer === undefined && failure === undefined) {
    disk.clock.advance(1);
    await turn();
  }
  await handled;
  if (answer === undefined) throw failure;
  return answer;
}

/** What an owner whose clock is `theirs` is told that it lacks. */
const askMissing = async (theirs: DotSet, asked?: Asked): Promise<MissingAnswer> =>
  readMissingAnswer(
    await ask(
      METHOD.missing,
      (out) => writeMissingRequest(out, { epoch: epoch(1), partition: p0, clock: theirs }),
      asked,
    ),
  );

const askCompare = async (after: ObjectKey | undefined): Promise<CompareAnswer> =>
  readCompareAnswer(
    await ask(METHOD.compare, (out) => writeCompareRequest(out, { epoch: epoch(1), partition: p0, after })),
  );

beforeEach(async () => {
  isGranted = true;
  disk = await openTestStore();
  divergences = new Divergences(disk.clock);
  reads = 0;
  store = Object.create(disk.store, {
    read: {
      value: (at: Partition, of: ObjectKey) => {
        reads++;
        return disk.store.read(at, of);
      },
    },
  });
  const view = new ClusterView(new History(createCommand()).present);
  replica = new Replica({
    ...{ self: nodeId('n1'), store, limits: { siblings: 3, objectBytes: 1 << 20 }, hashOf: () => 0 },
    currentView: () => view,
    ownActor: () => undefined,
    forgot: () => {},
  });
});

describe('an owner that is asked whether the clocks are equal', () => {
  it('knows that they were, though its own goes on while what it had is flushed', async () => {
    disk.store.apply(p0, key, undefined, [dot('2.4.1')]);
    const digests = [{ partition: p0, digest: digest(dots('2.4.1')), content: undefined }];
    const answer = ask(METHOD.sync, (out) => writeSyncRequest(out, { epoch: epoch(1), digests }));
    disk.store.apply(p0, key, undefined, [dot('1.4.1')]);
    expect(readSyncAnswer(await answer).differing).toEqual([]);
    expect(divergences.clockOf(peer, p0)).toEqual(dots('2.4.1'));
    expect(divergences.current()).toEqual([]);
  });
});

it('tells nothing before it has its grant: its folder may be an older copy (C9)', async () => {
  disk.store.apply(p0, key, undefined, [dot('2.4.1')]);
  isGranted = false;
  const refused = { code: 'not-ready' };
  await expect(askMissing([])).rejects.toMatchObject(refused);
  await expect(askCompare(undefined)).rejects.toMatchObject(refused);
  const digests = [{ partition: p0, digest: digest(dots('2.4.1')), content: undefined }];
  await expect(ask(METHOD.sync, (out) => writeSyncRequest(out, { epoch: epoch(1), digests }))).rejects.toMatchObject(
    refused,
  );
  expect(divergences.clockOf(peer, p0)).toBeUndefined();
});

describe('an owner of large values', () => {
  const names = ['a', 'b', 'c', 'd', 'e'].map((name) => objectKey('b', name));

  beforeEach(() => {
    for (const [i, name] of names.entries()) {
      const siblings = [{ dot: dot(`2.4.${i + 1}`), version: new Uint8Array(30_000) }];
      disk.store.apply(p0, name, encodeContainer({ siblings, context: [] }), [dot(`2.4.${i + 1}`)]);
      replica.dotLog.add(p0, dot(`2.4.${i + 1}`), name);
    }
  });

  it('reads about as many of them as it sends in an answer', async () => {
    expect(await askMissing([])).toMatchObject({ kind: 'keys', keys: [{ key: names[0] }, { key: names[1] }] });
    expect(reads).toBe(3);
  });

  it('sends them in as many pieces as it takes when all keys are compared, and says which is the last', async () => {
    const pieces: (readonly [keys: readonly ObjectKey[], isLast: boolean])[] = [];
    for (let after: ObjectKey | undefined; pieces.at(-1)?.[1] !== true; after = pieces.at(-1)?.[0].at(-1)) {
      const { keys, isLast } = await askCompare(after);
      pieces.push([keys.map((one) => one.key), isLast]);
    }
    expect(pieces).toEqual([
      [names.slice(0, 2), false],
      [names.slice(2, 4), false],
      [names.slice(4), true],
    ]);
    expect(await askCompare(names[4])).toMatchObject({ keys: [], isLast: true });
    expect(await askCompare(names[2])).toMatchObject({ keys: [{ key: names[3] }, { key: names[4] }], isLast: true });
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
    expect(await askMissing([], { from: failing })).toMatchObject({ kind: 'keys', keys: [{ key, dots: [second] }] });
    expect(replica.damaged.has(p0, unreadable)).toBe(true);
  });

  it('is not kept from naming those behind them by the limit of an answer', async () => {
    await askMissing([], { from: failing, dotsMax: 1 });
    expect(await askMissing([], { from: failing, dotsMax: 1 })).toMatchObject({
      kind: 'keys',
      keys: [{ key, dots: [second] }],
    });
  });
});
