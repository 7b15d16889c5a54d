import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../bench/memory-store.ts';
import type { GetRequest, GetResult, WriteRequest, WriteResult } from '../coordinator/api.ts';
import { parseDot } from '../core/causality/dot.ts';
import { startEdge, type TestEdge } from './test-edge.ts';

/** Keeps the last request. */
class RecordingStore extends MemoryStore {
  asked: GetRequest | WriteRequest | undefined;

  override get(request: GetRequest): Promise<GetResult> {
    this.asked = request;
    return super.get(request);
  }

  override write(request: WriteRequest): Promise<WriteResult> {
    this.asked = request;
    return super.write(request);
  }
}

const store = new RecordingStore();
let edge: TestEdge;
beforeAll(async () => {
  edge = await startEdge(store, { requestTimeoutMs: 1234 });
});
afterAll(() => edge.server.close());

async function asked(method: string, query: string): Promise<unknown> {
  store.asked = undefined;
  await edge.ask(method, `/v1/kv/b/${method === 'POST' ? '' : 'k'}${query}`.replace('b/?', 'b?'), [], bodyOf(method));
  return store.asked;
}

const bodyOf = (method: string): string | undefined => (method === 'PUT' || method === 'POST' ? 'x' : undefined);

describe('parameters', () => {
  test('left out are left to the bucket and the node', async () => {
    expect(await asked('GET', '')).toEqual({ bucket: 'b', key: 'k', timeoutMs: 1234, sloppy: true });
    expect(await asked('GET', '?')).toEqual({ bucket: 'b', key: 'k', timeoutMs: 1234, sloppy: true });
    expect(await asked('DELETE', '')).toEqual({
      bucket: 'b',
      key: 'k',
      timeoutMs: 1234,
      version: undefined,
      context: undefined,
      sloppy: true,
      returnValue: false,
    });
  });

  test('of a read reach the store', async () => {
    expect(await asked('GET', '?r=2&pr=1&timeout=250ms&sloppy=false&dot=1.2.3')).toEqual({
      bucket: 'b',
      key: 'k',
      r: 2,
      pr: 1,
      sloppy: false,
      timeoutMs: 250,
      dot: parseDot('1.2.3'),
    });
    expect(await asked('HEAD', '?r=quorum&pr=0&explain=true')).toMatchObject({ r: 'quorum', pr: 0, explain: true });
  });

  test('of a write reach the store', async () => {
    for (const method of ['PUT', 'POST']) {
      const request = await asked(method, '?w=all&pw=one&timeout=60s&returnvalue=true');
      expect(request).toMatchObject({ bucket: 'b', w: 'all', pw: 'one', timeoutMs: 60_000, returnValue: true });
    }
    expect(await asked('DELETE', '?w=1&pw=0&explain=true')).toMatchObject({ w: 1, pw: 0, explain: true });
    expect(await asked('DELETE', '?sloppy=false')).toMatchObject({ sloppy: false });
    expect(await asked('PUT', '?sloppy=true')).toMatchObject({ sloppy: true });
  });

  test('may be percent-encoded', async () => {
    expect(await asked('GET', '?%72=%32')).toMatchObject({ r: 2 });
  });
});

const BAD: readonly (readonly [method: string, query: string, field: string])[] = [
  ...['0', '-1', '+1', '01', '1.0', '1e0', '', '%201', 'two', 'QUORUM', 'all%20'].map(
    (level) => ['GET', `?r=${level}`, 'r'] as const,
  ),
  ['PUT', '?w=0', 'w'],
  ['GET', '?pr=-1', 'pr'],
  ['PUT', '?pw=x', 'pw'],
  ['GET', '?r', 'r'],
  ['GET', '?r=1&r=1', 'r'],
  ['GET', '?r=1&%72=1', 'r'],
  ['GET', '?R=1', 'R'],
  ['GET', '?q=1', 'q'],
  ['GET', '?r=1&', ''],
  ['GET', '?=1', ''],
  ['GET', '?r=%', 'r'],
  ['GET', '?__proto__=1', '__proto__'],
  ['GET', '?w=1', 'w'],
  ['HEAD', '?pw=1', 'pw'],
  ['PUT', '?r=1', 'r'],
  ['DELETE', '?pr=1', 'pr'],
  ['GET', '?returnvalue=true', 'returnvalue'],
  ['DELETE', '?returnvalue=true', 'returnvalue'],
  ['PUT', '?returnvalue=1', 'returnvalue'],
  ['PUT', '?dot=1.1.1', 'dot'],
  ['GET', '?dot=1.1', 'dot'],
  ['GET', '?sloppy=no', 'sloppy'],
  ['GET', '?explain=false', 'explain'],
  ['PUT', '?explain=1', 'explain'],
  ['GET', '?ttl=1s', 'ttl'],
  ['DELETE', '?ttl=1s', 'ttl'],
  ...['0ms', '61s', '60001ms', '1', '1m', '1.5s', '-1s', 's', '1S', '99999999s'].map(
    (timeout) => ['GET', `?timeout=${timeout}`, 'timeout'] as const,
  ),
];

describe('a bad parameter', () => {
  test.each(BAD)('%s %s is refused, naming it', async (method, query, field) => {
    const answer = await edge.ask(method, `/v1/kv/b/k${query}`, [], bodyOf(method));
    expect(answer.status).toBe(400);
    if (method !== 'HEAD') expect(answer.json()).toMatchObject({ code: 'bad-parameter', field });
  });
});

const RESERVED: readonly (readonly [method: string, query: string, field: string])[] = [
  ['PUT', '?ttl=5s', 'ttl'],
  ['GET', '?r=local_quorum', 'r'],
  ['PUT', '?w=each_quorum', 'w'],
  ['PUT', '?pw=local_quorum', 'pw'],
];

describe('a parameter that is not built yet', () => {
  test.each(RESERVED)('%s %s is refused as not supported', async (method, query, field) => {
    const answer = await edge.ask(method, `/v1/kv/b/k${query}`, [], bodyOf(method));
    expect([answer.status, answer.json()]).toMatchObject([400, { code: 'not-supported', field }]);
  });
});

test('nothing is asked of the store when a parameter is bad', async () => {
  expect(await asked('PUT', '?w=0')).toBeUndefined();
  expect(await asked('GET', '?unknown=1')).toBeUndefined();
});
