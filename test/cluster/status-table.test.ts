/** The status table of the HTTP interface, row by row, as a client of a healthy cluster of real processes sees it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, headerOf, jsonOf, type Sent, send } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

const settings = 'limits: { siblings: 3, valueBytes: 64KiB }';
let cluster: RealCluster;
let turn = 0;

beforeAll(async () => {
  cluster = await RealCluster.create({ settings });
  await cluster.start();
}, 60_000);
afterAll(() => cluster.remove());

/** Each request goes to the next node: no answer may depend on which one is asked. */
function ask(path: string, sent?: Sent): Promise<Answer> {
  return send(cluster.httpPort(`n${(turn++ % 3) + 1}`), path, sent);
}

function put(path: string, body: string, headers: Sent['headers'] = {}): Promise<Answer> {
  return ask(path, { method: 'PUT', body, headers });
}

const contextOf = (answer: Answer): string => headerOf(answer, 'causal-context');

const siblingsOf = (answer: Answer) => jsonOf(answer).siblings as readonly { dot: string; value: string }[];
const valuesOf = (answer: Answer): readonly string[] =>
  siblingsOf(answer)
    .map(({ value }) => value)
    .sort();

/** Makes a key with the siblings `one` and `two`. */
async function conflicted(path: string): Promise<void> {
  const context = contextOf(await put(`${path}?w=3`, 'before', { 'Content-Type': 'text/plain' }));
  for (const text of ['one', 'two']) {
    const written = await put(`${path}?w=3`, text, { 'Content-Type': 'text/plain', 'Causal-Context': context });
    expect(written.status).toBe(204);
  }
}

/** What every error has: the document and the status line agree, and nothing of it may be cached. */
function expectProblem(answer: Answer, status: number, code: string, more: object = {}): void {
  const document = jsonOf(answer);
  expect({ status: answer.status, document }).toMatchObject({
    status,
    document: { type: 'about:blank', title: expect.any(String), status, code, detail: expect.any(String), ...more },
  });
  expect(answer.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'quorate-node': expect.stringMatching(/^n[123]$/),
  });
}

describe('200, 201 and 204', () => {
  it.each(['text of a value', ''])('a value of %j is read as it was written, from every node', async (text) => {
    const path = `/v1/kv/b/value-${text.length}`;
    const written = await put(`${path}?w=2`, text, { 'Content-Type': 'text/x-note', 'Quorate-Meta-Who': 'me' });
    expect(written.status).toBe(204);
    expect(written.body).toHaveLength(0);
    expect(headerOf(written, 'quorate-quorum')).toMatch(/^w=[23]\/2; owners=[23]; fallbacks=0; durable=flush$/);
    const answers = await Promise.all([1, 2, 3].map(() => ask(`${path}?r=2`)));
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 200, body: Buffer.from(text) });
      expect(answer.headers).toMatchObject({
        'content-length': String(text.length),
        'content-type': 'text/x-note',
        'quorate-meta-who': 'me',
        'quorate-quorum': expect.stringMatching(/^r=2\/2; owners=2; fallbacks=0; hedged=[01]$/),
        'quorate-epoch': expect.stringMatching(/^\d+$/),
        'server-timing': expect.stringMatching(/^n[123];dur=[\d.]+, n[123];dur=[\d.]+$/),
        'last-modified': expect.stringMatching(/ GMT$/),
      });
      expect(contextOf(answer)).toBe(contextOf(written));
    }
    expect(new Set(answers.map((answer) => headerOf(answer, 'etag'))).size).toBe(1);
  });

  it('POST makes a key of its own, and Location leads to it', async () => {
    const made = await ask('/v1/kv/b?w=2', { method: 'POST', body: 'made' });
    expect(made.status).toBe(201);
    const found = await ask(`${headerOf(made, 'location')}?r=2`);
    expect(found).toMatchObject({ status: 200, body: Buffer.from('made') });
    expect(found.headers['content-type']).toBe('application/octet-stream');
  });

  it('DELETE is 204, also of a key that was never there', async () => {
    await put('/v1/kv/b/gone?w=3', 'here');
    for (const path of ['/v1/kv/b/gone', '/v1/kv/b/never']) {
      expect((await ask(`${path}?w=3`, { method: 'DELETE' })).status).toBe(204);
      expectProblem(await ask(`${path}?r=3`), 404, 'not-found', { instance: path });
    }
  });

  it('returnvalue=true answers a write with what is there now', async () => {
    const path = '/v1/kv/b/returned?w=3&returnvalue=true';
    const first = await put(path, 'one');
    expect(first).toMatchObject({ status: 200, body: Buffer.from('one') });
    const headers = { 'Causal-Context': contextOf(first) };
    expect(await put(path, 'two', headers)).toMatchObject({ status: 200, body: Buffer.from('two') });
    const beside = await put(path, 'three', headers);
    expect(beside.status).toBe(300);
    expect(valuesOf(beside)).toEqual(['three', 'two']);
  });
});

