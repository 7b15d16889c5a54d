import { StoreError } from '../errors.ts';
import { HEAD_BYTES_MAX, META_BYTES_MAX } from './http-limits.ts';

/** The headers of a request that mean something here, as they were sent. */
export interface RequestHeaders {
  host: string | undefined;
  origin: string | undefined;
  accept: string | undefined;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  contentType: string | undefined;
  contentEncoding: string | undefined;
  causalContext: string | undefined;
  idempotencyKey: string | undefined;
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  ifUnmodifiedSince: string | undefined;
  /** Lower-case name without the prefix, and value; absent when there is none. */
  meta: [name: string, value: string][] | undefined;
}

/** All fields at once, so that every request's headers are objects of one shape. */
export function noHeaders(): RequestHeaders {
  return {
    host: undefined,
    origin: undefined,
    accept: undefined,
    contentLength: undefined,
    transferEncoding: undefined,
    contentType: undefined,
    contentEncoding: undefined,
    causalContext: undefined,
    idempotencyKey: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    ifModifiedSince: undefined,
    ifUnmodifiedSince: undefined,
    meta: undefined,
  };
}

type Single = Exclude<keyof RequestHeaders, 'meta' | 'accept'>;

const SINGLES: readonly (readonly [name: string, field: Single])[] = [
  ['Host', 'host'],
  ['Origin', 'origin'],
  ['Content-Length', 'contentLength'],
  ['Transfer-Encoding', 'transferEncoding'],
  ['Content-Type', 'contentType'],
  ['Content-Encoding', 'contentEncoding'],
  ['Causal-Context', 'causalContext'],
  ['Idempotency-Key', 'idempotencyKey'],
  ['If-Match', 'ifMatch'],
  ['If-None-Match', 'ifNoneMatch'],
  ['If-Modified-Since', 'ifModifiedSince'],
  ['If-Unmodified-Since', 'ifUnmodifiedSince'],
];

/** The two usual spellings are found without a lower-case copy. */
const FIELDS = new Map<string, Single | 'accept'>([['Accept', 'accept'] as const, ...SINGLES].flatMap(spellings));
const META_PREFIX = 'quorate-meta-';

function spellings([name, field]: readonly [string, Single | 'accept']): [string, Single | 'accept'][] {
  return [
    [name, field],
    [name.toLowerCase(), field],
  ];
}

/**
 * Reads Node's flat list of names and values in one pass, without the object that `IncomingMessage.headers` would build.
 *
 * Errors: `bad-header` (a header of the contract given twice, metadata without a name or over its limit), `headers-too-large`.
 */
export function readHeaders(raw: readonly string[], requestLineBytes: number): RequestHeaders {
  const headers = noHeaders();
  let bytes = requestLineBytes;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    bytes += name.length + value.length + 4;
    const field = FIELDS.get(name) ?? FIELDS.get(name.toLowerCase());
    if (field === undefined) {
      if (name.length >= META_PREFIX.length) addMeta(headers, name.toLowerCase(), value);
    } else if (field === 'accept') {
      headers.accept = headers.accept === undefined ? value : `${headers.accept},${value}`;
    } else if (headers[field] === undefined) {
      headers[field] = value;
    } else {
      throw new StoreError('bad-header', `${name} is given twice`, { field: name });
    }
  }
  if (bytes > HEAD_BYTES_MAX) {
    throw new StoreError('headers-too-large', `request line and headers are over ${HEAD_BYTES_MAX} bytes`);
  }
  return headers;
}

function addMeta(headers: RequestHeaders, name: string, value: string): void {
  if (!name.startsWith(META_PREFIX)) return;
  const own = name.slice(META_PREFIX.length);
  if (own === '') throw new StoreError('bad-header', 'Quorate-Meta- needs a name after it', { field: name });
  headers.meta ??= [];
  if (headers.meta.some(([other]) => other === own)) {
    throw new StoreError('bad-header', `${name} is given twice`, { field: name });
  }
  headers.meta.push([own, value]);
  const bytes = headers.meta.reduce((sum, [known, text]) => sum + known.length + text.length, 0);
  if (bytes > META_BYTES_MAX) {
    throw new StoreError('bad-header', `Quorate-Meta-* is over ${META_BYTES_MAX} bytes together`, { field: name });
  }
}
