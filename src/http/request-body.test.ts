import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../bench/memory-store.ts';
import type { WriteRequest, WriteResult } from '../coordinator/api.ts';
import {
  connectTo,
  parseAnswers,
  readAnswers,
  readUntil,
  requestBytes,
  startEdge,
  type TestEdge,
} from './test-edge.ts';

class CountingStore extends MemoryStore {
  writes = 0;

  override write(request: WriteRequest): Promise<WriteResult> {
    this.writes++;
    return super.write(request);
  }
}

const store = new CountingStore();
let edge: TestEdge;
beforeAll(async () => {
  edge = await startEdge(store, { valueBytes: 1000, bodyBytes: 5000, headArrivalMs: 100, arrivalMs: 200 });
  await store.putBucket('small', { valueBytes: 10 });
});
afterAll(() => edge.server.close());

const put = (headers: readonly string[], rest = ''): string =>
  `${requestBytes('PUT', '/v1/kv/b/k', headers).toString('latin1')}${rest}`;

/** The one problem that the bytes are answered with; nothing is written and the node goes on. */
async function problemOf(bytes: string | Buffer): Promise<unknown> {
  const before = store.writes;
  const answers = (await edge.raw(bytes)).map((answer) => ({
    connection: answer.headers.connection,
    ...problem(answer),
  }));
  expect(answers).toHaveLength(1);
  expect(store.writes).toBe(before);
  expect(await edge.stillServes()).toBe(true);
  return answers[0];
}

const problem = (answer: { json(): unknown }): object => answer.json() as object;

describe('a value over the limit', () => {
  test('is 413, and the connection ends', async () => {
    expect((await edge.ask('PUT', '/v1/kv/b/k', [], 'x'.repeat(1000))).status).toBe(204);
    const request = requestBytes('PUT', '/v1/kv/b/k', ['Connection: keep-alive'], 'x'.repeat(1001));
    expect(await problemOf(request)).toMatchObject({ status: 413, code: 'value-too-large', connection: 'close' });
  });

  test('is measured by the bucket when that allows less', async () => {
    expect((await edge.ask('PUT', '/v1/kv/small/k', [], 'x'.repeat(10))).status).toBe(204);
    expect((await edge.ask('PUT', '/v1/kv/small/k', [], 'x'.repeat(11))).status).toBe(413);
    expect((await edge.ask('POST', '/v1/kv/small', [], 'x'.repeat(11))).status).toBe(413);
  });

  test('is refused before 100 Continue', async () => {
    const head = put(['Expect: 100-continue', 'Content-Length: 1001', 'Connection: keep-alive']);
    expect(await problemOf(head)).toMatchObject({ status: 413, code: 'value-too-large', connection: 'close' });
  });

  test('is found while its chunks arrive', async () => {
    const chunk = `1f4\r\n${'x'.repeat(500)}\r\n`;
    const bytes = put(['Transfer-Encoding: chunked', 'Connection: keep-alive'], chunk.repeat(3));
    expect(await problemOf(bytes)).toMatchObject({ status: 413, code: 'value-too-large', connection: 'close' });
  });

  test('of any size lets the client read the answer', async () => {
    const request = requestBytes('PUT', '/v1/kv/b/k', ['Connection: keep-alive'], Buffer.alloc(3_000_000));
    expect(await problemOf(request)).toMatchObject({ status: 413 });
  });
});

describe('100 Continue', () => {
  test('invites the body when it will be taken', async () => {
    const socket = connectTo(edge.port);
    const continued = readUntil(socket, (text) => text.endsWith('\r\n\r\n'));
    socket.write(put(['Expect: 100-continue', 'Content-Length: 4']));
    expect(await continued).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    expect((await readAnswers(socket, 'body')).map(({ status }) => status)).toEqual([204]);
    expect((await edge.ask('GET', '/v1/kv/b/k')).text).toBe('body');
  });

  test('is not sent when the request is refused for another reason', async () => {
    const bytes = put(['Expect: 100-continue', 'Content-Length: 4', 'If-Match: "x"', 'Connection: keep-alive']);
    expect(await problemOf(bytes)).toMatchObject({ status: 409, connection: 'close' });
  });
});

