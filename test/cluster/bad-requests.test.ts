/** Every way to be a 400, against real nodes: each names what is wrong, and nothing was done. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, headerOf, jsonOf, type Sent, send } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

let cluster: RealCluster;
let turn = 0;

beforeAll(async () => {
  cluster = await RealCluster.create();
  await cluster.start();
}, 60_000);
afterAll(() => cluster.remove());

function ask(path: string, sent?: Sent): Promise<Answer> {
  return send(cluster.httpPort(`n${(turn++ % 3) + 1}`), path, sent);
}

async function expect400(path: string, sent: Sent, code: string, field?: string): Promise<void> {
  const answer = await ask(path, sent);
  const wanted = { code, status: 400, retryable: false, ...(field !== undefined && { field }) };
  expect({ status: answer.status, document: jsonOf(answer) }).toMatchObject({ status: 400, document: wanted });
}

/** `name=value` of a query, and the methods that refuse it. */
const BAD_PARAMETERS: readonly (readonly [parameter: string, methods: readonly string[]])[] = [
  ...['0', '4', '01', '+1', '-1', '1.0', 'most', 'ALL', '', '1e0', '%31%00'].map((v) => [`r=${v}`, ['GET']] as const),
  ...['0', '4', '2,3', 'Quorum', ''].map((v) => [`w=${v}`, ['PUT', 'DELETE', 'POST']] as const),
  ...['4', '00', '-0', 'none'].map((v) => [`pr=${v}`, ['GET', 'HEAD']] as const),
  ['r=1&pr=2', ['GET']],
  ['w=1&pw=2', ['PUT', 'DELETE']],
  ['pw=4', ['PUT']],
  ['sloppy=yes', ['GET', 'PUT']],
  ...['0ms', '61s', '60001ms', '1', '1m', '1.5s', '-1s', '01s', ''].map(
    (v) => [`timeout=${v}`, ['GET', 'PUT']] as const,
  ),
  ['returnvalue=1', ['PUT']],
  ['dot=1.2', ['GET']],
  ['dot=x', ['GET']],
  ['w=2', ['GET', 'HEAD']],
  ['pw=1', ['GET']],
  ['r=2', ['PUT', 'DELETE', 'POST']],
  ['pr=1', ['PUT']],
  ['dot=1.2.3', ['PUT', 'DELETE']],
  ['returnvalue=true', ['GET', 'DELETE']],
  ['ttl=1s', ['GET', 'DELETE']],
  ['R=2', ['GET']],
  ['rr=2', ['GET', 'PUT']],
  ['r', ['GET']],
  ['=2', ['GET']],
  ['&', ['GET']],
  ['r=2&', ['GET']],
  ['r=2&r=2', ['GET']],
  ['w=1&w=2', ['PUT']],
  ['timeout=1s&timeout=1s', ['GET', 'PUT']],
  ['r=%zz', ['GET']],
  ['%ff=1', ['GET']],
  ['r=%FF', ['GET']],
];

describe('bad-parameter', () => {
  it.each(BAD_PARAMETERS.flatMap(([parameter, methods]) => methods.map((method) => [method, parameter] as const)))(
    '%s ?%s',
    async (method, parameter) => {
      const path = method === 'POST' ? '/v1/kv/b' : '/v1/kv/b/parameters';
      const answer = await ask(`${path}?${parameter}`, { method });
      expect(answer.status).toBe(400);
      if (method !== 'HEAD') expect(jsonOf(answer)).toMatchObject({ code: 'bad-parameter', field: expect.any(String) });
    },
  );

  it.each([
    ['/v1/cluster?x=1', 'x'],
    ['/v1/cluster/ring?bucket=b', 'key'],
    ['/v1/cluster/ring?key=k', 'bucket'],
    ['/v1/buckets?limit=1', 'limit'],
    ['/v1/buckets/b?r=1', 'r'],
    ['/healthz?deep=true', 'deep'],
    ['/readyz?x', 'x'],
    ['/v1/version?x=1', 'x'],
    ['/metrics?name=x', 'name'],
  ])('GET %s', (path, field) => expect400(path, {}, 'bad-parameter', field));

  it('nothing was written by any of them', async () => {
    expect((await ask('/v1/kv/b/parameters?r=3')).status).toBe(404);
  });
});

