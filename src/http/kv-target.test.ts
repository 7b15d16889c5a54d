import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../bench/memory-store.ts';
import type { GetRequest, GetResult } from '../coordinator/api.ts';
import { startEdge, type TestEdge } from './test-edge.ts';

/** Keeps what the last read asked for. */
class RecordingStore extends MemoryStore {
  asked: GetRequest | undefined;

  override get(request: GetRequest): Promise<GetResult> {
    this.asked = request;
    return super.get(request);
  }
}

const store = new RecordingStore();
let edge: TestEdge;
beforeAll(async () => {
  edge = await startEdge(store);
});
afterAll(() => edge.server.close());

/** The key that a target stands for, or the code it is refused with. */
async function keyOf(target: string): Promise<string> {
  store.asked = undefined;
  const answer = await edge.ask('GET', target);
  const { code } = answer.json() as { readonly code: string };
  return store.asked === undefined ? `${answer.status} ${code}` : readKey(store.asked);
}

const readKey = (request: GetRequest): string => request.key;

describe('a key', () => {
  const taken: readonly (readonly [raw: string, key: string])[] = [
    ['k', 'k'],
    ['a%2Fb', 'a/b'],
    ['a/b', 'a/b'],
    ['a//b', 'a//b'],
    ['a/', 'a/'],
    ['/', '/'],
    ['a+b', 'a+b'],
    ['a%252Fb', 'a%2Fb'],
    ['%E2%82%AC', '€'],
    ['%00', '\0'],
    ['a%3Fb%23c', 'a?b#c'],
    ['a\\b', 'a\\b'],
    ['...', '...'],
    ['a/.b/..c', 'a/.b/..c'],
    ["~!$&'()*,;=:@|", "~!$&'()*,;=:@|"],
    ['%EF%BB%BFx', '\ufeffx'],
    ['__proto__', '__proto__'],
  ];
  test.each(taken)('%s is taken as it is sent, decoded once', async (raw, key) => {
    expect(await keyOf(`/v1/kv/b/${raw}`)).toBe(key);
    expect(await keyOf(`/v1/kv/b/${raw}?timeout=1s`)).toBe(key);
    expect(await keyOf(`http://any:1/v1/kv/b/${raw}`)).toBe(key);
  });

  const refused = ['', '%', '%2', '%zz', 'a%-1', '%ff', '%c3%28', '%ED%A0%80', '.', '..', '%2E', '%2e%2E', '.%2e'];
  const inside = ['a/../b', 'a/./b', 'a%2F..', '../a', 'a/..', '..%2Fa'];
  test.each([...refused, ...inside])('"%s" is refused', async (raw) => {
    expect(await keyOf(`/v1/kv/b/${raw}`)).toBe('400 bad-key');
  });

  test('has at most 1024 bytes, however they are sent', async () => {
    expect(await keyOf(`/v1/kv/b/${'k'.repeat(1024)}`)).toHaveLength(1024);
    expect(await keyOf(`/v1/kv/b/${'k'.repeat(1025)}`)).toBe('414 key-too-long');
    expect(await keyOf(`/v1/kv/b/${'%41'.repeat(1024)}`)).toHaveLength(1024);
    expect(await keyOf(`/v1/kv/b/${'%C3%BC'.repeat(512)}`)).toBe('ü'.repeat(512));
    expect(await keyOf(`/v1/kv/b/${'%C3%BC'.repeat(513)}`)).toBe('414 key-too-long');
  });
});

describe('a bucket', () => {
  test.each(['b', 'A.z_0-9', '...', 'x'.repeat(64), '%62'])('%s is taken', async (bucket) => {
    expect(await keyOf(`/v1/kv/${bucket}/k`)).toBe('k');
  });

  test.each(['', '.', '..', 'a b%20', 'ü', '%2F', 'x'.repeat(65), 'a%', 'a:b'])('"%s" is refused', async (bucket) => {
    const raw = bucket.replace(' ', '%20').replace('ü', '%C3%BC');
    expect(await keyOf(`/v1/kv/${raw}/k`)).toBe('400 bad-bucket');
  });
});

test('paths outside the contract are 404, whatever the method', async () => {
  for (const path of ['/', '/v1', '/v1/', '/v2/kv/b/k', '/v1/kvx/b', '/v1/cluster/', '/v1/../healthz', '*']) {
    expect(await keyOf(path)).toBe('404 not-found');
    expect((await edge.ask('PUT', path, [], 'x')).status).toBe(404);
  }
});

test('the instance of a problem is the path as it was sent', async () => {
  expect((await edge.ask('GET', '/v1/kv/b/a%2Fb?r=1')).json()).toMatchObject({ instance: '/v1/kv/b/a%2Fb' });
});
