import { isUtf8 } from 'node:buffer';
import { StoreError } from '../errors.ts';
import { KEY_BYTES_MAX } from './http-limits.ts';

/** A request target's two halves, as they were sent; `query` is undefined without a `?`. */
export interface RequestTarget {
  readonly path: string;
  readonly query: string | undefined;
}

export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

/** Splits a request target in origin form (`/path?query`) or absolute form (`http://host/path?query`, RFC 9112 3.2.2). */
export function splitTarget(target: string): RequestTarget {
  const origin = target.charCodeAt(0) === SLASH ? target : withoutAuthority(target);
  const mark = origin.indexOf('?');
  return mark < 0 ? { path: origin, query: undefined } : { path: origin.slice(0, mark), query: origin.slice(mark + 1) };
}

function withoutAuthority(target: string): string {
  const authority = /^https?:\/\/[^/?]*/i.exec(target)?.[0];
  if (authority === undefined) return target;
  const rest = target.slice(authority.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Keys and buckets: the hot path. */
export const KV_PREFIX = '/v1/kv/';

/** The bucket and key of `/v1/kv/{bucket}/{key}`; the key is undefined when there is no slash behind the bucket. */
export function kvAddress(path: string): { readonly bucket: string; readonly key: string | undefined } {
  const slash = path.indexOf('/', KV_PREFIX.length);
  if (slash < 0) return { bucket: decodeBucket(path.slice(KV_PREFIX.length)), key: undefined };
  return { bucket: decodeBucket(path.slice(KV_PREFIX.length, slash)), key: decodeKey(path.slice(slash + 1)) };
}

/** Whether the path goes on behind the bucket, be it with an empty key. */
export function namesKey(path: string): boolean {
  return path.indexOf('/', KV_PREFIX.length) >= 0;
}

/** Errors: `bad-bucket`. */
export function decodeBucket(raw: string): string {
  const bucket = raw.includes('%') ? percentDecode(raw)?.toString('latin1') : raw;
  if (bucket === undefined || !/^[A-Za-z0-9._-]{1,64}$/.test(bucket) || bucket === '.' || bucket === '..') {
    throw new StoreError('bad-bucket', 'a bucket is 1-64 of A-Z a-z 0-9 . _ -, and not . or ..', { field: 'bucket' });
  }
  return bucket;
}

/** One pass over the usual key; only what is encoded goes the long way. Errors: `bad-key`, `key-too-long`. */
export function decodeKey(raw: string): string {
  const key = /^[!-$&-~]*$/.test(raw) ? raw : decodeBytes(raw);
  if (key === '') throw badKey('the key is empty');
  if (key.length > KEY_BYTES_MAX || (key !== raw && Buffer.byteLength(key) > KEY_BYTES_MAX)) {
    throw new StoreError('key-too-long', `a key has at most ${KEY_BYTES_MAX} bytes`, { field: 'key' });
  }
  if (key.includes('.') && /(?:^|\/)\.\.?(?:\/|$)/.test(key)) throw badKey('a segment of the key is . or ..');
  return key;
}

function decodeBytes(raw: string): string {
  const bytes = percentDecode(raw);
  if (bytes === undefined) throw badKey('the key has a bad percent escape');
  if (!isUtf8(bytes)) throw badKey('the key is not UTF-8');
  return bytes.toString('utf8');
}

/** The bytes behind the escapes; undefined when one is bad. Whatever else is in a target is a byte each: Node reads it as Latin-1. */
function percentDecode(raw: string): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let i = 0; i < raw.length; i++) {
    let code = raw.charCodeAt(i);
    if (code === PERCENT) {
      const hex = raw.slice(i + 1, i + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return undefined;
      code = Number.parseInt(hex, 16);
      i += 2;
    }
    bytes[length++] = code;
  }
  return bytes.subarray(0, length);
}

/** A name or value of the query: percent-decoded once, a plus is a plus; undefined when that is not possible. */
export function decodeQueryText(raw: string): string | undefined {
  if (/^[!-$&-~]*$/.test(raw)) return raw;
  const bytes = percentDecode(raw);
  return bytes !== undefined && isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** The path of a key, as `Location` gives it. */
export function kvPath(address: ObjectAddress): string {
  return `${KV_PREFIX}${address.bucket}/${encodeURIComponent(address.key)}`;
}

function badKey(reason: string): StoreError {
  return new StoreError('bad-key', reason, { field: 'key' });
}

const SLASH = 0x2f;
const PERCENT = 0x25;
