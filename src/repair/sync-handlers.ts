import { ByteWriter } from '../core/bytes.ts';
import type { Dot } from '../core/causality/dot.ts';
import { type DotSet, dotsIn, hasFloor, subtract, union } from '../core/causality/dot-set.ts';
import { foldable, type Retirement } from '../core/causality/retirement.ts';
import { type Epoch, type NodeId, objectKey, type Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Store } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import { keysOfDots } from '../replica/dot-log.ts';
import type { Replica } from '../replica/replica.ts';
import type { RequestHandler } from '../rpc/incoming.ts';
import type { ExchangeLimits } from './exchange-limits.ts';
import {
  readCompareRequest,
  readMissingRequest,
  readSyncRequest,
  type SentKey,
  writeCompareAnswer,
  writeMissingAnswer,
  writeSyncAnswer,
} from './sync-messages.ts';

export interface SyncHandlerNeeds {
  readonly replica: Replica;
  readonly store: Store;
  readonly limits: ExchangeLimits;
  readonly digest: (clock: DotSet) => bigint;
  readonly retirements: () => Iterable<Retirement>;
  /** Of this process. */
  readonly life: number;
  /** What a peer has shown that it holds, on its disk. */
  readonly knows: (peer: NodeId, partition: Partition, clock: DotSet) => void;
}

/** Answers the other owners' exchanges, from flushed state only: first the state of one moment is gathered, then its flush is waited for. */
export function syncHandlers(needs: SyncHandlerNeeds): ReadonlyMap<number, RequestHandler> {
  return new Map([
    [METHOD.sync, syncHandler(needs)],
    [METHOD.missing, missingHandler(needs)],
    [METHOD.compare, compareHandler(needs)],
  ]);
}

function syncHandler({ replica, store, digest, knows }: SyncHandlerNeeds): RequestHandler {
  return async (body, request) => {
    const { epoch, digests } = readSyncRequest(body);
    const refused = digests.filter(({ partition }) => !isOwned(replica, epoch, partition));
    const owned = digests.filter((one) => !refused.includes(one));
    const clocks = owned.map((theirs) => ({ ...theirs, clock: store.clock(theirs.partition) }));
    await store.durable(store.lastSequence, 'flush');
    const differing = clocks.filter((theirs) => digest(theirs.clock) !== theirs.digest);
    for (const theirs of clocks) if (!differing.includes(theirs)) knows(request.from, theirs.partition, theirs.clock);
    const out = new ByteWriter();
    writeSyncAnswer(out, { differing, refused: refused.map(({ partition }) => partition) });
    request.reply(out.view());
  };
}

function missingHandler({ replica, store, knows, limits, retirements }: SyncHandlerNeeds): RequestHandler {
  return async (body, request) => {
    const { epoch, partition, clock: theirs } = readMissingRequest(body);
    checkOwner(replica, epoch, partition);
    knows(request.from, partition, theirs);
    const out = new ByteWriter();
    const clock = store.clock(partition);
    // Who has only not folded yet lacks nothing.
    const missing = subtract(clock, union(theirs, foldable(theirs, partition, retirements())));
    const keys = hasFloor(missing) ? undefined : keysOfDots(replica.dotLog, partition, firstDots(missing, limits.dots));
    if (keys === undefined) {
      writeMissingAnswer(out, { kind: 'unknown' });
    } else {
      const sent = takeWhileSmall(
        Array.from(keys, ([key, dots]) => ({ key, dots, object: store.read(partition, key) })),
        limits.bytes,
      );
      await store.durable(store.lastSequence, 'flush');
      writeMissingAnswer(out, { kind: 'keys', clock, keys: sent });
    }
    request.reply(out.view());
  };
}

function compareHandler({ replica, store, life, limits }: SyncHandlerNeeds): RequestHandler {
  return async (body, request) => {
    const { epoch, partition, after } = readCompareRequest(body);
    checkOwner(replica, epoch, partition);
    const clock = store.clock(partition);
    const found = store.scan(partition, after, limits.keys);
    const keys = takeWhileSmall(
      found.map(({ key, object }) => ({ key, object, dots: [] })),
      limits.bytes,
    );
    await store.durable(store.lastSequence, 'flush');
    const isLast = found.length < limits.keys && keys.length === found.length;
    const out = new ByteWriter();
    writeCompareAnswer(out, { life, clock, keys, isLast });
    request.reply(out.view());
  };
}

/** At least one, so that whoever asks gets on. */
function takeWhileSmall(keys: readonly SentKey[], bytesMax: number): readonly SentKey[] {
  let bytes = 0;
  const end = keys.findIndex(({ key, object }, i) => {
    bytes += key.length + (object?.length ?? 0);
    return i > 0 && bytes > bytesMax;
  });
  return end < 0 ? keys : keys.slice(0, end);
}

/** Actors in turn, counters ascending: an actor's dots are taken in without a gap as far as they go. */
function firstDots(set: DotSet, limit: number): readonly Dot[] {
  const dots: Dot[] = [];
  for (const dot of dotsIn(set)) {
    if (dots.length === limit) break;
    dots.push(dot);
  }
  return dots;
}

/** Errors: conflict, not-ready, as {@link Replica.check}. */
function checkOwner(replica: Replica, epoch: Epoch, partition: Partition): void {
  replica.check({ epoch, partition, key: NO_KEY });
}

const NO_KEY = objectKey('', '');

function isOwned(replica: Replica, epoch: Epoch, partition: Partition): boolean {
  try {
    checkOwner(replica, epoch, partition);
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}
