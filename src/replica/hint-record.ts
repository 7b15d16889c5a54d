/**
 * A hint among the node's own records.
 *
 *     hint/TARGET/OBJECT-KEY   -> version u8 | flags u8 | born varint | partition varint | the writes
 *     hint-counter/PARTITION   -> actor | counter varint: the last dot that this node minted there as a fallback
 */
import { ByteReader, ByteWriter, DecodeError } from '../core/bytes.ts';
import { type Dot, readDot, writeDot } from '../core/causality/dot.ts';
import { type HintedWrites, readHinted, writeHinted } from '../core/causality/hinted-writes.ts';
import {
  decodedObjectKey,
  type MemberNumber,
  memberNumber,
  type ObjectKey,
  type Partition,
  partition,
} from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';

export interface HintHeader {
  readonly partition: Partition;
  /** When it was first kept, in ms since 1970. */
  readonly bornMs: number;
  /** It stands for an acknowledgement. */
  readonly isCounted: boolean;
}

export interface HintRecord extends HintHeader {
  readonly writes: HintedWrites;
}

export const HINTS = 'hint/';
const VERSION = 1;
const COUNTED = 1;

const scratch = new ByteWriter();

export function hintKey(target: MemberNumber, key: ObjectKey): string {
  return `${HINTS}${target}/${key}`;
}

export function parseHintKey(name: string): { readonly target: MemberNumber; readonly key: ObjectKey } {
  const end = name.indexOf('/', HINTS.length);
  invariant(name.startsWith(HINTS) && end > 0, 'the name of a hint');
  return { target: memberNumber(Number(name.slice(HINTS.length, end))), key: keyInName(name) };
}

/** The key in the name of a hint, whatever is damaged of that. */
export function keyInName(name: string): ObjectKey {
  return decodedObjectKey(name.slice(name.indexOf('/', HINTS.length) + 1));
}

/** Valid until the next call: copy what is kept. */
export function encodeHint({ partition, bornMs, isCounted, writes }: HintRecord): Uint8Array {
  scratch
    .reset()
    .u8(VERSION)
    .u8(isCounted ? COUNTED : 0);
  writeHinted(scratch.varint(Math.max(0, Math.round(bornMs))).varint(partition), writes);
  return scratch.view();
}

/** Versions are views into the bytes. Errors: DecodeError. */
export function decodeHint(bytes: Uint8Array): HintRecord {
  const source = new ByteReader(bytes);
  const header = readHeader(source);
  const writes = readHinted(source);
  source.end();
  return { ...header, writes };
}

/** All but the writes: what has to be known of every hint at the start. Errors: DecodeError. */
export function decodeHintHeader(bytes: Uint8Array): HintHeader {
  return readHeader(new ByteReader(bytes));
}

function readHeader(source: ByteReader): HintHeader {
  const version = source.u8();
  if (version !== VERSION) throw new DecodeError(`hint version ${version}`);
  const isCounted = (source.u8() & COUNTED) !== 0;
  const bornMs = source.varint();
  return { isCounted, bornMs, partition: partition(source.varint()) };
}

export const COUNTERS = 'hint-counter/';
export const counterKey = (place: Partition): string => `${COUNTERS}${place}`;

export function encodeCounter(dot: Dot): Uint8Array {
  const out = new ByteWriter();
  writeDot(out, dot);
  return out.copy();
}

/** Errors: DecodeError. */
export function decodeCounter(bytes: Uint8Array): Dot {
  const source = new ByteReader(bytes);
  const dot = readDot(source);
  source.end();
  return dot;
}
