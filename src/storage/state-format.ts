/**
 * Keys and values of the state table.
 *
 *     1                                   -> version u8 | completed varint: the table holds every change up to `completed`
 *     2 | partition u16 (big-endian)      -> the partition's clock, a dot set
 *     3 | meta key (UTF-8)                -> a meta record
 *     4 | partition u16 | object key (UTF-8) -> a stored object
 *
 * Every value is followed by a checksum of key and value, so that damage is an error and never an absence or another key's value.
 */
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { type DotSet, readDotSet, writeDotSet } from '../core/causality/dot-set.ts';
import { decodedObjectKey, type ObjectKey, type Partition, partition as partitionOf } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Sequence } from '../ports.ts';
import type { Checksum32, StateEntry, StateWrite } from './devices.ts';
import { bufferOf } from './log-format.ts';

export const STORE_KEY = Buffer.of(1);
const CLOCKS = 2;
const META = 3;
const OBJECTS = 4;
const STATE_VERSION = 1;
const CHECKSUM_BYTES = 4;

/** The bounds of all clocks in the table. */
export const ALL_CLOCKS = [Buffer.of(CLOCKS), Buffer.of(CLOCKS + 1)] as const;

/** The bounds of the objects of all partitions. */
export const ALL_OBJECTS = [Buffer.of(OBJECTS), Buffer.of(OBJECTS + 1)] as const;

export function clockKey(partition: Partition): Buffer {
  return Buffer.of(CLOCKS, partition >>> 8, partition & 0xff);
}

export function clockPartition(key: Uint8Array): Partition {
  return partitionOf(bufferOf(key).readUInt16BE(1));
}

export function metaStateKey(key: string): Buffer {
  return Buffer.concat([Buffer.of(META), Buffer.from(key)]);
}

export function metaKeyText(key: Uint8Array): string {
  return bufferOf(key).toString('utf8', 1);
}

export function objectStateKey(partition: Partition, key: ObjectKey): Buffer {
  const bytes = Buffer.allocUnsafe(3 + Buffer.byteLength(key));
  bytes[0] = OBJECTS;
  bytes.writeUInt16BE(partition, 1);
  bytes.write(key, 3);
  return bytes;
}

/** The bounds of the partition's objects behind the key `after`, or of all of them. */
export function objectBounds(
  partition: Partition,
  after: ObjectKey | undefined,
): readonly [start: Buffer, end: Buffer] {
  const all = Buffer.of(OBJECTS, partition >>> 8, partition & 0xff);
  const start = after === undefined ? all : Buffer.concat([objectStateKey(partition, after), Buffer.of(0)]);
  return [start, prefixEnd(all)];
}

export function objectKeyText(key: Uint8Array): ObjectKey {
  return decodedObjectKey(bufferOf(key).toString('utf8', 3));
}

/** The first key behind all keys that start with `prefix`, which must not be all 0xff. */
export function prefixEnd(prefix: Uint8Array): Buffer {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  const end = Buffer.from(prefix.subarray(0, length));
  end[length - 1] = (end[length - 1] ?? 0) + 1;
  return end;
}

/** The entry to write for a value; undefined removes it. Key and value lie in one piece of memory, as the checksum wants them. */
export function stateWrite(key: Uint8Array, value: Uint8Array | undefined, checksum32: Checksum32): StateWrite {
  if (value === undefined) return { key, value: undefined };
  const both = Buffer.allocUnsafe(key.length + value.length + CHECKSUM_BYTES);
  both.set(key);
  both.set(value, key.length);
  const checked = key.length + value.length;
  both.writeUInt32LE(checksum32(both.subarray(0, checked)) >>> 0, checked);
  return { key: both.subarray(0, key.length), value: both.subarray(key.length) };
}

/** The value of an entry, its checksum verified. `where` names the place for people. */
export function stateValue(entry: StateEntry, checksum32: Checksum32, where: string): Uint8Array {
  const value = bufferOf(entry.value);
  const length = value.length - CHECKSUM_BYTES;
  if (length < 0) throw damaged(where);
  const both = Buffer.allocUnsafe(entry.key.length + length);
  both.set(entry.key);
  both.set(value.subarray(0, length), entry.key.length);
  if (checksum32(both) >>> 0 !== value.readUInt32LE(length)) throw damaged(where);
  return value.subarray(0, length);
}

/** Undefined when it is damaged: one record must not keep the others from being found. */
export function wholeStateValue(entry: StateEntry, checksum32: Checksum32): Uint8Array | undefined {
  try {
    return stateValue(entry, checksum32, 'a record');
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

export function damaged(where: string): StoreError {
  return new StoreError('storage-failed', `Stored data is damaged: the checksum does not match (${where}).`);
}

export function clockValue(clock: DotSet): Uint8Array {
  const out = new ByteWriter();
  writeDotSet(out, clock);
  return out.copy();
}

export function readClock(value: Uint8Array): DotSet {
  const source = new ByteReader(value);
  const clock = readDotSet(source);
  source.end();
  return clock;
}

export function storeRecord(completed: Sequence): Uint8Array {
  return new ByteWriter().u8(STATE_VERSION).varint(completed).copy();
}

/** The completed sequence; undefined when the table is of another version of the software. */
export function completedOf(record: Uint8Array): Sequence | undefined {
  const source = new ByteReader(record);
  return source.u8() === STATE_VERSION ? source.varint() : undefined;
}
