import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { quorate } from '../stores/quorate.ts';
import type { Store } from '../stores/store.ts';
import { type TestServer, testServer } from '../stores/test-server.ts';
import { type Measured, type MeasureOptions, measure } from './measure.ts';
import { GET } from './mix.ts';
import { dueBy, intendedMs, type Schedule } from './open-loop.ts';
import { seeded } from './test-random.ts';
import { type TestSession, TestStore } from './test-store.ts';

describe('the schedule', () => {
  const schedules = fc.record({
    startMs: fc.integer({ min: 0, max: 10_000 }),
    lengthMs: fc.integer({ min: 1, max: 10_000 }),
    ratePerS: fc.integer({ min: 1, max: 50_000 }),
    atMs: fc.integer({ min: -100, max: 20_000 }),
  });
  const scheduleOf = ({ startMs, lengthMs, ratePerS }: { startMs: number; lengthMs: number; ratePerS: number }) =>
    ({ startMs, endMs: startMs + lengthMs, ratePerS }) satisfies Schedule;

  it('has at each moment started exactly the operations that were to start by then', () => {
    fc.assert(
      fc.property(schedules, (one) => {
        const schedule = scheduleOf(one);
        const due = dueBy(schedule, one.atMs);
        // A thousandth of a millisecond for the rounding of either formula.
        if (due > 0) expect(intendedMs(schedule, due - 1)).toBeLessThanOrEqual(one.atMs + 0.001);
        if (intendedMs(schedule, due) < schedule.endMs - 0.001) {
          expect(intendedMs(schedule, due)).toBeGreaterThan(one.atMs - 0.001);
        }
      }),
    );
  });

  it('starts as many operations as its rate and its length say', () => {
    fc.assert(
      fc.property(schedules, (one) => {
        const schedule = scheduleOf(one);
        const all = dueBy(schedule, schedule.endMs + 1e6);
        expect(Math.abs(all - (one.lengthMs * one.ratePerS) / 1000)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

const RATE_PER_S = 400;
const PAUSE_MS = 400;
const CONNECTIONS = 4;

describe('a store that pauses', () => {
  let server: TestServer | undefined;
  afterEach(() => server?.close());

  /** Answers at once, but for one pause: what comes in the meantime is answered when it is over. */
  async function measurePausing(loop: MeasureOptions['loop']): Promise<Measured> {
    let pauseEndMs: number | undefined;
    const begunMs = performance.now();
    server = await testServer((_request, response) => {
      const nowMs = performance.now();
      if (pauseEndMs === undefined && nowMs - begunMs > PAUSE_MS) pauseEndMs = nowMs + PAUSE_MS;
      const waitMs = pauseEndMs === undefined ? 0 : pauseEndMs - nowMs;
      if (waitMs > 0) setTimeout(() => response.end('v'), waitMs);
      else response.end('v');
    });
    return measure(optionsOf(quorate(3), [server.address], loop));
  }

  function optionsOf(store: Store, addresses: readonly string[], loop: MeasureOptions['loop']): MeasureOptions {
    const [read] = store.reads;
    const [write] = store.writes;
    if (read === undefined || write === undefined) throw new Error('a store without ways');
    const setting = { keys: 10, valueBytes: 1, distribution: 'uniform', seconds: 2, warmupS: 0 } as const;
    return { store, addresses, read, write, mix: GET, loop, connections: CONNECTIONS, random: seeded(1), ...setting };
  }

  it('is seen in an open loop by everything that was to start meanwhile', async () => {
    const { latencies } = await measurePausing({ kind: 'open', ratePerS: RATE_PER_S });
    expect(latencies.totalCount).toBe(2 * RATE_PER_S);
    // Half of those of the pause were to start in its first half, and waited for its second half at least.
    const late = countAbove(latencies, PAUSE_MS / 2);
    expect(late).toBeGreaterThan(((PAUSE_MS / 2 / 1000) * RATE_PER_S) / 2);
  });

  it('is seen in a closed loop by one operation of each connection alone', async () => {
    const { latencies } = await measurePausing({ kind: 'closed' });
    const late = countAbove(latencies, PAUSE_MS / 2);
    expect(late).toBeGreaterThanOrEqual(1);
    expect(late).toBeLessThan(5 * CONNECTIONS);
  });

  it('is not credited with what it does after the end', async () => {
    const stalling = new TestStore(async () => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      return undefined;
    });
    const options = optionsOf(stalling, ['a'], { kind: 'open', ratePerS: 20 });
    const { sample, latencies } = await measure({ ...options, seconds: 1 });
    expect(latencies.totalCount).toBe(20);
    // Four connections, of which each can end two operations in a second.
    expect(sample.operationsPerS).toBeLessThanOrEqual(2 * CONNECTIONS);
    expect(sample.operationsPerS).toBeGreaterThan(0);
  });

  it('is asked by all connections in turn', async () => {
    const asked: TestSession[] = [];
    const quick = new TestStore(async (_operation, _address, session) => {
      asked.push(session);
      return undefined;
    });
    await measure({ ...optionsOf(quick, ['a'], { kind: 'open', ratePerS: 40 }), seconds: 0.5 });
    const shares = quick.sessions.map((session) => asked.filter((one) => one === session).length);
    expect(shares).toEqual(Array.from({ length: CONNECTIONS }, () => 5));
  });

  it('has what it does not take in time counted as not sent, and the run ends', async () => {
    const never = new TestStore(() => new Promise((resolve) => setTimeout(() => resolve('timeout'), 500)));
    const options = optionsOf(never, ['a'], { kind: 'open', ratePerS: RATE_PER_S });
    const { sample, timeline } = await measure({ ...options, seconds: 1, timeoutMs: 100 });
    expect(sample.operationsPerS).toBe(0);
    const { timeout = 0, 'not-sent': notSent = 0 } = sample.errors;
    expect(timeout + notSent).toBe(RATE_PER_S);
    expect(notSent).toBeGreaterThan(timeout);
    expect(timeline.map(({ errors }) => errors)).toEqual([RATE_PER_S]);
  });
});

function countAbove(latencies: Measured['latencies'], ms: number): number {
  let below = 0;
  let above = 100;
  while (above - below > 0.001) {
    const middle = (below + above) / 2;
    if (latencies.getValueAtPercentile(middle) / 1000 > ms) above = middle;
    else below = middle;
  }
  return Math.round((1 - below / 100) * latencies.totalCount);
}
