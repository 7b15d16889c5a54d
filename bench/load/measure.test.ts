import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_HTTP_LIMITS } from '../../src/http/http-limits.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { pinoLogger } from '../../src/system/pino-logger.ts';
import { systemClock } from '../../src/system/system-clock.ts';
import { systemRandom } from '../../src/system/system-random.ts';
import { MemoryStore } from '../memory-store.ts';
import type { TimelinePoint } from '../report/bench-report.ts';
import { memory, quorateAt } from '../stores/quorate.ts';
import { testServer } from '../stores/test-server.ts';
import { fill } from './fill.ts';
import { type MeasureOptions, measure } from './measure.ts';
import { GET, type Mix, PUT, READ_MODIFY_WRITE, YCSB } from './mix.ts';
import { seeded } from './test-random.ts';
import { TestStore } from './test-store.ts';

const store = memory();
const [read] = store.reads;
const [write] = store.writes;
if (read === undefined || write === undefined) throw new Error('a store without ways');
const ways = { read, write };
const setting = { connections: 4, keys: 50, valueBytes: 100, warmupS: 0, seconds: 0.2 };
const KEYS = setting.keys;

const optionsOf = (mix: Mix, address: string): MeasureOptions => ({
  ...setting,
  ...ways,
  store,
  mix,
  addresses: [address],
  loop: { kind: 'closed' },
  distribution: mix.distribution,
  random: seeded(1),
});

describe('a server that answers from memory', () => {
  const api = new MemoryStore();
  let stop = async (): Promise<void> => {};
  let address = '';

  beforeAll(async () => {
    const server = createHttpServer({
      api,
      node: api.node,
      limits: DEFAULT_HTTP_LIMITS,
      clock: systemClock,
      random: systemRandom(),
      logger: pinoLogger(api.node, 'error'),
      version: 'bench',
      metrics: new Registry(),
    });
    address = `http://127.0.0.1:${(await server.listen('127.0.0.1', 0)).port}`;
    stop = () => server.close();
    await fill({ ...setting, store, addresses: [address], write });
  });
  afterAll(() => stop());

  it('tells its version, its copies of a key and its durability', async () => {
    expect(await store.versionOf(address)).toBe('bench');
    const cluster = await quorateAt(address);
    expect(cluster.reads.map(({ label }) => label)).toEqual(['GET r=3', 'GET r=2', 'GET r=1']);
    expect(await cluster.durabilityOf(address)).toBe('flush');
  });

  it('holds every key once it is filled, and no other', async () => {
    const siblings = await Promise.all(
      [0, KEYS - 1, KEYS].map((key) => api.get({ bucket: 'bench', key: `key-${key}`, timeoutMs: 1000 })),
    );
    expect(siblings.map((one) => one.siblings.length)).toEqual([1, 1, 0]);
  });

  it.each([PUT, GET, READ_MODIFY_WRITE, ...YCSB])('takes $name without an error', async (mix) => {
    const { sample, percentiles, timeline } = await measure(optionsOf(mix, address));
    expect(sample.errors).toEqual({});
    expect(sample.operationsPerS).toBeGreaterThan(0);
    expect(sample.p50Ms).toBeGreaterThan(0);
    expect(percentiles.at(-1)?.[1]).toBe(sample.maxMs);
    // What began within the window and what ended within it differ by what was under way at either end.
    const completed = Math.round(sample.operationsPerS * sample.seconds);
    expect(Math.abs((timeline[0]?.operations ?? 0) - completed)).toBeLessThanOrEqual(setting.connections);
  });

  it.each([PUT, GET])('takes $name from autocannon as well', async (mix) => {
    const { sample } = await measure({ ...optionsOf(mix, address), generator: 'autocannon', seconds: 0.5 });
    expect(sample.errors).toEqual({});
    expect(sample.operationsPerS).toBeGreaterThan(0);
  });

  it('is not driven by autocannon with what it cannot do', async () => {
    const options = { ...optionsOf(READ_MODIFY_WRITE, address), generator: 'autocannon' } as const;
    await expect(measure(options)).rejects.toThrow('autocannon cannot drive read-modify-write');
  });
});

describe('a measurement', () => {
  it.each(['sessions', 'autocannon'] as const)('counts errors by their status: %s', async (generator) => {
    let turn = 0;
    const server = await testServer((_request, response) => {
      response.statusCode = [200, 503, 507][turn++ % 3] ?? 500;
      response.end();
    });
    const { sample } = await measure({ ...optionsOf(GET, server.address), generator, seconds: 0.5 });
    await server.close();
    expect(Object.keys(sample.errors).sort()).toEqual(['503', '507']);
    expect(sample.errors['503']).toBeGreaterThan(0);
    expect(sample.operationsPerS).toBeGreaterThan(0);
  });

  it('leaves the warm-up out, and says when it is over', async () => {
    const moments: string[] = [];
    const points: TimelinePoint[] = [];
    let failing = true;
    const slow = new TestStore(async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return failing ? '503' : undefined;
    });
    const { sample, timeline } = await measure({
      ...optionsOf(GET, 'a'),
      store: slow,
      warmupS: 0.5,
      seconds: 1,
      onWindow: (moment) => {
        moments.push(moment);
        failing = false;
      },
      onSecond: (point) => points.push(point),
    });
    expect(moments).toEqual(['start', 'end']);
    // Those that were under way when the warm-up ended may have been told to fail.
    expect(sample.errors['503'] ?? 0).toBeLessThanOrEqual(2 * setting.connections);
    expect(timeline).toHaveLength(1);
    expect(points.map(({ second }) => second)).toEqual([0]);
  });

  it('has the latency of an operation that outlasts it', async () => {
    const slow = new TestStore(async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return undefined;
    });
    const { sample, latencies } = await measure({ ...optionsOf(GET, 'a'), store: slow });
    expect(latencies.totalCount).toBe(setting.connections);
    expect(sample.maxMs).toBeGreaterThanOrEqual(450);
    expect(sample.operationsPerS).toBe(0);
  });

  it('has the error of an operation that outlasts it', async () => {
    const never = new TestStore(() => new Promise((resolve) => setTimeout(() => resolve('timeout'), 500)));
    const { sample } = await measure({ ...optionsOf(GET, 'a'), store: never });
    expect(sample.errors).toEqual({ timeout: setting.connections });
  });

  it.each([
    [1000, { timeout: setting.connections }, 0],
    [5000, {}, 1000],
  ])('by autocannon has what outlasts it too, with a deadline of %i ms', async (timeoutMs, errors, maxMs) => {
    let stallMs = Number.POSITIVE_INFINITY;
    const server = await testServer((_request, response) => {
      if (stallMs === Number.POSITIVE_INFINITY) stallMs = performance.now() + 300;
      if (performance.now() < stallMs) response.end();
      else setTimeout(() => response.end(), 2000);
    });
    const options = { ...optionsOf(GET, server.address), generator: 'autocannon', timeoutMs, seconds: 0.8 } as const;
    const { sample } = await measure(options);
    await server.close();
    expect(sample.errors).toEqual(errors);
    expect(sample.maxMs).toBeGreaterThanOrEqual(maxMs);
  });

  it('has its errors within it when all fail', async () => {
    const failing = new TestStore(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return '503';
    });
    const { sample, percentiles } = await measure({ ...optionsOf(PUT, 'a'), store: failing });
    expect(sample.operationsPerS).toBe(0);
    expect(sample.errors['503']).toBeGreaterThan(0);
    expect(percentiles).toEqual([]);
  });
});