describe('300 and 304', () => {
  beforeAll(() => conflicted('/v1/kv/b/siblings'));

  it('siblings are JSON, the same from every node', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => ask('/v1/kv/b/siblings?r=3')));
    for (const answer of answers) {
      expect(answer.status).toBe(300);
      expect(answer.headers).toMatchObject({ 'content-type': 'application/json', vary: 'Accept' });
      expect(answer.headers.location).toBeUndefined();
      expect(valuesOf(answer)).toEqual(['one', 'two']);
      expect(siblingsOf(answer)[0]).toMatchObject({
        contentType: 'text/plain',
        dot: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      });
    }
    expect(new Set(answers.map((answer) => headerOf(answer, 'etag'))).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(1);
  });

  it('HEAD has the same head as GET, its length included, and no body', async () => {
    const [get, head] = [await ask('/v1/kv/b/siblings?r=3'), await ask('/v1/kv/b/siblings?r=3', { method: 'HEAD' })];
    expect(head.status).toBe(300);
    expect(head.body).toHaveLength(0);
    for (const name of ['content-length', 'content-type', 'etag', 'vary', 'causal-context']) {
      expect(head.headers[name], name).toBe(get.headers[name]);
    }
  });

  it('multipart/mixed on Accept, a part for each', async () => {
    const answer = await ask('/v1/kv/b/siblings?r=3', { headers: { Accept: 'multipart/mixed' } });
    expect(answer.status).toBe(300);
    const [, boundary] = /^multipart\/mixed; boundary=(\S+)$/.exec(headerOf(answer, 'content-type')) ?? [];
    const parts = answer.body.toString().split(`--${boundary}`);
    expect(parts).toHaveLength(4);
    expect(
      parts
        .slice(1, 3)
        .map((part) => part.trim().split('\r\n\r\n')[1])
        .sort(),
    ).toEqual(['one', 'two']);
    expect(parts[3]).toBe('--\r\n');
  });

  it('dot= is just that sibling, whose context removes it alone', async () => {
    await conflicted('/v1/kv/b/apart');
    const [first, second] = siblingsOf(await ask('/v1/kv/b/apart?r=3'));
    const answer = await ask(`/v1/kv/b/apart?r=3&dot=${first?.dot}`);
    expect(answer).toMatchObject({ status: 200, body: Buffer.from(first?.value ?? '') });
    await ask('/v1/kv/b/apart?w=3', { method: 'DELETE', headers: { 'Causal-Context': contextOf(answer) } });
    expect(await ask('/v1/kv/b/apart?r=3')).toMatchObject({ status: 200, body: Buffer.from(second?.value ?? '') });
    const gone = await ask(`/v1/kv/b/apart?r=3&dot=${first?.dot}`);
    expectProblem(gone, 404, 'not-found');
    expect(contextOf(gone)).not.toBe('');
  });

  it('the context of all siblings merges them', async () => {
    await conflicted('/v1/kv/b/merged');
    const context = contextOf(await ask('/v1/kv/b/merged?r=3'));
    await put('/v1/kv/b/merged?w=3', 'both', { 'Causal-Context': context });
    expect(await ask('/v1/kv/b/merged?r=3')).toMatchObject({ status: 200, body: Buffer.from('both') });
  });

  it('If-None-Match with the present ETag is 304 with the context, of values and of siblings', async () => {
    await put('/v1/kv/b/cached?w=3', 'v');
    for (const path of ['/v1/kv/b/cached?r=3', '/v1/kv/b/siblings?r=3']) {
      const known = await ask(path);
      for (const method of ['GET', 'HEAD']) {
        const again = await ask(path, { method, headers: { 'If-None-Match': headerOf(known, 'etag') } });
        expect(again.status).toBe(304);
        expect(again.body).toHaveLength(0);
        expect(contextOf(again)).toBe(contextOf(known));
      }
      expect((await ask(path, { headers: { 'If-None-Match': '"1.1.1"' } })).status).toBe(known.status);
    }
  });

  it('406 is for siblings alone: a single value is never refused for its type', async () => {
    const headers = { Accept: 'image/png' };
    expectProblem(await ask('/v1/kv/b/siblings?r=3', { headers }), 406, 'not-acceptable');
    expect((await ask('/v1/kv/b/cached', { headers })).status).toBe(200);
  });
});

