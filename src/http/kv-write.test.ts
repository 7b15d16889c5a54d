import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type TestEdge } from './test-edge.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.server.close());

describe('a write', () => {
  test('is 204 and says what it proved', async () => {
    const answer = await edge.ask('PUT', '/v1/kv/b/k', [], 'x');
    expect([answer.status, answer.body.length]).toEqual([204, 0]);
    expect(answer.headers).toMatchObject({
      'quorate-quorum': 'w=1/1; owners=1; fallbacks=0; durable=os',
      'quorate-epoch': '1',
      'quorate-node': 'n1',
      'server-timing': 'n1;dur=0',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers['causal-context']).toBeDefined();
    expect(answer.headers['content-length']).toBeUndefined();
  });

  test('without a context replaces what is there', async () => {
    await edge.ask('PUT', '/v1/kv/b/blind', [], '1');
    await edge.ask('PUT', '/v1/kv/b/blind', [], '2');
    expect((await edge.ask('GET', '/v1/kv/b/blind')).text).toBe('2');
  });

  test('hands the context on as it was sent', async () => {
    const first = await edge.ask('PUT', '/v1/kv/b/ctx', [], '1');
    const second = await edge.ask('PUT', '/v1/kv/b/ctx', [`Causal-Context: ${first.headers['causal-context']}`], '2');
    expect(second.status).toBe(204);
    expect((await edge.ask('GET', '/v1/kv/b/ctx')).text).toBe('2');
  });

  test('with returnvalue answers like a read', async () => {
    const one = await edge.ask('PUT', '/v1/kv/b/rv?returnvalue=true', ['Content-Type: text/x'], 'v');
    expect([one.status, one.text, one.headers['content-type']]).toEqual([200, 'v', 'text/x']);
    expect(one.headers['quorate-quorum']).toMatch(/^w=1\/1;/);
    const two = await edge.ask('PUT', '/v1/kv/b/rv?returnvalue=true', ['Causal-Context: 0', 'Accept: image/png'], 'w');
    expect([two.status, two.headers['content-type']]).toEqual([300, 'application/json']);
  });

  test('that deletes is 204, also for a key that was not there', async () => {
    await edge.ask('PUT', '/v1/kv/b/del', [], 'x');
    expect((await edge.ask('DELETE', '/v1/kv/b/del')).status).toBe(204);
    expect((await edge.ask('GET', '/v1/kv/b/del')).status).toBe(404);
    expect((await edge.ask('DELETE', '/v1/kv/b/never')).status).toBe(204);
  });
});

describe('a key made by the server', () => {
  test('is 201 with a Location that can be read', async () => {
    const answer = await edge.ask('POST', '/v1/kv/b', ['Content-Type: text/x'], 'made');
    expect([answer.status, answer.headers['content-length']]).toEqual([201, '0']);
    expect(answer.headers.location).toMatch(/^\/v1\/kv\/b\/[0-9a-z]{26}$/);
    expect((await edge.ask('GET', answer.headers.location ?? '')).text).toBe('made');
  });

  test('is another one each time', async () => {
    const first = await edge.ask('POST', '/v1/kv/b', [], 'x');
    const second = await edge.ask('POST', '/v1/kv/b', [], 'x');
    expect(first.headers.location).not.toBe(second.headers.location);
  });

  test('with returnvalue answers like a read, with the Location', async () => {
    const answer = await edge.ask('POST', '/v1/kv/b?returnvalue=true', [], 'made');
    expect([answer.status, answer.text]).toEqual([200, 'made']);
    expect(answer.headers.location).toMatch(/^\/v1\/kv\/b\//);
  });
});

describe('headers of a write', () => {
  const refused: readonly (readonly [header: string, status: number, code: string])[] = [
    ['If-Match: "x"', 409, 'conditional-unsupported'],
    ['If-None-Match: *', 409, 'conditional-unsupported'],
    ['If-Modified-Since: Fri, 20 Nov 2026 18:46:58 GMT', 409, 'conditional-unsupported'],
    ['If-Unmodified-Since: Fri, 20 Nov 2026 18:46:58 GMT', 409, 'conditional-unsupported'],
    ['Content-Encoding: gzip', 415, 'unsupported-encoding'],
    ['Idempotency-Key: 1', 400, 'not-supported'],
    ['Causal-Context: no/token', 400, 'bad-context'],
    ['Causal-Context:', 400, 'bad-context'],
    ['Causal-Context: damaged', 400, 'bad-context'],
    [`Causal-Context: ${'1'.repeat(4097)}`, 400, 'bad-context'],
    [`Content-Type: text/${'x'.repeat(300)}`, 400, 'bad-header'],
    [`Quorate-Meta-A: ${'x'.repeat(2048)}`, 400, 'bad-header'],
    ['Quorate-Meta-: x', 400, 'bad-header'],
  ];
  test.each(refused)('%.40s is refused with %i', async (header, status, code) => {
    for (const method of ['PUT', 'DELETE']) {
      const answer = await edge.ask(method, '/v1/kv/b/refused', [header], method === 'PUT' ? 'x' : undefined);
      expect([answer.status, answer.json()]).toMatchObject([status, { code }]);
      expect(answer.headers['content-type']).toBe('application/problem+json');
    }
    expect((await edge.ask('GET', '/v1/kv/b/refused')).status).toBe(404);
    expect(await edge.stillServes()).toBe(true);
  });

  test('metadata of 2 KiB together is taken', async () => {
    const headers = [`Quorate-Meta-A: ${'x'.repeat(1000)}`, `Quorate-Meta-B: ${'y'.repeat(1046)}`];
    expect((await edge.ask('PUT', '/v1/kv/b/meta', headers, 'x')).status).toBe(204);
    const answer = await edge.ask('GET', '/v1/kv/b/meta');
    expect(answer.headers).toMatchObject({ 'quorate-meta-a': 'x'.repeat(1000), 'quorate-meta-b': 'y'.repeat(1046) });
  });
});

test('methods that take no body refuse one', async () => {
  for (const method of ['GET', 'HEAD', 'DELETE']) {
    const answer = await edge.ask(method, '/v1/kv/b/k', [], 'x');
    expect(answer.status).toBe(400);
    if (method !== 'HEAD') expect(answer.json()).toMatchObject({ code: 'bad-body' });
  }
});

test('methods that a path does not have are 405 with Allow', async () => {
  const allow = async (method: string, path: string): Promise<unknown[]> => {
    const answer = await edge.ask(method, path);
    return [answer.status, answer.headers.allow];
  };
  expect(await allow('POST', '/v1/kv/b/k')).toEqual([405, 'GET, HEAD, PUT, DELETE']);
  expect(await allow('PATCH', '/v1/kv/b/k')).toEqual([405, 'GET, HEAD, PUT, DELETE']);
  expect(await allow('OPTIONS', '/v1/kv/b/k')).toEqual([405, 'GET, HEAD, PUT, DELETE']);
  expect(await allow('PUT', '/v1/kv/b')).toEqual([405, 'GET, HEAD, POST']);
});

test('listing is not supported yet', async () => {
  const answer = await edge.ask('GET', '/v1/kv/b?prefix=x');
  expect([answer.status, answer.json()]).toMatchObject([400, { code: 'not-supported', field: 'listing' }]);
});
