import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../bench/memory-store.ts';
import type { GetRequest, GetResult, WriteRequest, WriteResult } from '../coordinator/api.ts';
import type { ReadExplanation, WriteExplanation } from '../coordinator/explanation.ts';
import { epoch, nodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import { startEdge, type TestEdge } from './test-edge.ts';

const READ: ReadExplanation = {
  ...{ kind: 'read', coordinator: nodeId('n1'), epoch: epoch(1), required: 1 },
  ...{ replicas: [], quorumMs: 1.5, merged: [], writtenBack: [], repaired: [] },
};
const WRITE: WriteExplanation = { kind: 'write', epoch: epoch(1), required: 1, coordinators: [], replicas: [] };

/** Explains what it is asked to explain, and fails for the key `failing`. */
class ExplainingStore extends MemoryStore {
  override async get(request: GetRequest): Promise<GetResult> {
    if (request.key === 'failing') throw new StoreError('deadline-exceeded', 'late', { explain: READ });
    const result = await super.get(request);
    return request.explain === true ? { ...result, explanation: READ } : result;
  }

  override async write(request: WriteRequest): Promise<WriteResult> {
    const result = await super.write(request);
    return request.explain === true ? { ...result, explanation: WRITE } : result;
  }
}

let edge: TestEdge;
beforeAll(async () => {
  edge = await startEdge(new ExplainingStore());
});
afterAll(() => edge.server.close());

describe('explain=true', () => {
  test('of a read is 200 with JSON instead of the value, or of the siblings', async () => {
    await edge.ask('PUT', '/v1/kv/b/k', ['Causal-Context: 0'], 'x');
    for (const body of ['y', 'z']) {
      const answer = await edge.ask('GET', '/v1/kv/b/k?explain=true');
      expect([answer.status, answer.headers['content-type'], answer.json()]).toEqual([200, 'application/json', READ]);
      expect(answer.headers).toMatchObject({
        'causal-context': expect.any(String),
        'quorate-quorum': expect.any(String),
      });
      expect(answer.headers.etag).toBeUndefined();
      await edge.ask('PUT', '/v1/kv/b/k', ['Causal-Context: 0'], body);
    }
    expect((await edge.ask('GET', '/v1/kv/b/k')).status).toBe(300);
  });

  test('of HEAD has the same head', async () => {
    const answer = await edge.ask('HEAD', '/v1/kv/b/k?explain=true');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    expect(answer.headers['content-length']).toBe(String(JSON.stringify(READ).length));
  });

  test('of writes is 200 with JSON, also for a key made by the server', async () => {
    for (const [method, target, body] of [
      ['PUT', '/v1/kv/b/w?explain=true&returnvalue=true', 'x'],
      ['DELETE', '/v1/kv/b/w?explain=true', undefined],
      ['POST', '/v1/kv/b?explain=true', 'x'],
    ] as const) {
      const answer = await edge.ask(method, target, [], body);
      expect([answer.status, answer.json()]).toEqual([200, WRITE]);
      expect(answer.headers.location !== undefined).toBe(method === 'POST');
    }
  });

  test('of what fails, or finds nothing, goes with the problem', async () => {
    const absent = await edge.ask('GET', '/v1/kv/b/absent?explain=true');
    expect([absent.status, absent.headers['content-type']]).toEqual([404, 'application/problem+json']);
    expect(absent.json()).toMatchObject({ code: 'not-found', explain: READ });
    const failing = await edge.ask('GET', '/v1/kv/b/failing?explain=true');
    expect([failing.status, failing.json()]).toMatchObject([504, { code: 'deadline-exceeded', explain: READ }]);
  });

  test('left out, nothing is told', async () => {
    expect((await edge.ask('GET', '/v1/kv/b/absent')).json()).not.toHaveProperty('explain');
  });
});
