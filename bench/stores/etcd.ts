import { z } from 'zod';
import { getJson } from './get-json.ts';
import { type HttpDialect, isSuccess } from './http-dialect.ts';
import { openHttpSession } from './http-session.ts';
import { CONFLICT, NOT_FOUND, type Store } from './store.ts';

/**
 * etcd 3.4 and later over its JSON gateway (etcd.io/docs, "gRPC gateway"): keys and values are base64. Read-modify-write is a
 * transaction that compares the key's mod_revision with the one that was read.
 */
const DIALECT: HttpDialect = {
  read: (key, { parameter }) => post('range', `{"key":"${nameOf(key)}","serializable":${parameter}}`),
  write: (key, value) => post('put', `{"key":"${nameOf(key)}","value":"${value.base64}"}`),
  readBeforeWrite: (key, way) => DIALECT.read(key, way),
  writeAfter(key, value, _way, { body }) {
    const revision = /"mod_revision":"(\d+)"/.exec(body.toString('latin1'))?.[1] ?? '0';
    const name = nameOf(key);
    const compare = `{"key":"${name}","target":"MOD","result":"EQUAL","mod_revision":"${revision}"}`;
    return post(
      'txn',
      `{"compare":[${compare}],"success":[{"request_put":{"key":"${name}","value":"${value.base64}"}}]}`,
    );
  },
  /** What is false or empty is left out of the answer: a transaction that did not take place, and a key that is not there. */
  failureOf(step, answer) {
    if (!isSuccess(answer)) return `${answer.status}`;
    if (step === 'read' && !answer.body.includes('"kvs"')) return NOT_FOUND;
    if (step === 'write-after' && !answer.body.includes('"succeeded":true')) return CONFLICT;
    return undefined;
  },
};

export const ETCD: Store = {
  name: 'etcd',
  reads: [
    { label: 'linearizable range', parameter: 'false', strength: 'quorum' },
    { label: 'serializable range', parameter: 'true', strength: 'one' },
  ],
  writes: [{ label: 'put', parameter: '', strength: 'quorum' }],
  dialect: DIALECT,
  open: (address, options) => openHttpSession(address, DIALECT, options),
  versionOf: async (address) => Version.parse(await getJson(`${address}/version`)).etcdserver,
  // It does not tell, and can be told otherwise (--unsafe-no-fsync).
  durabilityOf: async () => 'by default: fsync by a majority',
};

const post = (what: string, body: string) => ({ method: 'POST', path: `/v3/kv/${what}`, body }) as const;

/** In base64, and apart from whatever else the store keeps. */
const nameOf = (key: string): string => Buffer.from(`bench/${key}`, 'latin1').toString('base64');

const Version = z.object({ etcdserver: z.string() });
