/** The cluster that benchmarks start: real processes, and nothing left of them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clusterMetrics, settledMetrics } from '../../bench/cluster/cluster-metrics.ts';
import { LocalCluster } from '../../bench/cluster/local-cluster.ts';
import { machine } from '../../bench/cluster/machine.ts';
import { metric, parseMetrics, sentBytes } from '../../bench/cluster/metrics.ts';
import { ProcessMeter, readings } from '../../bench/cluster/process-meter.ts';
import { memoryTarget } from '../../bench/command/memory-target.ts';
import { Program } from '../child-process.ts';
import { eventually, send } from './http-request.ts';

/** Of what a test starts. */
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const gone = (pid: number): Promise<true> => eventually(async () => (isAlive(pid) ? undefined : true));

describe('a local cluster of one node', { timeout: 120_000 }, () => {
  const withCluster = async (use: (cluster: LocalCluster) => Promise<void>): Promise<void> => {
    const cluster = await LocalCluster.start({ nodes: 1, folder });
    try {
      await use(cluster);
    } finally {
      await cluster.remove();
    }
  };
  const put = (cluster: LocalCluster, key: string) =>
    send(cluster.httpPort('n1'), `/v1/kv/b/${key}`, { method: 'PUT', body: 'value' });

  it('keeps what it was given when it is killed and started again, and leaves nothing behind', async () => {
    await withCluster(async (cluster) => {
      expect(await put(cluster, 'k')).toMatchObject({ status: 204 });
      const [first = 0] = cluster.pids;
      await cluster.kill();
      expect(isAlive(first)).toBe(false);
      expect({ urls: cluster.urls, pids: cluster.pids }).toEqual({ urls: [], pids: [] });
      expect(await cluster.startOne('n1')).toBeGreaterThan(0);
      expect(cluster.pids).not.toEqual([first]);
      expect((await send(cluster.httpPort('n1'), '/v1/kv/b/k')).body.toString()).toBe('value');
      await expect(cluster.startOne('n1')).rejects.toThrow('n1 runs already');
      const [last = 0] = cluster.pids;
      expect(readdirSync(folder)).toHaveLength(1);
      await cluster.remove();
      expect(isAlive(last)).toBe(false);
      expect(readdirSync(folder)).toEqual([]);
      await expect(cluster.startOne('n1')).rejects.toThrow('removed');
    });
  });

  it('is measured by what its node and the system tell', async () => {
    await withCluster(async (cluster) => {
      const before = await settledMetrics(cluster.urls);
      const meter = new ProcessMeter(cluster.pids);
      for (let i = 0; i < 20; i++) await put(cluster, `key-${i}`);
      const after = await settledMetrics(cluster.urls);
      expect(after.flushes - before.flushes).toBeGreaterThanOrEqual(20);
      expect(after.logBytes - before.logBytes).toBeGreaterThan(20 * 'value'.length);
      expect(after.checkpointBytes).toBeGreaterThan(before.checkpointBytes);
      expect(after).toMatchObject({ waitingChanges: 0, unknownContents: 0 });
      if (process.platform !== 'linux') return;
      expect(meter.used()).toSatisfy(({ cpuUs, writtenBytes }) => cpuUs >= 0 && writtenBytes >= 0);
      await cluster.kill();
      expect(meter.used()).toBeUndefined();
      await expect(clusterMetrics([cluster.url('n1')])).rejects.toThrow('ECONNREFUSED');
    });
  });

  it('says what the node said, and leaves nothing behind, when it cannot start', async () => {
    const start = LocalCluster.start({ nodes: 1, folder, settings: 'limits: { siblings: many }' });
    await expect(start).rejects.toThrow('limits.siblings');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('the end of a benchmark', { timeout: 120_000 }, () => {
  const started = async (end: string): Promise<{ program: Program; pid: number }> => {
    const program = new Program('test/programs/local-cluster.js', [folder, end]);
    const [, pid] = await program.until(/^node (\d+)$/m);
    return { program, pid: Number(pid) };
  };

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s takes its nodes and their data with it', async (signal) => {
    const { program, pid } = await started('waits');
    program.child.kill(signal);
    expect(await program.ended()).toMatchObject({ signal, stderr: '' });
    await gone(pid);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('by an error that nobody caught takes its nodes and their data with it', async () => {
    const { program, pid } = await started('throws');
    expect(await program.ended()).toMatchObject({ code: 1, stderr: expect.stringContaining('nobody catches this') });
    await gone(pid);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('by SIGINT takes with it what it measures the disk with', async () => {
    const program = new Program('test/programs/machine.js', [folder]);
    await program.until(/^measuring$/m);
    expect(readdirSync(folder)).toHaveLength(1);
    program.child.kill('SIGINT');
    expect(await program.ended()).toMatchObject({ signal: 'SIGINT', stderr: '' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('by %s takes the server in memory with it', async (signal) => {
    const program = new Program('test/programs/memory-server.js', []);
    const [, pid] = await program.until(/^server (\d+)$/m);
    program.child.kill(signal);
    expect(await program.ended()).toMatchObject({ signal, stderr: '' });
    await gone(Number(pid));
  });

  it('by SIGKILL takes its nodes with it', async () => {
    const { program, pid } = await started('waits');
    program.child.kill('SIGKILL');
    await program.ended();
    await gone(pid);
  });
});

describe('the server in memory', { timeout: 60_000 }, () => {
  it('is an error when it cannot be started', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await expect(memoryTarget(port)).rejects.toThrow('EADDRINUSE');
    taken.close();
  });
});

describe('what a node tells of itself', () => {
  const metrics = parseMetrics(
    '# HELP quorate_objects x\nquorate_objects 7\nquorate_rpc_sent_bytes_total{method="sync"} 30\n' +
      'quorate_rpc_sent_bytes_total{method="replicate"} 400\nother 5\n',
  );

  it('is read sample by sample', () => {
    expect(metric(metrics, 'objects')).toBe(7);
    expect(sentBytes(metrics)).toBe(430);
    expect(sentBytes(metrics, ['sync'])).toBe(30);
  });

  it('is no zero where a name is mistyped', () => {
    expect(() => metric(metrics, 'object')).toThrow('no metric quorate_object');
    expect(() => sentBytes(metrics, ['synch'])).toThrow('no metric');
  });
});

const isTmpfs = (path: string): boolean =>
  existsSync('/proc/mounts') && readFileSync('/proc/mounts', 'utf8').includes(` ${path} tmpfs `);

describe('the machine', () => {
  it('is described with the disk of the folder, which is left as it was', async () => {
    const found = await machine(folder);
    expect(found).toMatchObject({ node: process.version, cpu: expect.any(String), kernel: expect.any(String) });
    expect(found.flush).toSatisfy(({ p50Ms, p99Ms }) => p50Ms > 0 && p99Ms >= p50Ms);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is described without a disk where there is no folder to ask about', async () => {
    expect(await machine(undefined)).toMatchObject({ flush: undefined, isDiskInMemory: false });
  });

  it.runIf(isTmpfs('/dev/shm'))('is told apart where the folder is in memory', async () => {
    const inMemory = mkdtempSync('/dev/shm/quorate-test-');
    try {
      expect(await machine(inMemory)).toMatchObject({ isDiskInMemory: true });
    } finally {
      rmSync(inMemory, { recursive: true });
    }
  });
});

describe.runIf(existsSync('/proc/self/io'))('the meter of processes', () => {
  it('counts processor time as the process itself does', () => {
    const meter = new ProcessMeter([process.pid]);
    const before = process.cpuUsage();
    const spentUs = (): number => {
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    while (spentUs() < 100_000);
    // Both ends are rounded to hundredths of a second, user and system time each.
    expect(meter.used()?.cpuUs).toBeGreaterThanOrEqual(60_000);
    expect(meter.used()?.cpuUs).toBeLessThanOrEqual(spentUs() + 40_000);
  });

  it('counts memory of its own, and none of files', () => {
    const [before] = readings([process.pid]) ?? [];
    const held = Buffer.alloc(64 << 20, 1);
    const [after] = readings([process.pid]) ?? [];
    expect((after?.anonBytes ?? 0) - (before?.anonBytes ?? 0)).toBeGreaterThan(held.length / 2);
  });

  it('tells nothing of a process that is not there, nor of none', () => {
    expect(readings([2 ** 30])).toBeUndefined();
    expect(readings([])).toBeUndefined();
    expect(new ProcessMeter([]).used()).toBeUndefined();
  });
});
