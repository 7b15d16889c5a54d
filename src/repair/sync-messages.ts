/**
 * The three questions of anti-entropy, each a request with one answer.
 *
 *     sync     partitions with a digest of the asking owner's clock -> the clocks of those whose digest is another one here
 *     missing  a partition and the asking owner's clock -> the keys of the dots that it lacks, as they are stored here
 *     compare  a partition and a key -> the keys behind that one, as they are stored here
 *
 * What is sent was flushed before, clocks and objects (rule C3); and an answer is one state: objects and clock of the same moment.
 */
import { type ByteReader, type ByteWriter, DecodeError } from '../core/bytes.ts';
import { type Container, decodeContainer, EMPTY_CONTAINER } from '../core/causality/container.ts';
import { type Dot, readDot, writeDot } from '../core/causality/dot.ts';
import { type DotSet, readDotSet, writeDotSet } from '../core/causality/dot-set.ts';
import {
  decodedObjectKey,
  type Epoch,
  epoch,
  type ObjectKey,
  type Partition,
  partition as partitionOf,
} from '../core/ids.ts';

export interface SyncRequest {
  readonly epoch: Epoch;
  readonly digests: readonly { readonly partition: Partition; readonly digest: bigint }[];
}

export function writeSyncRequest(out: ByteWriter, { epoch, digests }: SyncRequest): void {
  out.varint(epoch).varint(digests.length);
  for (const { partition, digest } of digests) {
    out.varint(partition);
    out.u32(Number(digest & LOW)).u32(Number(digest >> 32n));
  }
}

export function readSyncRequest(source: ByteReader): SyncRequest {
  const at = epoch(source.varint());
  const digests = readList(source, () => {
    const partition = partitionOf(source.varint());
    const low = BigInt(source.u32());
    return { partition, digest: (BigInt(source.u32()) << 32n) | low };
  });
  source.end();
  return { epoch: at, digests };
}

const LOW = 0xffff_ffffn;

/** Partitions whose digest is another one here, with their clock; and such that this node cannot speak of. */
export interface SyncAnswer {
  readonly differing: readonly { readonly partition: Partition; readonly clock: DotSet }[];
  readonly refused: readonly Partition[];
}

export function writeSyncAnswer(out: ByteWriter, { differing, refused }: SyncAnswer): void {
  out.varint(differing.length);
  for (const { partition, clock } of differing) writeDotSet(out.varint(partition), clock);
  out.varint(refused.length);
  for (const partition of refused) out.varint(partition);
}

export function readSyncAnswer(source: ByteReader): SyncAnswer {
  const differing = readList(source, () => ({ partition: partitionOf(source.varint()), clock: readDotSet(source) }));
  const refused = readList(source, () => partitionOf(source.varint()));
  source.end();
  return { differing, refused };
}

export interface MissingRequest {
  readonly epoch: Epoch;
  readonly partition: Partition;
  readonly clock: DotSet;
}

export function writeMissingRequest(out: ByteWriter, { epoch, partition, clock }: MissingRequest): void {
  writeDotSet(out.varint(epoch).varint(partition), clock);
}

export function readMissingRequest(source: ByteReader): MissingRequest {
  const request = { epoch: epoch(source.varint()), partition: partitionOf(source.varint()), clock: readDotSet(source) };
  source.end();
  return request;
}

/** One key as it is stored at the answering owner: no object, when nothing is left of it. */
export interface SentKey {
  readonly key: ObjectKey;
  /** Those dots of its writes that were asked for. */
  readonly dots: readonly Dot[];
  readonly object: Uint8Array | undefined;
}

/** A {@link SentKey} as it arrives. */
export interface ReceivedKey {
  readonly key: ObjectKey;
  readonly dots: readonly Dot[];
  /** As it is stored at the answering owner; its versions are views into the message. */
  readonly theirs: Container;
  /** What it took in the message. */
  readonly bytes: number;
}

/** `unknown`: this node does not know the keys of some of the dots; a full comparison must find them. */
export type MissingAnswer<Key = ReceivedKey> =
  | { readonly kind: 'keys'; readonly clock: DotSet; readonly keys: readonly Key[] }
  | { readonly kind: 'unknown' };

const UNKNOWN = 0;
const KEYS = 1;

export function writeMissingAnswer(out: ByteWriter, answer: MissingAnswer<SentKey>): void {
  if (answer.kind === 'unknown') {
    out.u8(UNKNOWN);
    return;
  }
  writeDotSet(out.u8(KEYS), answer.clock);
  writeKeys(out, answer.keys);
}

export function readMissingAnswer(source: ByteReader): MissingAnswer {
  const kind = source.u8();
  if (kind > KEYS) throw new DecodeError(`an answer of kind ${kind}`);
  const answer: MissingAnswer =
    kind === UNKNOWN ? { kind: 'unknown' } : { kind: 'keys', clock: readDotSet(source), keys: readKeys(source) };
  source.end();
  return answer;
}

export interface CompareRequest {
  readonly epoch: Epoch;
  readonly partition: Partition;
  /** Undefined: from the first key on. */
  readonly after: ObjectKey | undefined;
}

export function writeCompareRequest(out: ByteWriter, { epoch, partition, after }: CompareRequest): void {
  out
    .varint(epoch)
    .varint(partition)
    .string(after ?? '');
}

export function readCompareRequest(source: ByteReader): CompareRequest {
  const at = epoch(source.varint());
  const partition = partitionOf(source.varint());
  const text = source.string();
  source.end();
  return { epoch: at, partition, after: text === '' ? undefined : decodedObjectKey(text) };
}

export interface CompareAnswer<Key = ReceivedKey> {
  /** Of the answering process: another one than before means that the comparison must begin again (rule C1). */
  readonly life: number;
  readonly clock: DotSet;
  readonly keys: readonly Key[];
  /** There is no key behind these. */
  readonly isLast: boolean;
}

export function writeCompareAnswer(out: ByteWriter, { life, clock, keys, isLast }: CompareAnswer<SentKey>): void {
  writeDotSet(out.u32(life).u8(isLast ? 1 : 0), clock);
  writeKeys(out, keys);
}

export function readCompareAnswer(source: ByteReader): CompareAnswer {
  const life = source.u32();
  const isLast = source.u8() === 1;
  const answer = { life, isLast, clock: readDotSet(source), keys: readKeys(source) };
  source.end();
  return answer;
}

function writeKeys(out: ByteWriter, keys: readonly SentKey[]): void {
  out.varint(keys.length);
  for (const { key, dots, object } of keys) {
    out.string(key).varint(dots.length);
    for (const dot of dots) writeDot(out, dot);
    out.u8(object === undefined ? 0 : 1);
    if (object !== undefined) out.bytes(object);
  }
}

function readKeys(source: ByteReader): readonly ReceivedKey[] {
  return readList(source, () => {
    const before = source.remaining;
    const key = decodedObjectKey(source.string());
    const dots = readList(source, () => readDot(source));
    const theirs = source.u8() === 1 ? decodeContainer(source.bytes()) : EMPTY_CONTAINER;
    return { key, dots, theirs, bytes: before - source.remaining };
  });
}

function readList<T>(source: ByteReader, read: () => T): T[] {
  const count = source.varint();
  if (count > source.remaining) throw new DecodeError('a list longer than its message');
  const list: T[] = [];
  for (let i = 0; i < count; i++) list.push(read());
  return list;
}

/** Undefined when the message was none of these: the peer is of another mind, and the next round will tell. */
export function decoded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
