import type { ByteReader, ByteWriter } from '../bytes.ts';
import { DecodeError, ByteReader as Reader, ByteWriter as Writer } from '../bytes.ts';

/** A value as it was written, with what describes it. Replicas carry its encoding about without looking inside. */
export interface Version {
  readonly value: Uint8Array;
  /** Empty stands for `application/octet-stream`. */
  readonly contentType: string;
  /** Names in lower case. */
  readonly meta: readonly (readonly [name: string, value: string])[];
  /** When the coordinator took the write, in ms since 1970. Every version has one, so that all replicas reduce alike (H5). */
  readonly stampMs: number;
}

/** The first byte of an encoded version; another one is from a newer release. */
const FORMAT = 1;

const scratch = new Writer();

/** A copy: it outlives the next call. */
export function encodeVersion(version: Version): Uint8Array {
  writeVersion(scratch.reset(), version);
  return scratch.copy();
}

function writeVersion(out: ByteWriter, { value, contentType, meta, stampMs }: Version): void {
  out.u8(FORMAT).varint(stampMs).string(contentType).varint(meta.length);
  for (const [name, text] of meta) out.string(name).string(text);
  out.raw(value);
}

/** The value is a view into `bytes`. Errors: DecodeError. */
export function decodeVersion(bytes: Uint8Array): Version {
  const source = new Reader(bytes);
  const format = source.u8();
  if (format !== FORMAT) throw new DecodeError(`version format ${format}`);
  const stampMs = source.varint();
  const contentType = source.string();
  const meta = readMeta(source);
  return { stampMs, contentType, meta, value: source.rest() };
}

const NO_META: Version['meta'] = [];

function readMeta(source: ByteReader): Version['meta'] {
  const count = source.varint();
  if (count === 0) return NO_META;
  if (count > source.remaining) throw new DecodeError('more metadata than bytes');
  return Array.from({ length: count }, () => [source.string(), source.string()] as const);
}
