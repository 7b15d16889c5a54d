import { afterEach, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../bench/memory-store.ts';
import type { GetRequest, GetResult, WriteRequest, WriteResult } from '../coordinator/api.ts';
import { FatalError, StoreError } from '../errors.ts';
import {
  connectTo,
  parseAnswers,
  readAnswers,
  readUntil,
  requestBytes,
  startEdge,
  type TestEdge,
  unstartedServer,
} from './test-edge.ts';

const edges: TestEdge[] = [];
afterEach(async () => {
  await Promise.all(edges.splice(0).map((edge) => edge.server.close()));
});

async function start(...options: Parameters<typeof startEdge>): Promise<TestEdge> {
  const edge = await startEdge(...options);
  edges.push(edge);
  return edge;
}

/** A store whose reads wait until they are let go, and tells when one has come. */
class WaitingStore extends MemoryStore {
  readonly order: string[] = [];
  private readonly held: (() => void)[] = [];
  private arrived: (() => void) | undefined;

  override async get(request: GetRequest): Promise<GetResult> {
    this.order.push(`get ${request.key}`);
    this.arrived?.();
    await new Promise<void>((resolve) => this.held.push(resolve));
    return super.get(request);
  }

  override write(request: WriteRequest): Promise<WriteResult> {
    this.order.push(`put ${request.key}`);
    return super.write(request);
  }

  reads(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.arrived = () => {
        if (this.held.length + 1 >= count) resolve();
      };
    });
  }

  letGo(): void {
    for (const resolve of this.held.splice(0)) resolve();
  }
}

/** A store that fails each read with the given error. */
class FailingStore extends MemoryStore {
  private readonly error: Error;

  constructor(error: Error) {
    super();
    this.error = error;
  }

  override async get(): Promise<GetResult> {
    throw this.error;
  }
}

const alive = (method: string, target: string, body?: string): Buffer =>
  requestBytes(method, target, ['Connection: keep-alive'], body);

describe('a connection', () => {
  test('serves one request after another, errors among them', async () => {
    const edge = await start();
    const requests = [
      alive('PUT', '/v1/kv/b/k', 'x'),
      alive('GET', '/v1/kv/b/k?bad=1'),
      alive('PUT', '/v1/kv/b/k?bad=1', 'unread'),
      alive('PATCH', '/v1/kv/b/k', 'unread'),
      alive('GET', '/v1/kv/b/nothing'),
      alive('GET', '/nowhere'),
      alive('DELETE', '/v1/kv/b/.'),
      requestBytes('GET', '/v1/kv/b/k'),
    ];
    const socket = connectTo(edge.port);
    const answers = readAnswers(socket, '');
    for (const request of requests) await new Promise<void>((resolve) => socket.write(request, () => resolve()));
    expect((await answers).map(({ status }) => status)).toEqual([204, 400, 400, 405, 404, 404, 400, 200]);
  });

  test('answers pipelined requests in their order, each after the one before is done', async () => {
    const store = new WaitingStore();
    const edge = await start(store);
    const first = store.reads(1);
    const answers = edge.raw(
      Buffer.concat([alive('GET', '/v1/kv/b/a'), alive('PUT', '/v1/kv/b/a', '1'), requestBytes('GET', '/v1/kv/b/a')]),
    );
    await first;
    expect(await edge.stillServes()).toBe(true);
    expect(store.order).toEqual(['get a']);
    const second = store.reads(1);
    store.letGo();
    await second;
    store.letGo();
    expect((await answers).map(({ status, text }) => (status === 200 ? text : status))).toEqual([404, 204, '1']);
    expect(store.order).toEqual(['get a', 'put a', 'get a']);
  });

  test('that asks to be closed serves nothing sent behind that', async () => {
    const edge = await start();
    const answers = await edge.raw(
      Buffer.concat([requestBytes('GET', '/healthz'), alive('PUT', '/v1/kv/b/late', 'x')]),
    );
    expect(answers.map(({ status }) => status)).toEqual([200]);
    expect((await edge.ask('GET', '/v1/kv/b/late')).status).toBe(404);
    expect((await edge.ask('GET', '/metrics')).text).toContain('quorate_http_requests_in_flight 1');
  });

  test('whose client leaves does not keep its requests counted', async () => {
    const store = new WaitingStore();
    const edge = await start(store);
    const arrived = store.reads(1);
    const socket = connectTo(edge.port);
    socket.write(Buffer.concat([alive('GET', '/v1/kv/b/a'), alive('GET', '/v1/kv/b/b')]));
    await arrived;
    await new Promise<void>((resolve) => socket.once('close', resolve).destroy());
    expect(await edge.stillServes()).toBe(true);
    store.letGo();
    expect((await edge.ask('GET', '/metrics')).text).toContain('quorate_http_requests_in_flight 1');
    expect(store.order).toEqual(['get a']);
  });
});

test('more requests at once than allowed are 429 with Retry-After, while the operator still gets through', async () => {
  const store = new WaitingStore();
  const edge = await start(store, { requests: 2 });
  const both = store.reads(2);
  const served = [edge.ask('GET', '/v1/kv/b/k'), edge.ask('GET', '/v1/kv/b/k')];
  await both;
  const refused = await edge.ask('GET', '/v1/kv/b/k');
  expect([refused.status, refused.headers['retry-after'], refused.json()]).toMatchObject([
    429,
    '1',
    { code: 'overloaded', retryable: true },
  ]);
  for (const path of ['/healthz', '/readyz', '/metrics']) expect((await edge.ask('GET', path)).status).toBe(200);
  store.letGo();
  expect((await Promise.all(served)).map(({ status }) => status)).toEqual([404, 404]);
  const again = edge.ask('GET', '/v1/kv/b/k');
  await store.reads(1);
  store.letGo();
  expect((await again).status).toBe(404);
});

