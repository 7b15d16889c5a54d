import { ByteWriter } from '../core/bytes.ts';
import type { Dot } from '../core/causality/dot.ts';
import { type DotSet, dotsIn, hasFloor, subtract, union } from '../core/causality/dot-set.ts';
import { foldable, type Retirement } from '../core/causality/retirement.ts';
import { type Epoch, type NodeId, type ObjectKey, objectKey, type Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Store, StoredObject } from '../ports.ts';
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
  type SyncAnswer,
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
  /** Whether this node has its grant: until then its folder may be an older copy, of which nothing must be told (rule C9). */
  readonly isGranted: () => boolean;
  /** Of this process. */
  readonly life: number;
  /** What a peer has shown that it holds, on its disk, and what this node held in that moment. */
  readonly knows: (peer: NodeId, partition: Partition, mine: DotSet, theirs: DotSet) => void;
  /** The hash of the contents, where it can be compared with another owner's. */
  readonly contentOf: (partition: Partition) => number | undefined;
  /** A peer with an equal clock has shown whether the hash of its contents is the same. */
  readonly compared: (peer: NodeId, partition: Partition, isSame: boolean) => void;
}

/** Answers the other owners' exchanges, from flushed state only: first the state of one moment is gathered, then its flush is waited for. */
export function syncHandlers(needs: SyncHandlerNeeds): ReadonlyMap<number, RequestHandler> {
  return new Map([
    [METHOD.sync, syncHandler(needs)],
    [METHOD.missing, missingHandler(needs)],
    [METHOD.compare, compareHandler(needs)],
  ]);
}

function syncHandler(needs: SyncHandlerNeeds): RequestHandler {
  const { replica, store, digest, knows, contentOf } = needs;
  return async (body, request) => {
    const { epoch, digests } = readSyncRequest(body);
    checkGranted(needs);
    const refused = digests.filter(({ partition }) => {
      return !isOwned(replica, epoch, partition) || !maySpeak(replica, request.from, partition);
    });
    const owned = digests.filter((one) => !refused.includes(one));
    const clocks = owned.map((theirs) => {
      const { partition } = theirs;
      return { ...theirs, clock: store.clock(partition), mine: contentOf(partition) };
    });
    await store.durable(store.lastSequence, 'flush');
    const differing = clocks.filter((theirs) => digest(theirs.clock) !== theirs.digest);
    const equal = clocks.filter((theirs) => !differing.includes(theirs));
    // Equal as they were gathered: this node's own clock may have grown during the flush.
    for (const { partition, clock } of equal) knows(request.from, partition, clock, clock);
    const out = new ByteWriter();
    writeSyncAnswer(out, { differing, refused: partitionsOf(refused), ...compareContents(needs, request.from, equal) });
    request.reply(out.view());
  };
}

/**
 * Whoever owns the partition too is sent with each record what it lacks. But a fallback takes the clock's word for it that a write that it
 * keeps has arrived.
 */
function maySpeak({ ownership, incomplete }: Replica, peer: NodeId, partition: Partition): boolean {
  return ownership.owns(peer, partition) || incomplete.isNone(partition);
}

/** Of partitions in which the clocks of both owners are equal. */
function compareContents(
  { compared }: SyncHandlerNeeds,
  peer: NodeId,
  equal: readonly {
    readonly partition: Partition;
    readonly content: number | undefined;
    readonly mine: number | undefined;
  }[],
): Pick<SyncAnswer, 'mismatched' | 'uncompared'> {
  for (const { partition, content: theirs, mine } of equal) {
    if (theirs !== undefined && mine !== undefined) compared(peer, partition, theirs === mine);
  }
  return {
    mismatched: partitionsOf(
      equal.filter(({ content, mine }) => content !== undefined && mine !== undefined && content !== mine),
    ),
    uncompared: partitionsOf(equal.filter(({ mine }) => mine === undefined)),
  };
}

const partitionsOf = (list: readonly { readonly partition: Partition }[]): readonly Partition[] =>
  list.map(({ partition }) => partition);

