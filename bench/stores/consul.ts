import { z } from 'zod';
import { getJson } from './get-json.ts';
import { type HttpDialect, type HttpRequest, isSuccess } from './http-dialect.ts';
import { openHttpSession } from './http-session.ts';
import { CONFLICT, type Store } from './store.ts';

/**
 * Consul's key-value store (developer.hashicorp.com/consul/api-docs/kv). A read asks for the value as it is (`raw`), which costs Consul less
 * than JSON with base64 in it. Read-modify-write is a check-and-set upon the key's ModifyIndex, which only the JSON form tells.
 */
const DIALECT: HttpDialect = {
  read: (key, { parameter }) => get(key, ['raw', parameter]),
  write: (key, { bytes }) => ({ method: 'PUT', path: pathOf(key), body: bytes }),
  readBeforeWrite: (key, { parameter }) => get(key, [parameter]),
  writeAfter(key, { bytes }, _way, { body }) {
    const index = /"ModifyIndex": *(\d+)/.exec(body.toString('latin1'))?.[1] ?? '0';
    return { method: 'PUT', path: `${pathOf(key)}?cas=${index}`, body: bytes };
  },
  /** A write answers `true` or `false`, both with 200. */
  failureOf(step, answer) {
    if (!isSuccess(answer)) return `${answer.status}`;
    return step === 'read' || answer.body.includes('true') ? undefined : CONFLICT;
  },
};

export const CONSUL: Store = {
  name: 'consul',
  reads: [
    { label: 'consistent read', parameter: 'consistent', strength: 'quorum' },
    { label: 'default read', parameter: '', strength: 'other' },
    { label: 'stale read', parameter: 'stale', strength: 'one' },
  ],
  writes: [{ label: 'put', parameter: '', strength: 'quorum' }],
  dialect: DIALECT,
  open: (address, options) => openHttpSession(address, DIALECT, options),
  versionOf: async (address) => Self.parse(await getJson(`${address}/v1/agent/self`)).Config.Version,
  // It does not tell, and can be told otherwise (-dev keeps everything in memory).
  durabilityOf: async () => 'by default: fsync by a majority',
};

function get(key: string, parameters: readonly string[]): HttpRequest {
  const query = parameters.filter((one) => one !== '').join('&');
  return { method: 'GET', path: query === '' ? pathOf(key) : `${pathOf(key)}?${query}` };
}

const pathOf = (key: string): string => `/v1/kv/bench/${key}`;

const Self = z.object({ Config: z.object({ Version: z.string() }) });
