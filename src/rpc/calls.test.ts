import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, DecodeError } from '../core/bytes.ts';
import { type NodeId, nodeId } from '../core/ids.ts';
import { InvariantViolation, invariant } from '../core/invariant.ts';
import { StoreError } from '../errors.ts';
import type { Transport, TransportReceiver } from '../ports.ts';
import { type CallOutcome, Calls, type CallsOptions } from './calls.ts';
import type { IncomingRequest, RequestHandler } from './incoming.ts';
import { MemoryNetwork } from './memory-transport.ts';
import { ManualClock, memoryLogger, seededRandom } from './test-ports.ts';

const A = nodeId('a');
const B = nodeId('b');
const ECHO = 1;
const NEVER = 2;
const LATER = 3;
const FAILS = 4;
const NOTE = 5;

type Seen = string;

/** Two nodes, `a` and `b`, connected, on a clock that stands still. */
async function pair(options: Partial<CallsOptions> & { readonly queueBytesMax?: number } = {}) {
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock, options.queueBytesMax);
  const held: IncomingRequest[] = [];
  const notes: string[] = [];
  const requests = new Map<number, RequestHandler>([
    [ECHO, (body, request) => request.reply(body.rest())],
    [NEVER, () => {}],
    [LATER, (_body, request) => void held.push(request)],
    [FAILS, (body) => fail(Buffer.from(body.rest()).toString())],
  ]);
  const notices = new Map([
    [NOTE, (from: NodeId, body: { rest(): Uint8Array }) => void notes.push(`${from}: ${Buffer.from(body.rest())}`)],
  ]);
  const start = async (node: NodeId, seed: number) => {
    const transport = network.transport(node);
    const logger = memoryLogger();
    const calls = new Calls({ transport, clock, random: seededRandom(seed), logger, requests, notices, ...options });
    await calls.start();
    transport.setPeers(new Map([A, B].map((peer) => [peer, { host: 'nowhere', port: 0 }])));
    return { calls, transport, logger };
  };
  const [a, b] = [await start(A, 1), await start(B, 2)];
  clock.advance(0);
  return { clock, network, start, held, notes, a, b };
}

function fail(how: string): void | Promise<void> {
  if (how === 'refuse') throw new StoreError('disk-full', 'no space is left');
  if (how === 'reject') return Promise.reject(new StoreError('not-ready', 'catching up'));
  if (how === 'decode') throw new DecodeError('truncated');
  invariant(how !== 'break', 'a broken invariant');
  throw new Error(how);
}

/** Outcomes as text, in the order in which they came. */
function collector(): { readonly seen: Seen[]; done(name: string): (outcome: CallOutcome) => void } {
  const seen: Seen[] = [];
  return { seen, done: (name) => (outcome) => void seen.push(`${name} ${show(outcome)}`) };
}

function show(outcome: CallOutcome): string {
  switch (outcome.kind) {
    case 'reply':
      return `reply ${Buffer.from(outcome.body.rest())}`;
    case 'refused':
      return `refused ${outcome.code}: ${outcome.message}`;
    case 'failed':
      return `failed ${outcome.reason}`;
  }
}

const text = (content: string) => Buffer.from(content);