function missingHandler(needs: SyncHandlerNeeds): RequestHandler {
  const { replica, store, knows, limits, retirements } = needs;
  return async (body, request) => {
    const { epoch, partition, clock: theirs } = readMissingRequest(body);
    checkGranted(needs);
    checkOwner(replica, epoch, partition);
    const clock = store.clock(partition);
    knows(request.from, partition, clock, theirs);
    const out = new ByteWriter();
    // Who has only not folded yet lacks nothing.
    const missing = subtract(clock, union(theirs, foldable(theirs, partition, retirements())));
    const keys = hasFloor(missing)
      ? undefined
      : keysOfDots(replica.dotLog, partition, readableDots(replica, partition, missing), limits.dots);
    if (keys === undefined) {
      writeMissingAnswer(out, { kind: 'unknown' });
    } else {
      const sent = takeWhileSmall(readable(replica, store, partition, keys), limits.bytes);
      await store.durable(store.lastSequence, 'flush');
      writeMissingAnswer(out, { kind: 'keys', clock, keys: sent });
    }
    request.reply(out.view());
  };
}

/** Without those of the keys that are known to be damaged here: they must not fill the answer. */
function* readableDots({ dotLog, damaged }: Replica, partition: Partition, missing: DotSet): Generator<Dot> {
  for (const dot of dotsIn(missing)) {
    const key = damaged.count === 0 ? undefined : dotLog.keyOf(partition, dot);
    if (key === undefined || !damaged.has(partition, key)) yield dot;
  }
}

/** What cannot be read is left out, and remains missing: one record must not keep the others from being told. */
function* readable(
  { damaged }: Replica,
  store: Store,
  partition: Partition,
  keys: ReadonlyMap<ObjectKey, readonly Dot[]>,
): Generator<SentKey> {
  for (const [key, dots] of keys) {
    try {
      yield { key, dots, object: store.read(partition, key) };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      damaged.note(partition, key);
    }
  }
}

function compareHandler(needs: SyncHandlerNeeds): RequestHandler {
  const { replica, store, life, limits, contentOf } = needs;
  return async (body, request) => {
    const { epoch, partition, after } = readCompareRequest(body);
    checkGranted(needs);
    checkOwner(replica, epoch, partition);
    const clock = store.clock(partition);
    const content = contentOf(partition);
    const found = store.scan(partition, after, limits.keys, limits.bytes);
    checkWhole(replica, partition, found);
    const keys = found.map(({ key, object }) => ({ key, object, dots: [] }));
    const last = found.at(-1)?.key;
    const isLast = last === undefined || (keys.length < limits.keys && store.scan(partition, last, 1).length === 0);
    await store.durable(store.lastSequence, 'flush');
    const out = new ByteWriter();
    writeCompareAnswer(out, { life, clock, content, keys, isLast });
    request.reply(out.view());
  };
}

/** What cannot be read must not seem to be absent. Errors: storage-failed. */
function checkWhole(replica: Replica, partition: Partition, found: readonly StoredObject[]): void {
  const damaged = found.filter(({ object }) => object === undefined);
  for (const { key } of damaged) replica.damaged.note(partition, key);
  if (damaged.length > 0) throw new StoreError('storage-failed', `a damaged record in partition ${partition}`);
}

/** At least one, so that whoever asks gets on. Those behind the first that is too much are not read. */
function takeWhileSmall(keys: Iterable<SentKey>, bytesMax: number): readonly SentKey[] {
  const taken: SentKey[] = [];
  let bytes = 0;
  for (const one of keys) {
    bytes += one.key.length + (one.object?.length ?? 0);
    if (taken.length > 0 && bytes > bytesMax) break;
    taken.push(one);
  }
  return taken;
}

/** Errors: not-ready. */
function checkGranted({ isGranted }: SyncHandlerNeeds): void {
  if (!isGranted()) throw new StoreError('not-ready', 'this node has no grant yet');
}

/** Errors: conflict, as {@link Ownership.check}. */
function checkOwner(replica: Replica, epoch: Epoch, partition: Partition): void {
  replica.ownership.check({ epoch, partition, key: NO_KEY });
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
