import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../bench/memory-store.ts';
import type { GetRequest, GetResult, SiblingView, WriteRequest, WriteResult } from '../coordinator/api.ts';
import { actorOf } from '../core/causality/dot.ts';
import { logIndex, memberNumber } from '../core/ids.ts';
import type { HttpLimits } from './http-limits.ts';
import { type Answer, connectTo, readAnswers, requestBytes, startEdge, type TestEdge } from './test-edge.ts';

const MIB = 1024 * 1024;
const DOT = { actor: actorOf(memberNumber(1), logIndex(1)), counter: 1 };

const edges: TestEdge[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(edges.splice(0).map((edge) => edge.server.close()));
});

/** Every key has as its value as many bytes as the key says: the same ones each time, so that answers cost no memory of their own. */
class SizedStore extends MemoryStore {
  gets = 0;
  /** Reads are answered once this is. */
  held: Promise<void> = Promise.resolve();
  /** A read is not answered in the turn of the event loop in which it was asked for. */
  takesTurns = false;
  private readonly bytes = Buffer.alloc(32 * MIB);

  override async get(request: GetRequest): Promise<GetResult> {
    this.gets++;
    await this.held;
    if (this.takesTurns) await new Promise((resolve) => setImmediate(resolve));
    return { ...(await super.get(request)), siblings: this.siblings(request.key) };
  }

  override async write(request: WriteRequest): Promise<WriteResult> {
    const result = await super.write(request);
    return request.returnValue ? { ...result, siblings: this.siblings(request.key) } : result;
  }

  private siblings(key: string): SiblingView[] {
    const value = this.bytes.subarray(0, Number(key));
    return [{ value, contentType: '', meta: [], stampMs: 0, dot: DOT }];
  }

  /** Reads wait until the returned function is called. */
  hold(): () => void {
    let letGo = (): void => {};
    this.held = new Promise((resolve) => {
      letGo = resolve;
    });
    return letGo;
  }
}

async function start(limits: Partial<HttpLimits> = {}): Promise<{ edge: TestEdge; store: SizedStore }> {
  const store = new SizedStore();
  const edge = await startEdge(store, limits);
  edges.push(edge);
  return { edge, store };
}

/** A connection on which requests are sent and no answer is read. */
function deaf(edge: TestEdge, ...requests: readonly Buffer[]): Socket {
  const socket = connectTo(edge.port).pause();
  sockets.push(socket);
  // Of the server, which ends it with answers unread.
  socket.on('error', () => {});
  socket.write(Buffer.concat(requests));
  return socket;
}

/** Reads all answers after all. */
function hear(socket: Socket): Promise<Answer[]> {
  const answers = readAnswers(socket, '');
  socket.resume();
  return answers;
}

const alive = (method: string, target: string, body?: Buffer): Buffer =>
  requestBytes(method, target, ['Connection: keep-alive'], body);
const get = (length: number): Buffer => alive('GET', `/v1/kv/b/${length}`);
const times = (count: number, request: Buffer): Buffer[] => Array.from({ length: count }, () => request);

/** Resolves with the number once it has stayed the same while the node did other things. */
async function settled(edge: TestEdge, read: () => number | Promise<number>): Promise<number> {
  let now = await read();
  for (let same = 0; same < 10; same++) {
    expect(await edge.stillServes()).toBe(true);
    const last = now;
    now = await read();
    if (now !== last) same = -1;
  }
  return now;
}

async function metric(edge: TestEdge, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec((await edge.ask('GET', '/metrics')).text)?.[1]);
}

const inFlight = (edge: TestEdge): Promise<number> => metric(edge, 'quorate_http_requests_in_flight');
const heldBytes = (edge: TestEdge): Promise<number> => metric(edge, 'quorate_http_body_bytes');

/** Counts the requests for a key that the process has taken in, while `act` runs. */
async function takenIn(act: (count: () => number) => Promise<void>): Promise<void> {
  let count = 0;
  const began = (message: unknown): void => {
    if (isStart(message) && message.request.url?.startsWith('/v1/kv/')) count++;
  };
  subscribe('http.server.request.start', began);
  try {
    await act(() => count);
  } finally {
    unsubscribe('http.server.request.start', began);
  }
}

const isStart = (message: unknown): message is { readonly request: IncomingMessage } =>
  typeof message === 'object' && message !== null && 'request' in message && message.request instanceof IncomingMessage;

