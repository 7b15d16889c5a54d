/**
 * The log's bytes. A segment holds groups one after the other; a group is what one flush made durable together.
 *
 *     group  = magic u32 | checksum u32 | body length u32 | count u32 | segment u48 | first u48 | flushed u48 | body
 *     body   = record * count                     (the sequences first, first + 1, ...)
 *     record = 1 | partition | key | dots | object          an object was put
 *            | 2 | partition | key | dots                   it was removed
 *            | 3 | count | (key | present | value?)*        meta records changed
 *            | 4 | partition | dot set                      the clock grew
 *            | 5 | partition                                it was emptied
 *
 * The checksum covers everything behind it. As the segment's number is in it and a recycled segment gets a new number, the bytes
 * of a segment's earlier life never pass for groups of this one. `flushed` is the highest sequence known to be flushed when
 * the group was written: it tells a tail torn by a power cut from damage to what had been durable.
 */
import { type ByteReader, ByteWriter, ByteReader as Reader } from '../core/bytes.ts';
import { type Dot, readDot, writeDot } from '../core/causality/dot.ts';
import { type DotSet, readDotSet, writeDotSet } from '../core/causality/dot-set.ts';
import { decodedObjectKey, type ObjectKey, type Partition, partition as partitionOf } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import type { MetaChange, Sequence } from '../ports.ts';
import type { Checksum32 } from './devices.ts';

export type LogRecord = ObjectRecord | MetaRecord | ClockRecord | ForgetRecord;

interface ObjectRecord {
  readonly kind: 'object';
  readonly partition: Partition;
  readonly key: ObjectKey;
  readonly object: Uint8Array | undefined;
  readonly dots: readonly Dot[];
}

interface MetaRecord {
  readonly kind: 'meta';
  readonly changes: readonly MetaChange[];
}

interface ClockRecord {
  readonly kind: 'clock';
  readonly partition: Partition;
  readonly dots: DotSet;
}

interface ForgetRecord {
  readonly kind: 'forget';
  readonly partition: Partition;
}

export interface LogGroup {
  readonly first: Sequence;
  readonly count: number;
  /** The highest sequence known to be flushed when this group was written. */
  readonly flushed: Sequence;
  /** A view into the segment's bytes. */
  readonly body: Uint8Array;
  /** Where the next group starts. */
  readonly end: number;
}

/** "QRL1", little-endian. */
const MAGIC = 0x314c5251;
export const GROUP_MAGIC = Buffer.from('QRL1', 'latin1');
const GROUP_HEADER_BYTES = 34;
const CHECKSUM_AT = 4;
const CHECKED_FROM = 8;
const LENGTH_AT = 8;
const COUNT_AT = 12;
const SEGMENT_AT = 16;
const FIRST_AT = 22;
const FLUSHED_AT = 28;
const NUMBER_BYTES = 6;
const EMPTY_HEADER = new Uint8Array(GROUP_HEADER_BYTES);

const OBJECT_PUT = 1;
const OBJECT_REMOVED = 2;
const META = 3;
const CLOCK = 4;
const FORGET = 5;

/** Collects the records of one group. Reused: `restart` keeps the memory. */
export class GroupBuffer {
  private readonly out = new ByteWriter();
  private first: Sequence = 0;
  private count = 0;

  restart(first: Sequence): this {
    this.out.reset().raw(EMPTY_HEADER);
    this.first = first;
    this.count = 0;
    return this;
  }

  get length(): number {
    return this.out.length;
  }

  /** The sequence of the last record in the group. */
  get last(): Sequence {
    return this.first + this.count - 1;
  }

  addObject(partition: Partition, key: ObjectKey, object: Uint8Array | undefined, dots: readonly Dot[]): void {
    const out = this.out;
    out
      .u8(object === undefined ? OBJECT_REMOVED : OBJECT_PUT)
      .varint(partition)
      .string(key);
    out.varint(dots.length);
    for (const dot of dots) writeDot(out, dot);
    if (object !== undefined) out.bytes(object);
    this.count++;
  }

  addMeta(changes: readonly MetaChange[]): void {
    const out = this.out;
    out.u8(META).varint(changes.length);
    for (const { key, value } of changes) {
      out.string(key).u8(value === undefined ? 0 : 1);
      if (value !== undefined) out.bytes(value);
    }
    this.count++;
  }

