import type { NewVersion, WriteRequest } from '../coordinator/api.ts';
import { StoreError } from '../errors.ts';
import type { Edge } from './edge.ts';
import type { Exchange } from './exchange.ts';
import { CONTENT_TYPE_BYTES_MAX, CONTEXT_CHARS_MAX } from './http-limits.ts';
import { answerRead, answerWrite } from './kv-answer.ts';
import { readParameters, type WriteParameters, writeParameters } from './kv-parameters.ts';
import { methodNotAllowed, refuseBody } from './methods.ts';
import { collectBody } from './request-body.ts';
import type { RequestHeaders } from './request-headers.ts';
import type { Handler } from './request-runner.ts';
import { kvAddress, kvPath, namesKey, type ObjectAddress } from './request-target.ts';
import { serverKey } from './server-key.ts';
import { DEFAULT_CONTENT_TYPE } from './siblings-json.ts';

/** Everything below `/v1/kv/`: the hot path. */
export function kvHandler(edge: Edge): Handler {
  return (exchange) => {
    switch (exchange.method) {
      case 'GET':
      case 'HEAD':
        return namesKey(exchange.path) ? read(edge, exchange) : list(exchange);
      case 'PUT':
      case 'DELETE':
        return namesKey(exchange.path) ? change(edge, exchange, exchange.method) : refuseMethod(exchange);
      case 'POST':
        return namesKey(exchange.path) ? refuseMethod(exchange) : create(edge, exchange);
      default:
        return refuseMethod(exchange);
    }
  };
}

async function read(edge: Edge, exchange: Exchange): Promise<void> {
  const { bucket, key } = objectAddress(exchange.path);
  const parameters = readParameters(exchange.query);
  const { r, pr, sloppy, dot, explain, timeoutMs = edge.options.limits.requestTimeoutMs } = parameters;
  refuseConditionalRead(exchange.headers);
  refuseBody(exchange);
  answerRead(edge, exchange, await edge.api.get({ bucket, key, timeoutMs, r, pr, sloppy, dot, explain }));
}

async function change(edge: Edge, exchange: Exchange, method: 'PUT' | 'DELETE'): Promise<void> {
  const address = objectAddress(exchange.path);
  const parameters = writeParameters(exchange.query, method);
  checkWriteHeaders(exchange.headers);
  if (method === 'DELETE') refuseBody(exchange);
  const value = method === 'PUT' ? await collectValue(edge, exchange, address.bucket) : undefined;
  const request = writeRequest(edge, exchange, address, parameters, value);
  answerWrite(edge, exchange, await edge.api.write(request), undefined);
}

async function create(edge: Edge, exchange: Exchange): Promise<void> {
  const { bucket } = kvAddress(exchange.path);
  const parameters = writeParameters(exchange.query, 'POST');
  checkWriteHeaders(exchange.headers);
  const value = await collectValue(edge, exchange, bucket);
  const address = { bucket, key: serverKey(edge.options.clock, edge.options.random) };
  const request = writeRequest(edge, exchange, address, parameters, value);
  answerWrite(edge, exchange, await edge.api.write(request), kvPath(address));
}

function collectValue(edge: Edge, exchange: Exchange, bucket: string): Promise<Buffer> {
  const bytesMax = Math.min(edge.options.limits.valueBytes, edge.api.bucket(bucket).valueBytes);
  return collectBody(exchange, bytesMax, edge.budget);
}

/** Undefined `value` deletes. */
function writeRequest(
  edge: Edge,
  exchange: Exchange,
  { bucket, key }: ObjectAddress,
  parameters: WriteParameters,
  value: Buffer | undefined,
): WriteRequest {
  const { causalContext: context, contentType = '', meta = NO_META } = exchange.headers;
  const storedType = contentType === DEFAULT_CONTENT_TYPE ? '' : contentType;
  const version = value === undefined ? undefined : { value, contentType: storedType, meta };
  const { w, pw, sloppy, returnValue, explain, timeoutMs = edge.options.limits.requestTimeoutMs } = parameters;
  return { bucket, key, timeoutMs, version, context, w, pw, sloppy, returnValue, explain };
}

const NO_META: NewVersion['meta'] = [];

async function list(exchange: Exchange): Promise<void> {
  kvAddress(exchange.path);
  throw new StoreError('not-supported', 'listing the keys of a bucket is not supported yet', { field: 'listing' });
}

async function refuseMethod(exchange: Exchange): Promise<void> {
  throw methodNotAllowed(exchange, namesKey(exchange.path) ? 'GET, HEAD, PUT, DELETE' : 'GET, HEAD, POST');
}

function objectAddress(path: string): ObjectAddress {
  const { bucket, key } = kvAddress(path);
  if (key === undefined) throw new StoreError('bad-key', 'the key is missing', { field: 'key' });
  return { bucket, key };
}

/** `If-Modified-Since` may be passed over (RFC 9110 13.1.3) and is: seconds are too coarse to tell two writes apart. */
function refuseConditionalRead(headers: RequestHeaders): void {
  const field =
    headers.ifMatch !== undefined ? 'If-Match' : headers.ifUnmodifiedSince !== undefined && 'If-Unmodified-Since';
  if (field) throw new StoreError('not-supported', `${field} on a read is not supported`, { field });
}

function checkWriteHeaders(headers: RequestHeaders): void {
  const condition = conditionOf(headers);
  if (condition !== undefined) {
    throw new StoreError('conditional-unsupported', `${condition} on a write is not supported`, { field: condition });
  }
  if (headers.contentEncoding !== undefined) {
    throw new StoreError('unsupported-encoding', 'values are stored as they are sent', { field: 'Content-Encoding' });
  }
  if (headers.idempotencyKey !== undefined) {
    throw new StoreError('not-supported', 'Idempotency-Key is not supported yet', { field: 'Idempotency-Key' });
  }
  const { causalContext = '-', contentType = '' } = headers;
  if (causalContext.length > CONTEXT_CHARS_MAX || !/^[A-Za-z0-9_-]+$/.test(causalContext)) {
    throw new StoreError('bad-context', 'the context is too long or no base64url', { field: 'Causal-Context' });
  }
  if (contentType.length > CONTENT_TYPE_BYTES_MAX) {
    throw new StoreError('bad-header', `Content-Type is over ${CONTENT_TYPE_BYTES_MAX} bytes`, {
      field: 'Content-Type',
    });
  }
}

function conditionOf(headers: RequestHeaders): string | undefined {
  if (headers.ifMatch !== undefined) return 'If-Match';
  if (headers.ifNoneMatch !== undefined) return 'If-None-Match';
  if (headers.ifModifiedSince !== undefined) return 'If-Modified-Since';
  return headers.ifUnmodifiedSince === undefined ? undefined : 'If-Unmodified-Since';
}