describe('a body in chunks', () => {
  test('is put together', async () => {
    const chunked = put(['Transfer-Encoding: chunked'], '3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n');
    expect((await edge.raw(chunked)).map(({ status }) => status)).toEqual([204]);
    expect((await edge.ask('GET', '/v1/kv/b/k')).text).toBe('abcde');
  });

  test('that is no HTTP is a problem, and nothing is written', async () => {
    const bytes = put(['Transfer-Encoding: chunked', 'Connection: keep-alive'], '3\r\nabc\r\nzz\r\n');
    expect(await problemOf(bytes)).toMatchObject({ status: 400, code: 'bad-body', connection: 'close' });
  });

  test('arriving byte by byte is the same', async () => {
    const socket = connectTo(edge.port);
    const answers = readAnswers(socket, '');
    for (const byte of put(['Content-Length: 6'], 'slowly')) {
      await new Promise<void>((resolve) => socket.write(byte, () => resolve()));
    }
    expect((await answers).map(({ status }) => status)).toEqual([204]);
    expect((await edge.ask('GET', '/v1/kv/b/k')).text).toBe('slowly');
  });
});

describe('half a body', () => {
  test('writes nothing when the client goes away', async () => {
    const before = store.writes;
    const socket = connectTo(edge.port);
    await new Promise<void>((resolve) => socket.write(put(['Content-Length: 10'], 'half'), () => resolve()));
    await new Promise<void>((resolve) => socket.once('close', resolve).destroy());
    expect(await edge.stillServes()).toBe(true);
    expect(store.writes).toBe(before);
  });

  test('writes nothing when the client ends its side, and says so', async () => {
    const before = store.writes;
    const socket = connectTo(edge.port);
    const answers = readAnswers(socket, put(['Content-Length: 10'], 'half'));
    socket.end();
    expect((await answers).map((answer) => [answer.status, problem(answer)])).toMatchObject([
      [400, { code: 'bad-body' }],
    ]);
    expect(store.writes).toBe(before);
  });

  test('writes nothing when the rest does not come in time, and says so', async () => {
    const answer = await problemOf(put(['Content-Length: 10', 'Connection: keep-alive'], 'half'));
    expect(answer).toMatchObject({ status: 400, code: 'bad-body', connection: 'close' });
  });
});

test('half a head is answered when the rest does not come in time', async () => {
  expect(await problemOf('GET /healthz HT')).toMatchObject({ status: 400, connection: 'close' });
});

test('bodies over what the node holds at once are 429, and taken again afterwards', async () => {
  const sockets = Array.from({ length: 5 }, () => connectTo(edge.port));
  const held = sockets.map((socket) => {
    const invited = readUntil(socket, (text) => text.includes('100 Continue'));
    socket.write(put(['Expect: 100-continue', 'Content-Length: 1000']));
    return invited;
  });
  await Promise.all(held);
  const refused = await edge.ask('PUT', '/v1/kv/b/k', [], 'x');
  expect([refused.status, refused.headers['retry-after'], problem(refused)]).toMatchObject([
    429,
    '1',
    { code: 'overloaded' },
  ]);
  const answers = await Promise.all(sockets.map((socket) => readAnswers(socket, 'x'.repeat(1000))));
  expect(answers.flat().map(({ status }) => status)).toEqual([204, 204, 204, 204, 204]);
  expect((await edge.ask('PUT', '/v1/kv/b/k', [], 'x')).status).toBe(204);
  expect((await edge.ask('GET', '/metrics')).text).toContain('quorate_http_body_bytes 0');
});

test('answers are parsed to the byte', () => {
  expect(() => parseAnswers(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf'))).toThrow('half a body');
});
