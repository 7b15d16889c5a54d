import { afterEach, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../bench/memory-store.ts';
import type { GetRequest, GetResult } from '../coordinator/api.ts';
import { connectTo, readAnswers, requestBytes, startEdge, type TestEdge } from './test-edge.ts';

const edges: TestEdge[] = [];
afterEach(async () => {
  await Promise.all(edges.splice(0).map((edge) => edge.server.close()));
});

class SlowStore extends MemoryStore {
  letGo = (): void => {};

  override async get(request: GetRequest): Promise<GetResult> {
    await new Promise<void>((resolve) => {
      this.letGo = resolve;
    });
    return super.get(request);
  }
}

describe('requests that are refused at once', () => {
  test('however many of them wait behind one that is being served, do not end the process', async () => {
    const store = new SlowStore();
    const edge = await startEdge(store);
    edges.push(edge);
    // So short that thousands of them are taken in before the connection is read no further.
    const refused = Buffer.from('GET /v1/kv/ HTTP/1.1\r\n\r\n');
    const socket = connectTo(edge.port);
    const answers = readAnswers(
      socket,
      Buffer.concat([
        requestBytes('GET', '/v1/kv/b/k', ['Connection: keep-alive']),
        ...Array.from({ length: 3000 }, () => refused),
        requestBytes('GET', '/healthz'),
      ]),
    );
    // Until they have arrived.
    for (let i = 0; i < 20; i++) await edge.stillServes();
    store.letGo();
    const statuses = (await answers).map(({ status }) => status);
    expect(statuses.filter((status) => status === 400)).toHaveLength(3000);
    expect([statuses[0], statuses.at(-1)]).toEqual([404, 200]);
    expect(edge.errors).toEqual([]);
  });
});