const statusesOf = (answers: readonly Answer[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

describe('answers that are not read', () => {
  test('keep the requests behind them from being begun; all are answered once they are', async () => {
    const { edge, store } = await start();
    const socket = deaf(edge, ...times(64, get(MIB)), requestBytes('GET', '/v1/kv/b/0'));
    // Some megabytes go into the systems between.
    expect(await settled(edge, () => store.gets)).toBeLessThan(48);
    expect(await heldBytes(edge)).toBeGreaterThanOrEqual(MIB);
    expect(statusesOf(await hear(socket))).toEqual({ 200: 65 });
    expect(await heldBytes(edge)).toBe(0);
  });

  test('keep them from it, too, when each of them is small', async () => {
    const { edge, store } = await start();
    // All arrive in one piece, and the store answers each at once.
    deaf(edge, ...times(1700, Buffer.from('GET /v1/kv/b/15000 HTTP/1.1\r\nHost: a\r\n\r\n')));
    expect(await settled(edge, () => store.gets)).toBeLessThan(1200);
    expect(await heldBytes(edge)).toBeGreaterThan(15_000);
  });

  test('are forgotten when their client leaves, also one that was behind another', async () => {
    const { edge, store } = await start();
    store.takesTurns = true;
    const socket = deaf(edge, ...times(1700, get(15_000)));
    expect(await settled(edge, () => store.gets)).toBeLessThan(1200);
    // One is with the socket, in part, and leaves room for the next to be begun.
    expect(await heldBytes(edge)).toBeGreaterThan(30_000);
    socket.destroy();
    await expect.poll(() => heldBytes(edge)).toBe(0);
  });

  test('count against the bytes that the node holds at once: more is 429, until their clients are gone', async () => {
    const { edge, store } = await start({ bodyBytes: 40 * MIB });
    const gone = deaf(edge, get(32 * MIB));
    await expect.poll(() => heldBytes(edge)).toBeGreaterThan(31 * MIB);
    const refused = await edge.ask('GET', `/v1/kv/b/${16 * MIB}`);
    expect([refused.status, refused.headers['retry-after'], refused.json()]).toMatchObject([
      429,
      '1',
      { code: 'overloaded', retryable: true },
    ]);
    expect((await edge.ask('HEAD', `/v1/kv/b/${16 * MIB}`)).status).toBe(200);
    expect((await edge.ask('GET', `/v1/kv/b/${MIB}`)).status).toBe(200);
    expect(store.gets).toBe(4);
    gone.destroy();
    await expect.poll(() => heldBytes(edge)).toBe(0);
    expect((await edge.ask('GET', `/v1/kv/b/${16 * MIB}`)).status).toBe(200);
  });

  test('count, too, where they cannot be refused any more: the write is done', async () => {
    const { edge } = await start({ bodyBytes: 40 * MIB });
    deaf(edge, alive('PUT', `/v1/kv/b/${32 * MIB}?returnvalue=true`, Buffer.from('v')));
    await expect.poll(() => heldBytes(edge)).toBeGreaterThan(32 * MIB);
    expect((await edge.ask('GET', `/v1/kv/b/${16 * MIB}`)).status).toBe(429);
  });

  test('are sent when nothing else is held, however large', async () => {
    const { edge } = await start({ bodyBytes: MIB });
    expect((await edge.ask('GET', `/v1/kv/b/${16 * MIB}`)).body).toHaveLength(16 * MIB);
  });

  test('are dropped in the end, with the connection', async () => {
    const { edge, store } = await start({ takingMs: 100 });
    const socket = deaf(edge, get(32 * MIB), get(0));
    await expect.poll(() => store.gets).toBe(1);
    await expect.poll(() => heldBytes(edge)).toBe(0);
    await expect.poll(() => socket.resume().closed).toBe(true);
    expect(await inFlight(edge)).toBe(1);
    expect(store.gets).toBe(1);
  });
});

describe('requests that wait for others of their connection', () => {
  test('take no place among those that are served, and are not read on and on', async () => {
    const { edge, store } = await start({ requests: 10 });
    const letGo = store.hold();
    await takenIn(async (count) => {
      const socket = deaf(edge, ...times(5000, get(0)), requestBytes('GET', '/v1/kv/b/0'));
      expect(await settled(edge, count)).toBeLessThan(2500);
      expect(await inFlight(edge)).toBe(2);
      expect((await edge.ask('PUT', '/v1/kv/b/other', [], 'v')).status).toBe(204);
      expect(store.gets).toBe(1);
      letGo();
      expect(statusesOf(await hear(socket))).toEqual({ 200: 5001 });
    });
  });

  test('are not read on and on when reading their bodies goes on, either', async () => {
    const { edge, store } = await start();
    const letGo = store.hold();
    await takenIn(async (count) => {
      const puts = times(100, alive('PUT', '/v1/kv/b/k', Buffer.alloc(60_000)));
      const socket = deaf(edge, get(0), ...puts, requestBytes('GET', '/v1/kv/b/0'));
      // Two bodies are more than may wait, and the third may have begun.
      expect(await settled(edge, count)).toBeLessThanOrEqual(6);
      letGo();
      expect(statusesOf(await hear(socket))).toEqual({ 200: 2, 204: 100 });
    });
  });
});
