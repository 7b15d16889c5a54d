import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import { StoreError } from '../errors.ts';
import type { Edge } from './edge.ts';
import type { Exchange } from './exchange.ts';
import { JSON_BYTES_MAX } from './http-limits.ts';
import { collectBody } from './request-body.ts';

/**
 * The request's JSON body. `reserved` names the fields and values of the contract that are not built yet.
 *
 * Errors: `unsupported-media-type`, `unsupported-encoding`, `value-too-large`, `not-supported`, `bad-body` naming the field's path.
 */
export async function readJson<T>(
  edge: Edge,
  exchange: Exchange,
  schema: z.ZodType<T>,
  reserved: (body: object) => string | undefined,
): Promise<T> {
  const { contentType = '', contentEncoding } = exchange.headers;
  if (!/^application\/json\s*(?:;|$)/i.test(contentType)) {
    throw new StoreError('unsupported-media-type', 'the body must be application/json', { field: 'Content-Type' });
  }
  if (contentEncoding !== undefined) {
    throw new StoreError('unsupported-encoding', 'encoded bodies are not read', { field: 'Content-Encoding' });
  }
  const value = parseJson(await collectBody(exchange, JSON_BYTES_MAX, edge.budget));
  const field = typeof value === 'object' && value !== null ? reserved(value) : undefined;
  if (field !== undefined) throw new StoreError('not-supported', `${field} is not supported yet`, { field });
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path =
    issue === undefined ? [] : [...issue.path, ...(issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [])];
  throw badBody(path.map(String).join('.'), issue?.message ?? 'not as expected');
}

function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw badBody('', 'not UTF-8');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new StoreError('bad-body', 'the body is no JSON', {}, { cause });
  }
}

function badBody(path: string, reason: string): StoreError {
  return new StoreError(
    'bad-body',
    path === '' ? `the body: ${reason}` : `${path}: ${reason}`,
    path === '' ? {} : { field: path },
  );
}