describe('a call', () => {
  it('is answered with what the handler replies', async () => {
    const { clock, a } = await pair();
    const { seen, done } = collector();
    a.calls.call(B, ECHO, text('hello'), 100, done('x'));
    expect(seen).toEqual([]);
    clock.advance(0);
    expect(seen).toEqual(['x reply hello']);
    expect(a.calls.stats().pending).toBe(0);
  });

  it('may reuse the memory of its body at once', async () => {
    const { clock, a } = await pair();
    const { seen, done } = collector();
    const body = text('one');
    a.calls.call(B, ECHO, body, 100, done('1'));
    body.set(text('two'));
    a.calls.call(B, ECHO, body, 100, done('2'));
    clock.advance(0);
    expect(seen).toEqual(['1 reply one', '2 reply two']);
  });

  it('is a promise too', async () => {
    const { clock, a } = await pair();
    const outcome = a.calls.request(B, ECHO, text('hello'), 100);
    clock.advance(0);
    expect(show(await outcome)).toBe('reply hello');
  });

  it('carries a body larger than the shared buffer', async () => {
    const { clock, a } = await pair();
    const outcome = a.calls.request(B, ECHO, new Uint8Array(3_000_000).fill(5), 100);
    clock.advance(0);
    const reply = await outcome;
    expect(reply.kind === 'reply' && reply.body.rest().every((byte) => byte === 5)).toBe(true);
  });

  it('finds its own answer among thousands, given in any order', async () => {
    const { clock, a, held } = await pair();
    const { seen, done } = collector();
    const names = Array.from({ length: 5_000 }, (_, index) => `${index}`);
    for (const name of names) a.calls.call(B, LATER, text(''), 1_000, done(name));
    clock.advance(0);
    const order = held
      .map((request, index) => ({ request, index }))
      .sort((x, y) => ((x.index * 7_919) % 5_000) - ((y.index * 7_919) % 5_000));
    for (const { request, index } of order) request.reply(text(`${index}`));
    clock.advance(0);
    expect(new Set(seen)).toEqual(new Set(names.map((name) => `${name} reply ${name}`)));
    expect(seen).toHaveLength(5_000);
  });

  it('fails after its time, never before, and at most a grain later', async () => {
    const { clock, a } = await pair();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 }), async (timeouts) => {
        const begin = clock.monotonicMs();
        const took: number[] = [];
        timeouts.forEach((timeoutMs, index) => {
          a.calls.call(B, NEVER, text(''), timeoutMs, (outcome) => {
            expect(show(outcome)).toBe('failed timeout');
            took[index] = clock.monotonicMs() - begin - timeoutMs;
          });
        });
        for (let ms = 0; ms < 60; ms++) clock.advance(1);
        expect(took).toHaveLength(timeouts.length);
        for (const lateMs of took) expect(lateMs >= 0 && lateMs <= 5).toBe(true);
        expect(a.calls.stats().pending).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('that has no time fails without being sent', async () => {
    const { clock, a, b } = await pair();
    const { seen, done } = collector();
    a.calls.call(B, ECHO, text(''), 0.9, done('x'));
    a.calls.call(B, ECHO, text(''), -1, done('y'));
    expect(seen).toEqual([]);
    clock.advance(0);
    expect(seen).toEqual(['x failed timeout', 'y failed timeout']);
    expect(b.calls.stats().expired).toBe(0);
  });

  it('fails at once when the peer is disconnected, and so does the next', async () => {
    const { clock, a, b } = await pair();
    const { seen, done } = collector();
    a.calls.call(B, NEVER, text(''), 1_000, done('x'));
    clock.advance(0);
    await b.calls.stop();
    clock.advance(0);
    expect(seen).toEqual(['x failed disconnected']);
    a.calls.call(B, NEVER, text(''), 1_000, done('y'));
    expect(seen).toHaveLength(1);
    clock.advance(0);
    expect(seen).toEqual(['x failed disconnected', 'y failed unreachable']);
  });

  it('is not taken beyond the bound of calls under way, per peer', async () => {
    const { clock, a, held } = await pair({ pendingMax: 3 });
    const { seen, done } = collector();
    for (const name of ['1', '2', '3', '4']) a.calls.call(B, LATER, text(''), 1_000, done(name));
    clock.advance(0);
    expect(seen).toEqual(['4 failed full']);
    held[0]?.reply(text(''));
    clock.advance(0);
    a.calls.call(B, ECHO, text(''), 1_000, done('5'));
    clock.advance(0);
    expect(seen).toEqual(['4 failed full', '1 reply ', '5 reply ']);
  });

  it('is not taken when the transport is full, and leaves nothing behind', async () => {
    const { clock, a } = await pair({ queueBytesMax: 100 });
    const { seen, done } = collector();
    a.calls.call(B, ECHO, new Uint8Array(80), 1_000, () => {});
    a.calls.call(B, ECHO, new Uint8Array(80), 1_000, done('x'));
    expect(a.calls.stats().pending).toBe(1);
    clock.advance(0);
    expect(seen).toEqual(['x failed full']);
  });

  it('fails when its node stops, and none is under way afterwards', async () => {
    const { clock, a } = await pair();
    const { seen, done } = collector();
    a.calls.call(B, NEVER, text(''), 1_000, done('x'));
    await a.calls.stop();
    expect(seen).toEqual(['x failed stopped']);
    expect(a.calls.stats().pending).toBe(0);
    a.calls.call(B, ECHO, text(''), 1_000, done('y'));
    clock.advance(2_000);
    expect(seen).toEqual(['x failed stopped', 'y failed stopped']);
  });
});

describe('a handler that fails', () => {
  it.each([
    ['refuse', 'refused disk-full: no space is left'],
    ['reject', 'refused not-ready: catching up'],
    ['decode', 'refused internal: malformed request: truncated'],
    ['no luck', 'refused internal: no luck'],
    ['x'.repeat(1_000), `refused internal: ${'x'.repeat(256)}`],
  ])('is answered with its code and a bounded text: %s', async (how, expected) => {
    const { clock, a } = await pair();
    const outcome = a.calls.request(B, FAILS, text(how), 100);
    clock.advance(0);
    await Promise.resolve();
    clock.advance(0);
    expect(show(await outcome)).toBe(expected);
  });

  it('is logged as an error unless it only refused', async () => {
    const { clock, a, b } = await pair();
    for (const how of ['refuse', 'no luck']) void a.calls.request(B, FAILS, text(how), 100);
    clock.advance(0);
    expect(b.logger.lines.map(({ level }) => level)).toEqual(['debug', 'error']);
  });

  it('because an invariant is broken takes the process with it', async () => {
    const { clock, a } = await pair();
    void a.calls.request(B, FAILS, text('break'), 100);
    expect(() => clock.advance(0)).toThrow(InvariantViolation);
  });

  it('by answering twice breaks an invariant', async () => {
    const { clock, a, held } = await pair();
    void a.calls.request(B, LATER, text(''), 100);
    clock.advance(0);
    held[0]?.reply(text(''));
    expect(() => held[0]?.reply(text(''))).toThrow(InvariantViolation);
  });

  it('or is missing is refused', async () => {
    const { clock, a } = await pair();
    const outcome = a.calls.request(B, 99, text(''), 100);
    clock.advance(0);
    expect(show(await outcome)).toBe('refused not-supported: method 99 is unknown');
  });
});

describe('time and lives', () => {
  it('the handler sees a deadline on its own clock, from the time that remained', async () => {
    const { clock, a, held } = await pair();
    clock.advance(1_000);
    void a.calls.request(B, LATER, text(''), 100.7);
    clock.advance(0);
    expect(held[0]?.deadlineMs).toBe(1_100);
    expect(held[0]?.from).toBe(A);
  });

  it('an answer after the deadline is not sent', async () => {
    const { clock, a, b, held } = await pair();
    void a.calls.request(B, LATER, text(''), 100);
    clock.advance(100);
    held[0]?.reply(text(''));
    clock.advance(10);
    expect(b.calls.stats().expired).toBe(1);
    expect(a.calls.stats()).toMatchObject({ pending: 0, timeouts: 1, strayReplies: 0 });
  });

  it('a request that arrives with no time left is dropped', async () => {
    const { a, b, clock } = await pair();
    const request = new ByteWriter().u8(1).u32(1).varint(1).u8(ECHO).varint(0).copy();
    a.transport.send(B, request);
    clock.advance(0);
    expect(b.calls.stats().expired).toBe(1);
    expect(a.calls.stats().strayReplies).toBe(0);
  });

  it('a late answer to an earlier life of the caller is not matched to a call of this one', async () => {
    const { clock, start, a, held } = await pair();
    void a.calls.request(B, LATER, text(''), 60_000);
    clock.advance(0);
    await a.calls.stop();
    const again = await start(A, 3);
    clock.advance(0);
    const { seen, done } = collector();
    again.calls.call(B, LATER, text(''), 60_000, done('new life'));
    clock.advance(0);
    expect(held.map(({ id }) => id)).toEqual([1, 1]);
    held[0]?.reply(text('to the old life'));
    clock.advance(0);
    expect(seen).toEqual([]);
    expect(again.calls.stats().strayReplies).toBe(1);
    held[1]?.reply(text('to the new life'));
    clock.advance(0);
    expect(seen).toEqual(['new life reply to the new life']);
  });

  it('an answer from another peer than the one asked is not matched, nor is a second one', async () => {
    const { seen, done } = collector();
    const clock = new ManualClock();
    const wire = new TestWire();
    const options = { transport: wire, clock, random: seededRandom(1), logger: memoryLogger() };
    const calls = new Calls({ ...options, requests: new Map(), notices: new Map() });
    await calls.start();
    calls.call(B, ECHO, text(''), 100, done('x'));
    const sent = wire.sent[0] ?? Buffer.of();
    const answer = Buffer.concat([Buffer.of(2), sent.subarray(1, 6), text('yes')]);
    wire.receiver?.received(nodeId('c'), answer);
    expect(seen).toEqual([]);
    wire.receiver?.received(B, answer);
    wire.receiver?.received(B, answer);
    expect(seen).toEqual(['x reply yes']);
    expect(calls.stats().strayReplies).toBe(2);
  });
});

describe('a notice', () => {
  it('arrives with its sender, and is not answered', async () => {
    const { clock, a, notes } = await pair();
    expect(a.calls.notify(B, NOTE, text('a word'))).toBe(true);
    clock.advance(0);
    expect(notes).toEqual(['a: a word']);
  });

  it('says when it was not sent', async () => {
    const { a, b } = await pair();
    await b.calls.stop();
    expect(a.calls.notify(B, NOTE, text('a word'))).toBe(false);
  });
});

describe('a malformed message', () => {
  it('is counted and dropped, and logged once per connection', async () => {
    const { clock, a, b } = await pair();
    const bad = [
      Buffer.of(),
      Buffer.of(9),
      Buffer.of(1, 2),
      Buffer.of(2, 1),
      Buffer.of(3, 0, 0, 0, 0, 1),
      Buffer.of(0, 77),
    ];
    for (const message of bad) a.transport.send(B, message);
    clock.advance(0);
    expect(b.calls.stats().malformed).toBe(bad.length);
    expect(b.logger.lines.filter(({ message }) => message === 'malformed message')).toHaveLength(1);
  });

  it('of any bytes does not disturb the calls under way', async () => {
    const { clock, a, b } = await pair();
    const anyEnvelope = fc.tuple(fc.constantFrom(1, 2, 3), fc.uint8Array({ maxLength: 30 }));
    fc.assert(
      fc.property(anyEnvelope, ([kind, rest]) => {
        const { seen, done } = collector();
        a.calls.call(B, ECHO, text('hello'), 100, done('x'));
        a.transport.send(B, Buffer.of(kind, ...rest));
        b.transport.send(A, Buffer.of(kind, ...rest));
        clock.advance(0);
        expect(seen).toEqual(['x reply hello']);
      }),
    );
  });
});

/** A transport whose other end is the test. */
class TestWire implements Transport {
  readonly sent: Buffer[] = [];
  receiver: TransportReceiver | undefined;

  async start(receiver: TransportReceiver): Promise<void> {
    this.receiver = receiver;
  }

  setPeers(): void {}

  send(_to: NodeId, message: Uint8Array): 'sent' {
    this.sent.push(Buffer.from(message));
    return 'sent';
  }

  async stop(): Promise<void> {}
}