  addClock(partition: Partition, dots: DotSet): void {
    writeDotSet(this.out.u8(CLOCK).varint(partition), dots);
    this.count++;
  }

  addForget(partition: Partition): void {
    this.out.u8(FORGET).varint(partition);
    this.count++;
  }

  /** The finished group, valid until the next `restart`. */
  seal(segment: number, flushed: Sequence, checksum32: Checksum32): Uint8Array {
    invariant(this.count > 0 && flushed < this.first, 'a group holds records that are not yet flushed');
    const bytes = bufferOf(this.out.view());
    bytes.writeUInt32LE(MAGIC, 0);
    bytes.writeUInt32LE(bytes.length - GROUP_HEADER_BYTES, LENGTH_AT);
    bytes.writeUInt32LE(this.count, COUNT_AT);
    bytes.writeUIntLE(segment, SEGMENT_AT, NUMBER_BYTES);
    bytes.writeUIntLE(this.first, FIRST_AT, NUMBER_BYTES);
    bytes.writeUIntLE(flushed, FLUSHED_AT, NUMBER_BYTES);
    bytes.writeUInt32LE(checksum32(bytes.subarray(CHECKED_FROM)) >>> 0, CHECKSUM_AT);
    return bytes;
  }
}

/** The group at `offset` of a segment's bytes; undefined when there is none that is whole and of this segment's present life. */
export function groupAt(bytes: Buffer, offset: number, segment: number, checksum32: Checksum32): LogGroup | undefined {
  if (offset + GROUP_HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== MAGIC) return undefined;
  if (bytes.readUIntLE(offset + SEGMENT_AT, NUMBER_BYTES) !== segment) return undefined;
  const end = offset + GROUP_HEADER_BYTES + bytes.readUInt32LE(offset + LENGTH_AT);
  if (end > bytes.length) return undefined;
  const checked = bytes.subarray(offset + CHECKED_FROM, end);
  if (checksum32(checked) >>> 0 !== bytes.readUInt32LE(offset + CHECKSUM_AT)) return undefined;
  return {
    first: bytes.readUIntLE(offset + FIRST_AT, NUMBER_BYTES),
    count: bytes.readUInt32LE(offset + COUNT_AT),
    flushed: bytes.readUIntLE(offset + FLUSHED_AT, NUMBER_BYTES),
    body: bytes.subarray(offset + GROUP_HEADER_BYTES, end),
    end,
  };
}

/** Whether a group of the segment's present life starts at `offset`, whole or not. */
export function groupStartsAt(bytes: Buffer, offset: number, segment: number): boolean {
  return (
    offset + FIRST_AT <= bytes.length &&
    bytes.readUInt32LE(offset) === MAGIC &&
    bytes.readUIntLE(offset + SEGMENT_AT, NUMBER_BYTES) === segment
  );
}

/** The group's records, in order. Their byte strings are views into the body. Throws `DecodeError` on what no writer wrote. */
export function recordsOf(group: LogGroup): LogRecord[] {
  const source = new Reader(group.body);
  const records: LogRecord[] = [];
  for (let i = 0; i < group.count; i++) records.push(readRecord(source));
  source.end();
  return records;
}

function readRecord(source: ByteReader): LogRecord {
  const kind = source.u8();
  if (kind === META) return { kind: 'meta', changes: readMetaChanges(source) };
  const partition = partitionOf(source.varint());
  if (kind === CLOCK) return { kind: 'clock', partition, dots: readDotSet(source) };
  if (kind === FORGET) return { kind: 'forget', partition };
  const key = decodedObjectKey(source.string());
  const dots: Dot[] = [];
  for (let left = source.varint(); left > 0; left--) dots.push(readDot(source));
  return { kind: 'object', partition, key, dots, object: kind === OBJECT_PUT ? source.bytes() : undefined };
}

function readMetaChanges(source: ByteReader): MetaChange[] {
  const changes: MetaChange[] = [];
  for (let left = source.varint(); left > 0; left--) {
    const key = source.string();
    changes.push({ key, value: source.u8() === 1 ? source.bytes() : undefined });
  }
  return changes;
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