describe('bad-key and bad-bucket', () => {
  it.each(['%', '%4', '%zz', 'a%2', '%FF', '%C3%28', '', '.', '..', 'a/.', 'a/../b', '%2E%2E/a', 'a%2F..', './a'])(
    'the key %j is bad, read or written',
    async (key) => {
      for (const method of ['GET', 'PUT', 'DELETE']) await expect400(`/v1/kv/b/${key}`, { method }, 'bad-key', 'key');
    },
  );

  it.each(['%', 'a b'.replace(' ', '%20'), '..', '.', '%2E', 'b'.repeat(65), '%C3%BC', 'a$b'])(
    'the bucket %j is bad, wherever it is named',
    async (bucket) => {
      for (const method of ['GET', 'PUT', 'DELETE'])
        await expect400(`/v1/kv/${bucket}/k`, { method }, 'bad-bucket', 'bucket');
      await expect400(`/v1/kv/${bucket}`, { method: 'POST', body: 'v' }, 'bad-bucket', 'bucket');
      await expect400(`/v1/buckets/${bucket}`, {}, 'bad-bucket', 'bucket');
      await expect400(`/v1/cluster/ring?bucket=${bucket}&key=k`, {}, 'bad-bucket', 'bucket');
    },
  );

  it.each([
    ['a%2Fb', 'a/b'],
    ['a//b', 'a%2F%2Fb'],
    ['a/', 'a%2f'],
    ['%41', 'A'],
    ['a+b', 'a%2Bb'],
    ['...', '%2e..'],
    ['%00', '%00'],
    ['%e2%98%83', '%E2%98%83'],
    ['a%3Fb%23', 'a%3fb%23'],
  ])('%s and %s are the same key', async (one, other) => {
    expect((await ask(`/v1/kv/keys/${one}?w=3`, { method: 'PUT', body: one })).status).toBe(204);
    expect(await ask(`/v1/kv/keys/${other}?r=3`)).toMatchObject({ status: 200, body: Buffer.from(one) });
  });
});

describe('bad-context', () => {
  let context: string;
  beforeAll(async () => {
    const path = '/v1/kv/b/own?w=3';
    context = headerOf(await ask(path, { method: 'PUT', body: 'kept' }), 'causal-context');
  });

  const write = (path: string, token: string, method = 'PUT'): Promise<void> =>
    expect400(path, { method, headers: { 'Causal-Context': token } }, 'bad-context', 'Causal-Context');

  it('of another key or bucket', async () => {
    for (const path of ['/v1/kv/b/other', '/v1/kv/c/own'])
      for (const method of ['PUT', 'DELETE']) await write(path, context, method);
  });

  it('damaged in any character, cut short, or longer', async () => {
    for (let i = 0; i < context.length - 1; i++) {
      const swapped = context[i] === 'A' ? 'B' : 'A';
      await write('/v1/kv/b/own', context.slice(0, i) + swapped + context.slice(i + 1));
    }
    for (const token of [context.slice(0, -1), context.slice(4), `${context}AAAA`, context + context]) {
      await write('/v1/kv/b/own', token, 'DELETE');
    }
  });

  it('forged, not base64url, empty or too long', async () => {
    const forged = [Buffer.alloc(24), Buffer.from('{"everything":true}')].map((bytes) => bytes.toString('base64url'));
    for (const token of [...forged, 'A', 'a b', 'a=', '*', '', 'A'.repeat(4096), 'A'.repeat(4097)]) {
      await write('/v1/kv/b/own', token);
    }
  });

  it('nothing was replaced by any of them', async () => {
    expect(await ask('/v1/kv/b/own?r=3')).toMatchObject({ status: 200, body: Buffer.from('kept') });
    expect((await ask('/v1/kv/b/other?r=3')).status).toBe(404);
  });
});