describe('403, 404 and 405', () => {
  it.each(['/v1/kv/b/k', '/v1/cluster', '/readyz'])('a request of a web page to %s is 403', async (path) => {
    expectProblem(await ask(path, { headers: { Origin: 'http://example.com' } }), 403, 'forbidden-origin');
  });

  it('404 of a key says what the read had seen: nothing, up to here', async () => {
    const missing = await ask('/v1/kv/b/nothing?r=2');
    expectProblem(missing, 404, 'not-found');
    expect(headerOf(missing, 'quorate-quorum')).toMatch(/^r=2\/2/);
    const written = await put('/v1/kv/b/nothing?w=3', 'first', { 'Causal-Context': contextOf(missing) });
    expect(written.status).toBe(204);
    const head = await ask('/v1/kv/b/nothing-else', { method: 'HEAD' });
    expect({ status: head.status, body: head.body.length }).toEqual({ status: 404, body: 0 });
  });

  it.each(['/', '/v1', '/v2/kv/b/k', '/v1/cluster/nothing', '/metrics/x', '/v1/buckets/b/c'])(
    'there is no route %s',
    async (path) => expectProblem(await ask(path), 404, 'not-found'),
  );

  it.each([
    ['POST', '/v1/kv/b/k', 'GET, HEAD, PUT, DELETE'],
    ['PATCH', '/v1/kv/b/k', 'GET, HEAD, PUT, DELETE'],
    ['OPTIONS', '/v1/kv/b/k', 'GET, HEAD, PUT, DELETE'],
    ['PUT', '/v1/kv/b', 'GET, HEAD, POST'],
    ['DELETE', '/v1/buckets/b', 'GET, PUT, HEAD'],
    ['POST', '/v1/buckets', 'GET, HEAD'],
    ['PUT', '/v1/cluster', 'GET, HEAD'],
    ['GET', '/v1/cluster/settings', 'PUT'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['DELETE', '/healthz', 'GET, HEAD'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
    const answer = await ask(path, { method });
    expectProblem(answer, 405, 'method-not-allowed');
    expect(headerOf(answer, 'allow')).toBe(allow);
  });
});

describe('409 and 413 to 415', () => {
  it.each(['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since'])(
    'a write with %s is 409 and not applied',
    async (field) => {
      const headers = { [field]: field.startsWith('If-M') ? '"1.2.3"' : '*' };
      expectProblem(await put('/v1/kv/b/conditional', 'v', headers), 409, 'conditional-unsupported', { field });
      expectProblem(await ask('/v1/kv/b/conditional', { method: 'DELETE', headers }), 409, 'conditional-unsupported');
      expect((await ask('/v1/kv/b/conditional?r=3')).status).toBe(404);
    },
  );

  it('one sibling too many is 409 and not applied; deleting them is always possible', async () => {
    const path = '/v1/kv/b/many';
    const context = contextOf(await put(`${path}?w=3`, 'first'));
    for (const text of ['1', '2', '3']) await put(`${path}?w=3`, text, { 'Causal-Context': context });
    const refused = await put(`${path}?w=3`, '4', { 'Causal-Context': context });
    expectProblem(refused, 409, 'sibling-limit', { outcome: 'not_applied', retryable: false });
    expect(valuesOf(await ask(`${path}?r=3`))).toEqual(['1', '2', '3']);
    expect((await ask(`${path}?w=3`, { method: 'DELETE' })).status).toBe(204);
    expect((await ask(`${path}?r=3`)).status).toBe(404);
  });

  it('a value over the limit is 413, declared or in chunks; one of exactly the limit is stored', async () => {
    const most = 'v'.repeat(64 * 1024);
    expect((await put('/v1/kv/b/large?w=3', most)).status).toBe(204);
    expectProblem(await put('/v1/kv/b/large', `${most}+`), 413, 'value-too-large');
    const chunked = { method: 'PUT', body: `${most}+`, headers: { 'Transfer-Encoding': 'chunked' } };
    expectProblem(await ask('/v1/kv/b/large', chunked), 413, 'value-too-large');
    expect((await ask('/v1/kv/b/large?r=3')).body.toString()).toBe(most);
  });

  it('a key of 1024 bytes is taken, one of 1025 is 414', async () => {
    const key = '%C3%BC'.repeat(512);
    expect((await put(`/v1/kv/b/${key}`, 'v')).status).toBe(204);
    expectProblem(await put(`/v1/kv/b/${key}x`, 'v'), 414, 'key-too-long');
    expectProblem(await ask(`/v1/kv/b/${'k'.repeat(1025)}`), 414, 'key-too-long');
  });

  it('an encoded value is 415, on every kind of write; so is a JSON endpoint sent something else', async () => {
    const headers = { 'Content-Encoding': 'gzip' };
    for (const method of ['PUT', 'DELETE'])
      expectProblem(await ask('/v1/kv/b/encoded', { method, headers }), 415, 'unsupported-encoding');
    expectProblem(await ask('/v1/kv/b', { method: 'POST', headers, body: 'v' }), 415, 'unsupported-encoding');
    for (const path of ['/v1/buckets/b', '/v1/cluster/settings']) {
      expectProblem(await put(path, '{"r":1}'), 415, 'unsupported-media-type');
      expectProblem(await put(path, '{"r":1}', { 'Content-Type': 'text/json' }), 415, 'unsupported-media-type');
      const both = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
      expectProblem(await put(path, '{"r":1}', both), 415, 'unsupported-encoding');
    }
  });

  it('request line and headers over 16 KiB are 431, in one header or in many', async () => {
    const small = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`X-${i}`, '']));
    expectProblem(await ask('/v1/kv/b/k', { headers: small }), 431, 'headers-too-large');
    const answer = await ask('/v1/kv/b/k', { headers: { 'X-Large': 'x'.repeat(16 * 1024) } });
    expect(jsonOf(answer)).toMatchObject({ status: 431, code: 'headers-too-large' });
    expect(answer.status).toBe(431);
  });
});
