import { describe, expect, it } from 'vitest';
import { nodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import { Calls } from './calls.ts';
import type { RequestHandler } from './incoming.ts';
import { MemoryNetwork } from './memory-transport.ts';
import { ManualClock, memoryLogger, seededRandom } from './test-ports.ts';

const A = nodeId('a');
const B = nodeId('b');
const ECHO = 1;
const REFUSES = 2;
const NOTE = 3;
/** An answer names neither method nor time. */
const SHORTER_ANSWER_BYTES = 2;
const HEADERS_BYTES_MAX = 40;

async function pair() {
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock);
  const requests = new Map<number, RequestHandler>([
    [ECHO, (body, request) => request.reply(body.rest())],
    [REFUSES, () => Promise.reject(new StoreError('not-ready', 'not yet'))],
  ]);
  const start = async (seed: number) => {
    const transport = network.transport(seed === 1 ? A : B);
    const [random, logger] = [seededRandom(seed), memoryLogger()];
    const calls = new Calls({ transport, clock, random, logger, requests, notices: new Map([[NOTE, () => {}]]) });
    await calls.start();
    transport.setPeers(new Map([A, B].map((peer) => [peer, { host: 'nowhere', port: 0 }])));
    return calls;
  };
  const [a, b] = [await start(1), await start(2)];
  clock.advance(0);
  return { clock, a, b };
}

const sent = ({ sentBytes }: Calls): readonly number[] => [ECHO, REFUSES, NOTE].map((method) => sentBytes[method] ?? 0);

describe('what a node sends', () => {
  it('is counted by method: a question where it is asked, its answer where it is given', async () => {
    const { clock, a, b } = await pair();
    a.call(B, ECHO, new Uint8Array(1000), 100, () => {});
    clock.advance(0);
    const [asked = 0, ...rest] = sent(a);
    expect(asked).toBeGreaterThan(1000);
    expect(asked).toBeLessThan(1000 + HEADERS_BYTES_MAX);
    expect(rest).toEqual([0, 0]);
    expect(sent(b)).toEqual([asked - SHORTER_ANSWER_BYTES, 0, 0]);
  });

  it('includes refusals and notices', async () => {
    const { clock, a, b } = await pair();
    await new Promise<void>((resolve) => {
      a.call(B, REFUSES, new Uint8Array(0), 100, () => resolve());
      a.notify(B, NOTE, new Uint8Array(500));
      clock.advance(0);
      setImmediate(() => clock.advance(0));
    });
    expect(sent(a)[2]).toBeGreaterThan(500);
    expect(sent(b)[1]).toBeGreaterThan('not yet'.length);
  });

  it('is not counted where there was nobody to send it to', async () => {
    const { a, b } = await pair();
    await b.stop();
    expect(a.notify(B, NOTE, new Uint8Array(500))).toBe(false);
    expect(sent(a)).toEqual([0, 0, 0]);
  });
});
