/**
 * The three questions of anti-entropy, each a request with one answer.
 *
 *     sync     partitions with a digest of the asking owner's clock and the hash of its contents -> the clocks of those whose digest
 *              is another one here; and of the others which have other contents here (rule C10)
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

/** Clock and contents are those of one moment. */
export interface PartitionDigest {
  readonly partition: Partition;
  /** Of the clock. */
  readonly digest: bigint;
  /** The hash of the contents, undefined where it is not known. */
  readonly content: number | undefined;
}

export interface SyncRequest {
  readonly epoch: Epoch;
  /** Ascending by partition. */
  readonly digests: readonly PartitionDigest[];
}

/** Partitions that follow each other take 13 bytes each: 64 of them in sync 835, and the answer 4. */
export function writeSyncRequest(out: ByteWriter, { epoch, digests }: SyncRequest): void {
  out.varint(epoch).varint(digests.length);
  let next = 0;
  for (const { partition, digest, content } of digests) {
    out.varint(2 * (partition - next) + (content === undefined ? 0 : 1));
    out.u32(Number(digest & LOW)).u32(Number(digest >> 32n));
    if (content !== undefined) out.u32(content);
    next = partition + 1;
  }
}

export function readSyncRequest(source: ByteReader): SyncRequest {
  const at = epoch(source.varint());
  let next = 0;
  const digests = readList(source, () => {
    const head = source.varint();
    const partition = partitionOf(next + Math.floor(head / 2));
    next = partition + 1;
    const low = BigInt(source.u32());
    const digest = (BigInt(source.u32()) << 32n) | low;
    return { partition, digest, content: head % 2 === 0 ? undefined : source.u32() };
  });
  source.end();
  return { epoch: at, digests };
}

const LOW = 0xffff_ffffn;

/** What the answering owner finds of the partitions that it was asked of; those in none of these lists are equal. */
export interface SyncAnswer {
  /** The digest is another one here: with the clock. */
  readonly differing: readonly { readonly partition: Partition; readonly clock: DotSet }[];
  /** This node cannot speak of them. */
  readonly refused: readonly Partition[];
  /** The clocks are equal, and the contents have another hash here. */
  readonly mismatched: readonly Partition[];
  /** The clocks are equal, and the hash of the contents is not known here. */
  readonly uncompared: readonly Partition[];
}

export function writeSyncAnswer(out: ByteWriter, answer: SyncAnswer): void {
  out.varint(answer.differing.length);
  for (const { partition, clock } of answer.differing) writeDotSet(out.varint(partition), clock);
  for (const partitions of [answer.refused, answer.mismatched, answer.uncompared]) {
    out.varint(partitions.length);
    for (const partition of partitions) out.varint(partition);
  }
}

export function readSyncAnswer(source: ByteReader): SyncAnswer {
  const differing = readList(source, () => ({ partition: partitionOf(source.varint()), clock: readDotSet(source) }));
  const readPartitions = () => readList(source, () => partitionOf(source.varint()));
  const answer = { differing, refused: readPartitions(), mismatched: readPartitions(), uncompared: readPartitions() };
  source.end();
  return answer;
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
  /** The hash of the contents under that clock, undefined when it is not known. */
  readonly content: number | undefined;
  readonly keys: readonly Key[];
  /** There is no key behind these. */
  readonly isLast: boolean;
}

const IS_LAST = 1;
const HAS_CONTENT = 2;

export function writeCompareAnswer(out: ByteWriter, answer: CompareAnswer<SentKey>): void {
  const { life, clock, content, keys, isLast } = answer;
  out.u32(life).u8((isLast ? IS_LAST : 0) | (content === undefined ? 0 : HAS_CONTENT));
  if (content !== undefined) out.u32(content);
  writeDotSet(out, clock);
  writeKeys(out, keys);
}

export function readCompareAnswer(source: ByteReader): CompareAnswer {
  const life = source.u32();
  const flags = source.u8();
  if (flags > (IS_LAST | HAS_CONTENT)) throw new DecodeError(`flags ${flags}`);
  const content = (flags & HAS_CONTENT) === 0 ? undefined : source.u32();
  const isLast = (flags & IS_LAST) !== 0;
  const answer = { life, isLast, content, clock: readDotSet(source), keys: readKeys(source) };
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
