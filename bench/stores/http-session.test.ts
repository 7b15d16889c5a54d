import { afterEach, describe, expect, it } from 'vitest';
import { quorate } from './quorate.ts';
import { newValue, type OperationKind, type Session } from './store.ts';
import { type TestServer, testServer } from './test-server.ts';

let server: TestServer | undefined;
let session: Session | undefined;
afterEach(async () => {
  session?.close();
  await server?.close();
});

/** A session with a server that answers with the given statuses, and what it was asked. */
async function asked(statuses: readonly number[]): Promise<{ session: Session; requests: string[] }> {
  const requests: string[] = [];
  server = await testServer((request, response) => {
    request.resume();
    response.statusCode = statuses[requests.length] ?? 500;
    response.setHeader('Causal-Context', `seen-${requests.length}`);
    requests.push(`${request.method} ${request.url} ${request.headers['causal-context'] ?? '-'}`);
    response.end();
  });
  const store = quorate(3);
  const [read] = store.reads;
  const [write] = store.writes;
  if (read === undefined || write === undefined) throw new Error('a store without ways');
  const nextValue = () => newValue(Buffer.from('v'));
  session = await store.open(server.address, { read, write, nextValue, timeoutMs: 5000 });
  return { session, requests };
}

const key = 'key-1';

describe('a session over HTTP', () => {
  it.each<[OperationKind, string[]]>([
    ['read', ['GET /v1/kv/bench/key-1?r=3 -']],
    ['update', ['PUT /v1/kv/bench/key-1?w=3 -']],
    ['insert', ['PUT /v1/kv/bench/key-1?w=3 -']],
    ['read-modify-write', ['GET /v1/kv/bench/key-1?r=3 -', 'PUT /v1/kv/bench/key-1?w=3 seen-0']],
  ])('does a %s', async (kind, expected) => {
    const { session: one, requests } = await asked([200, 204]);
    expect(await one.run({ kind, key })).toBeUndefined();
    expect(requests).toEqual(expected);
  });

  it('does not write what it could not read', async () => {
    const { session: one, requests } = await asked([503]);
    expect(await one.run({ kind: 'read-modify-write', key })).toBe('503');
    expect(requests).toHaveLength(1);
    expect(one.isOpen).toBe(true);
  });

  it('says why the write failed after the read', async () => {
    const { session: one } = await asked([300, 504]);
    expect(await one.run({ kind: 'read-modify-write', key })).toBe('504');
  });
});
