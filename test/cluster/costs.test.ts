/** What a cluster takes for what it does, with few keys: the figures that do not depend on the machine. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get } from '../../bench/cluster/get.ts';
import { LocalCluster } from '../../bench/cluster/local-cluster.ts';
import { metric, parseMetrics } from '../../bench/cluster/metrics.ts';
import { type Fill, putFill, putLoad } from '../../bench/costs/load.ts';
import { measureCosts } from '../../bench/costs/measure-costs.ts';

const KEYS = 300;
const VALUE_BYTES = 100;
const REPLICAS = 3;

// Mostly they wait, for checkpoints and at rest.
describe.concurrent('the costs of a cluster', { timeout: 180_000 }, () => {
  /** For what a test starts; the test expects it to be empty again. */
  const emptyFolder = (onTestFinished: (remove: () => void) => void): string => {
    const folder = mkdtempSync(join(tmpdir(), 'quorate-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };

  const puts = { w: 2, keys: KEYS, valueBytes: VALUE_BYTES };
  const options = {
    load: putLoad(puts),
    fill: putFill({ ...puts, connections: 8 }),
    valueBytes: VALUE_BYTES,
    connections: 8,
    seconds: 1,
    warmupS: 0.5,
    keys: [KEYS],
    watchedS: 1,
    idleS: 1,
  };

  it.runIf(process.platform === 'linux')('are measured each, and leave nothing behind', async ({ onTestFinished }) => {
    const folder = emptyFolder(onTestFinished);
    const steps: string[] = [];
    const costs = await measureCosts({ ...options, cluster: { folder }, onStep: (text) => steps.push(text) });
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
    const measured = measureCosts({ ...options, cluster: { folder, nodes: 1 }, keys: [], idleS: 0, load });
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
  const puts = { w: 1, keys: KEYS, valueBytes: VALUE_BYTES };

  it('fills every key once', async () => {
    const fill: Fill = putFill({ ...puts, connections: 5 });
    await fill(cluster.urls, KEYS);
    const metrics = parseMetrics(await get(`${cluster.url('n1')}/metrics`));
    expect(metric(metrics, 'objects')).toBe(KEYS);
  });

  it('does not pass over puts that failed', async () => {
    await expect(putLoad({ ...puts, w: 2 })(cluster.urls, 1, 2)).rejects.toThrow('did not succeed');
    await expect(putFill({ ...puts, w: 2, connections: 2 })(cluster.urls, 5)).rejects.toThrow('did not succeed');
  });
});