describe('an error of the store', () => {
  test('is its problem document, with every fact', async () => {
    const details = {
      required: 2,
      acked: ['n2'],
      failed: [{ node: 'n1', reason: 'down' }],
      pending: ['n3'],
      outcome: 'unknown',
      retryable: true,
      epoch: 17,
    } as const;
    const error = new StoreError('quorum-not-met', '1 of 2 required acknowledgements within 250 ms', details);
    const edge = await start(new FailingStore(error));
    const answer = await edge.ask('GET', '/v1/kv/carts/42');
    expect([answer.status, answer.headers['quorate-epoch']]).toEqual([504, '17']);
    expect(answer.text).toBe(
      '{"type":"about:blank","title":"Write quorum not met","status":504,"code":"quorum-not-met","detail":"1 of 2 required acknowledgements within 250 ms","instance":"/v1/kv/carts/42","required":2,"acked":["n2"],"failed":[{"node":"n1","reason":"down"}],"pending":["n3"],"outcome":"unknown","retryable":true,"epoch":17}',
    );
    expect(edge.errors).toEqual([]);
  });

  test('may name when to come back', async () => {
    const edge = await start(new FailingStore(new StoreError('quorum-impossible', 'x', { retryAfterS: 7 })));
    const answer = await edge.ask('GET', '/v1/kv/b/k');
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '7']);
  });

  test('that nobody expected is a 500 that tells nothing, and is logged', async () => {
    const edge = await start(new FailingStore(new TypeError('secret detail')));
    const answer = await edge.ask('GET', '/v1/kv/b/k');
    expect([answer.status, answer.json()]).toMatchObject([500, { code: 'internal', retryable: false }]);
    expect(answer.text).not.toContain('secret');
    expect(edge.errors).toMatchObject([{ fields: { err: { message: 'secret detail' }, path: '/v1/kv/b/k' } }]);
    expect(await edge.stillServes()).toBe(true);
  });
});

describe('readiness', () => {
  test('is missing until reached once, and then stays', async () => {
    let missing: string | undefined = 'the log is being replayed';
    class StartingStore extends MemoryStore {
      override notReady(): string | undefined {
        return missing;
      }
    }
    const edge = await start(new StartingStore());
    for (const path of ['/v1/kv/b/k', '/v1/cluster', '/v1/nowhere', '/readyz']) {
      const answer = await edge.ask('GET', path);
      expect([answer.status, answer.headers['retry-after'], answer.json()]).toMatchObject([
        503,
        '1',
        { code: 'not-ready', detail: missing },
      ]);
    }
    expect((await edge.ask('GET', '/healthz')).status).toBe(200);
    missing = undefined;
    expect((await edge.ask('GET', '/readyz')).status).toBe(200);
    missing = 'later trouble';
    expect((await edge.ask('GET', '/readyz')).status).toBe(200);
    expect((await edge.ask('GET', '/v1/cluster')).status).toBe(200);
  });
});

describe('draining', () => {
  test('finishes what is under way, closes the rest and takes nothing new', async () => {
    const store = new WaitingStore();
    const edge = await start(store);
    const idle = connectTo(edge.port);
    const idleAnswers = readAnswers(idle, alive('GET', '/healthz'));
    const arrived = store.reads(1);
    const busy = edge.raw(alive('GET', '/v1/kv/b/k'));
    await arrived;
    const drained = edge.server.drain(10_000);
    expect((await idleAnswers).map(({ status }) => status)).toEqual([200]);
    await expect(edge.ask('GET', '/healthz')).rejects.toThrow('ECONNREFUSED');
    store.letGo();
    expect((await busy).map(({ status, headers }) => [status, headers.connection])).toEqual([[404, 'close']]);
    await drained;
  });

  test('tells whoever still asks on an open connection', async () => {
    const store = new WaitingStore();
    const edge = await start(store);
    const socket = connectTo(edge.port);
    const begun = readUntil(socket, (text) => text.includes('\r\n\r\n'));
    const arrived = store.reads(1);
    socket.write(alive('GET', '/v1/kv/b/k'));
    await arrived;
    const drained = edge.server.drain(10_000);
    socket.write(alive('GET', '/readyz'));
    store.letGo();
    const answer = parseAnswers(Buffer.from(await begun, 'latin1'))[0];
    expect([answer?.status, answer?.headers.connection]).toEqual([404, 'close']);
    await drained;
  });

  test('does not wait for connections that never asked', async () => {
    const edge = await start();
    const socket = connectTo(edge.port);
    const answers = readAnswers(socket, '');
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    expect(await edge.stillServes()).toBe(true);
    await edge.server.drain(60_000);
    expect(await answers).toEqual([]);
  });

  test('does not wait for ever', async () => {
    const store = new WaitingStore();
    const edge = await start(store);
    const arrived = store.reads(1);
    const stuck = edge.raw(alive('GET', '/v1/kv/b/k'));
    await arrived;
    await edge.server.drain(20);
    expect(await stuck).toEqual([]);
    store.letGo();
  });
});

test('an address that cannot be had is fatal and named', async () => {
  const edge = await start();
  const second = unstartedServer(edge.store, {}, []);
  const refused = await second.listen('127.0.0.1', edge.port).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(FatalError);
  expect(String(refused)).toContain(`127.0.0.1:${edge.port}`);
});
