/** What a cluster takes for what it does, with few keys: the figures that do not depend on the machine. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get } from '../../bench/cluster/get.ts';
import { LocalCluster } from '../../bench/cluster/local-cluster.ts';
import { metric, parseMetrics } from '../../bench/cluster/metrics.ts';
import { type Load, putFill, putLoad } from '../../bench/costs/load.ts';
import { measureCosts } from '../../bench/costs/measure-costs.ts';
import { quorate } from '../../bench/stores/quorate.ts';
import type { Store, Way } from '../../bench/stores/store.ts';

const KEYS = 300;
const VALUE_BYTES = 100;
const REPLICAS = 3;

function putting(
  store: Store,
  replicas: number,
): { store: Store; write: Way; valueBytes: number; connections: number } {
  const write = store.writes.find((way) => way.replicas === replicas);
  if (write === undefined) throw new Error(`no way to write with ${replicas} replicas`);
  return { store, write, valueBytes: VALUE_BYTES, connections: 8 };
}

// Mostly they wait, for checkpoints and at rest.
describe.concurrent('the costs of a cluster', { timeout: 180_000 }, () => {
  /** For what a test starts; the test expects it to be empty again. */
  const emptyFolder = (onTestFinished: (remove: () => void) => void): string => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };

  const puts = putting(quorate(REPLICAS), 2);
  const options = {
    load: putLoad(puts),
    fill: putFill(puts),
    valueBytes: VALUE_BYTES,
    seconds: 1,
    warmupS: 0.5,
    keys: [KEYS],
    watchedS: 1,
    idleS: 1,
  };

  it.runIf(process.platform === 'linux')('are measured each, and leave nothing behind', async ({ onTestFinished }) => {
    const folder = emptyFolder(onTestFinished);
    const steps: string[] = [];
    const loads: number[] = [];
    const load: Load = (urls, keys, seconds) => {
      loads.push(keys);
      return options.load(urls, keys, seconds);
    };
    const costs = await measureCosts({ ...options, load, cluster: { folder }, onStep: (text) => steps.push(text) });
    // Before the start of each node, the warm-up, what is counted, and what is watched.
    expect(loads).toEqual(Array.from({ length: REPLICAS + 3 }, () => KEYS));
    expect(costs.memory).toMatchObject([{ keys: KEYS }]);
    expect(costs.memory?.[0]?.bytesPerNode).toSatisfy((bytes) => bytes > 10 << 20 && bytes < 1 << 30);
    expect(costs.start).toMatchObject([{ keys: KEYS }]);
    expect(costs.start?.[0]?.seconds).toBeGreaterThan(0);
    expect(costs.idleCpuPercent).toBeGreaterThanOrEqual(0);
    expect(costs.memoryOverTime?.length).toBeGreaterThanOrEqual(2);
    // The value goes to two other nodes at least, and into three logs; at most one flush a replica, but for what nodes do anyway.
    expect(costs.perPut).toMatchObject({ valueBytes: VALUE_BYTES });
    expect(costs.perPut?.wireBytes).toSatisfy((bytes) => bytes > 2 * VALUE_BYTES && bytes < 100 * VALUE_BYTES);
    expect(costs.perPut?.flushes).toSatisfy((flushes) => flushes > 0 && flushes < 2 * REPLICAS);
    expect(costs.perPut?.nodeCpuUs).toBeGreaterThan(0);
    expect(costs.perPut?.clientCpuUs).toBeGreaterThan(0);
    expect(steps.length).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are not measured where a load fails, and nothing is left behind', async ({ onTestFinished }) => {
    const folder = emptyFolder(onTestFinished);
    const load = async () => Promise.reject(new Error('the load failed'));
    const measured = measureCosts({ ...options, cluster: { folder, nodes: 1 }, fill: async () => {}, load });
    await expect(measured).rejects.toThrow('the load failed');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('the own load of the costs', { timeout: 120_000 }, () => {
  let cluster: LocalCluster;
  beforeAll(async () => {
    cluster = await LocalCluster.start({ nodes: 1 });
  });
  afterAll(() => cluster.remove());
  const objects = async (): Promise<number> =>
    metric(parseMetrics(await get(`${cluster.url('n1')}/metrics`)), 'objects');

  it('fills every key once', async () => {
    await putFill(putting(quorate(1), 1))(cluster.urls, KEYS);
    expect(await objects()).toBe(KEYS);
  });

  it('puts no other keys than were filled, and counts every put', async () => {
    const { operations, clientCpuUs } = await putLoad(putting(quorate(1), 1))(cluster.urls, KEYS, 0.5);
    expect(await objects()).toBe(KEYS);
    expect(operations).toBeGreaterThan(0);
    expect(clientCpuUs).toBeGreaterThan(0);
  });

  it('does not pass over puts that failed', async () => {
    const tooMany = putting(quorate(2), 2);
    await expect(putLoad(tooMany)(cluster.urls, KEYS, 1)).rejects.toThrow('did not succeed');
    await expect(putFill(tooMany)(cluster.urls, 5)).rejects.toThrow('cannot write');
  });
});