describe('bad-header', () => {
  it.each(['Causal-Context', 'Content-Type', 'If-None-Match', 'Idempotency-Key', 'Quorate-Meta-A', 'Content-Encoding'])(
    '%s given twice',
    (name) => expect400('/v1/kv/b/twice', { method: 'PUT', headers: { [name]: ['a', 'a'] } }, 'bad-header'),
  );

  it('metadata without a name, or more than 2 KiB of it', async () => {
    await expect400('/v1/kv/b/k', { method: 'PUT', headers: { 'Quorate-Meta-': 'v' } }, 'bad-header');
    const large = Object.fromEntries([1, 2, 3].map((i) => [`Quorate-Meta-${i}`, 'v'.repeat(700)]));
    await expect400('/v1/kv/b/k', { method: 'PUT', headers: large }, 'bad-header');
  });
});

describe('bad-body', () => {
  const json = { 'Content-Type': 'application/json' };
  it.each([
    ['/v1/buckets/b', '{"r":4}', 'r'],
    ['/v1/buckets/b', '{"w":"most"}', 'w'],
    ['/v1/buckets/b', '{"n":2}', 'n'],
    ['/v1/buckets/b', '{"conflict":"newest"}', 'conflict'],
    ['/v1/buckets/b', '{"valueBytes":0}', 'valueBytes'],
    ['/v1/buckets/b', '{"valueBytes":1e9}', 'valueBytes'],
    ['/v1/buckets/b', '[]', undefined],
    ['/v1/buckets/b', '{', undefined],
    ['/v1/buckets/b', '', undefined],
    ['/v1/cluster/settings', '{}', undefined],
    ['/v1/cluster/settings', '{"durability":"maybe"}', 'durability'],
    ['/v1/cluster/settings', '{"r":0}', 'r'],
    ['/v1/cluster/settings', 'null', undefined],
    ['/v1/cluster/settings', '"\u{d800}"', undefined],
  ])('PUT %s %s', (path, body, field) => expect400(path, { method: 'PUT', body, headers: json }, 'bad-body', field));

  it('a body where there is none to be', async () => {
    for (const method of ['GET', 'DELETE']) await expect400('/v1/kv/b/k', { method, body: 'x' }, 'bad-body');
  });
});

describe('not-supported', () => {
  it.each<[string, string, string, Sent?]>([
    ['PUT', '/v1/kv/b/k?ttl=1s', 'ttl'],
    ['POST', '/v1/kv/b?ttl=1s', 'ttl'],
    ['GET', '/v1/kv/b/k?r=local_quorum', 'r'],
    ['PUT', '/v1/kv/b/k?w=each_quorum', 'w'],
    ['PUT', '/v1/kv/b/k?pw=local_quorum', 'pw'],
    ['PUT', '/v1/kv/b/k', 'Idempotency-Key', { headers: { 'Idempotency-Key': 'x' } }],
    ['GET', '/v1/kv/b', 'listing'],
    ['GET', '/v1/kv/b?prefix=a', 'listing'],
    ['POST', '/v1/batch/b', '/v1/batch'],
    ['GET', '/v1/cluster/plan', '/v1/cluster/plan'],
    ['POST', '/v1/cluster/plan', '/v1/cluster/plan'],
    ['DELETE', '/v1/cluster/plan', '/v1/cluster/plan'],
    ['POST', '/v1/cluster/apply', '/v1/cluster/apply'],
    ['GET', '/v1/cluster/transfers', '/v1/cluster/transfers'],
    ['PUT', '/v1/buckets/b', 'conflict', { body: '{"conflict":"lww"}' }],
    ['PUT', '/v1/buckets/b', 'ttl', { body: '{"ttl":"1s"}' }],
    ['PUT', '/v1/buckets/b', 'r', { body: '{"r":"local_quorum"}' }],
    ['PUT', '/v1/cluster/settings', 'w', { body: '{"w":"each_quorum"}' }],
  ])('%s %s is not built yet (%s), and never ignored', (method, path, field, sent = {}) => {
    const headers = { ...(sent.body !== undefined && { 'Content-Type': 'application/json' }), ...sent.headers };
    return expect400(path, { ...sent, method, headers }, 'not-supported', field);
  });
});
