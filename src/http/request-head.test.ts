import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo, requestBytes, startEdge, type TestEdge } from './test-edge.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.server.close());

describe('a header of the contract given twice', () => {
  const repeated = [
    'Causal-Context: 0',
    'Content-Type: text/plain',
    'If-None-Match: "x"',
    'Idempotency-Key: 1',
    'Quorate-Meta-A: 1',
    'Host: other',
    'Origin: http://x',
  ];
  test.each(repeated)('%s is refused, whatever its spelling', async (header) => {
    for (const again of [header, header.toLowerCase(), header.toUpperCase()]) {
      const answer = await edge.ask('PUT', '/v1/kv/b/k', [header, again], 'x');
      expect([answer.status, answer.json()]).toMatchObject([400, { code: 'bad-header' }]);
    }
    expect(await edge.stillServes()).toBe(true);
  });

  test('is fine when it is a list', async () => {
    expect((await edge.ask('GET', '/healthz', ['Accept: a/b', 'Accept: c/d'])).status).toBe(200);
  });
});

test('an Origin is forbidden on every route', async () => {
  for (const path of ['/v1/kv/b/k', '/v1/cluster', '/healthz', '/metrics', '/nowhere']) {
    const answer = await edge.ask('GET', path, ['Origin: http://evil.example']);
    expect([answer.status, answer.json()]).toMatchObject([403, { code: 'forbidden-origin' }]);
  }
});

describe('Host', () => {
  test('may not be missing in HTTP/1.1', async () => {
    const [answer] = await edge.raw('GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect([answer?.status, answer?.json()]).toMatchObject([400, { code: 'bad-header', field: 'Host' }]);
  });

  test('may be missing in HTTP/1.0, and may be an odd one', async () => {
    expect((await edge.raw('GET /healthz HTTP/1.0\r\n\r\n'))[0]?.status).toBe(200);
    for (const host of ['[::1]:8081', 'a_b:1', 'ex%41mple', '']) {
      const [answer] = await edge.raw(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer?.status).toBe(200);
    }
  });
});

describe('a head over 16 KiB', () => {
  test('is 431, in the request line and in headers', async () => {
    const long = 'x'.repeat(17_000);
    const many = Array.from({ length: 2500 }, (_, i) => `X${i}: 1`);
    const requests = [
      requestBytes('GET', `/v1/kv/b/${long}`),
      requestBytes('GET', '/v1/kv/b/k', [`X-Long: ${long}`]),
      requestBytes('GET', '/v1/kv/b/k', many),
    ];
    for (const request of requests) {
      const [answer] = await edge.raw(request);
      expect([answer?.status, answer?.json()]).toMatchObject([431, { code: 'headers-too-large' }]);
      expect(answer?.headers['content-type']).toBe('application/problem+json');
      expect(await edge.stillServes()).toBe(true);
    }
  });

  test('begins with the byte after it', async () => {
    const blankLine = 2;
    const around = requestBytes('GET', '/healthz', ['X-Fill: ']).length - blankLine;
    const fill = (bytes: number): string => `X-Fill: ${'x'.repeat(bytes - around)}`;
    expect((await edge.ask('GET', '/healthz', [fill(16_384)])).status).toBe(200);
    expect((await edge.ask('GET', '/healthz', [fill(16_385)])).status).toBe(431);
  });
});

describe('what is no HTTP', () => {
  const broken: readonly string[] = [
    'nonsense\r\n\r\n',
    'GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n',
    'GET / healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /healthz HTTP/1.1\r\nno colon\r\n\r\n',
    'GET /healthz HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n',
    'GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n',
    'PUT /v1/kv/b/k HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'PUT /v1/kv/b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
    'PUT /v1/kv/b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'GET /v1/kv/b/\u00e2\u0082\u00ac HTTP/1.1\r\nHost: x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00',
  ];
  test.each(broken)('%j is a problem document, and the connection ends', async (bytes) => {
    const [answer, ...more] = await edge.raw(bytes);
    expect([answer?.status, answer?.headers['content-type']]).toEqual([400, 'application/problem+json']);
    expect(answer?.json()).toMatchObject({ status: 400, type: 'about:blank' });
    expect(answer?.headers.connection).toBe('close');
    expect(more).toEqual([]);
    expect(await edge.stillServes()).toBe(true);
  });

  test('gets its answer after those that are due', async () => {
    const good = requestBytes('GET', '/healthz', ['Connection: keep-alive']).toString();
    const statuses = (await edge.raw(`${good}${good}nonsense\r\n\r\n`)).map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 400]);
  });

  test('a tunnel whose client breaks off harms nobody', async () => {
    const socket = connectTo(edge.port);
    await new Promise<void>((resolve) =>
      socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nrest', () => resolve()),
    );
    socket.resetAndDestroy();
    expect(await edge.stillServes()).toBe(true);
  });

  test('an upgrade that is offered is passed over', async () => {
    const headers = ['Connection: Upgrade, close', 'Upgrade: h2c'];
    expect((await edge.ask('GET', '/healthz', headers)).status).toBe(200);
  });

  test('a tunnel is refused with a problem document', async () => {
    const [answer] = await edge.raw('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    expect([answer?.status, answer?.json()]).toMatchObject([405, { code: 'method-not-allowed' }]);
  });
});
