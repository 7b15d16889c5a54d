import { describe, expect, it } from 'vitest';
import type { BenchReport, Costs, Goal, Series } from './bench-report.ts';
import { aFullReport } from './full-report-builder.ts';
import { goalsOf } from './goals.ts';
import { aConsul, anEtcd, aRate, aReport, aSample, aSeries, aTarget, someCosts } from './report-builders.ts';

function goalsWith(series: readonly Series[], values: Partial<BenchReport> = {}): readonly Goal[] {
  return goalsOf(aReport({ targets: [aTarget(), anEtcd(), aConsul()], series, ...values }));
}

function goalOf(goals: readonly Goal[], goal: string, wanted = ''): Goal {
  const found = goals.find((one) => one.goal.startsWith(goal) && one.wanted.includes(wanted));
  if (found === undefined) throw new Error(`no goal ${goal}, ${wanted}`);
  return found;
}

const own = aRate(10_000, { w: 2 });
const etcdPut = (rate: number, values: Partial<Series> = {}): Series =>
  aRate(rate, { target: 'etcd', workload: 'put', ...values });

const agreed = { kind: 'agreed-read' } as const;
const local = { kind: 'local-read' } as const;

describe('goals against a peer', () => {
  it('are met from the wanted ratio on', () => {
    const goal = (rate: number): Goal => goalOf(goalsWith([own, etcdPut(rate)]), 'Throughput of PUT w=2', 'etcd');
    expect(goal(5_000)).toEqual({
      goal: 'Throughput of PUT w=2',
      wanted: "at least 2× etcd's put",
      found: '2×: 10,000/s against 5,000/s',
      isMet: true,
    });
    expect(goal(5_001).isMet).toBe(false);
  });

  it('are about each kind of read of each peer', () => {
    const goals = goalsWith([
      aRate(18_000, { ...agreed, workload: 'GET r=2', r: 2 }),
      aRate(35_000, { ...local, workload: 'GET r=1', r: 1 }),
      aRate(6_000, { ...agreed, target: 'etcd', workload: 'linearizable range' }),
      aRate(10_001, { ...local, target: 'etcd', workload: 'serializable range' }),
      aRate(10_000, { ...agreed, target: 'consul', workload: 'get consistent' }),
      aRate(1, { ...local, target: 'consul', workload: 'get stale' }),
    ]);
    expect(goalOf(goals, 'Throughput of GET r=2', 'etcd').isMet).toBe(true);
    expect(goalOf(goals, 'Throughput of GET r=2', 'Consul').isMet).toBe(true);
    expect(goalOf(goals, 'Throughput of GET r=1', 'etcd').isMet).toBe(false);
    expect(goalOf(goals, 'Throughput of PUT w=2', 'Consul').isMet).toBeUndefined();
  });

  it('want a p99 below the one of the peer', () => {
    const goal = (p99Ms: number): Goal => {
      const slow = etcdPut(100, { median: aSample({ operationsPerS: 100, p99Ms: 20 }) });
      return goalOf(goalsWith([aSeries({ w: 2, median: aSample({ p99Ms }) }), slow]), 'p99 of PUT w=2', 'etcd');
    };
    expect(goal(19.9)).toMatchObject({ found: '19.9 ms against 20 ms', isMet: true });
    expect(goal(20).isMet).toBe(false);
  });

  it('are not measured without the peer, or when the peer answered nothing', () => {
    for (const series of [[own], [own, etcdPut(0)], [etcdPut(1)]]) {
      const goal = goalOf(goalsWith(series), 'Throughput of PUT w=2', 'etcd');
      expect(goal).toMatchObject({ found: 'not measured', isMet: undefined });
    }
  });

  it('say what was found in another setting, and count it as not measured', () => {
    const small = { w: 2, keys: 1000, connections: 16 };
    const goal = goalOf(goalsWith([aRate(10_000, small), etcdPut(1_000, small)]), 'Throughput of PUT w=2', 'etcd');
    expect(goal.found).toBe('10×: 10,000/s against 1,000/s (not the setting of the goal: 16 connections, 1,000 keys)');
    expect(goal.isMet).toBeUndefined();
  });

  it('do not hold different settings against each other', () => {
    const goal = goalOf(goalsWith([own, etcdPut(1_000, { keys: 1000 })]), 'Throughput of PUT w=2', 'etcd');
    expect(goal).toMatchObject({ found: 'not measured', isMet: undefined });
  });

  it('are not met by one repetition, nor by requests that fail', () => {
    const bad = aSample({ operationsPerS: 10_000, errors: { '503': 1 } });
    const once = goalsWith([aRate(10_000, { w: 2, repetitions: [aSample()] }), etcdPut(1_000)]);
    const failing = goalsWith([aSeries({ w: 2, median: bad }), etcdPut(1_000)]);
    expect(goalOf(once, 'Throughput of PUT w=2', 'etcd')).toMatchObject({
      isMet: undefined,
      found: expect.stringMatching(/1 repetition\b/),
    });
    expect(goalOf(failing, 'Throughput of PUT w=2', 'etcd')).toMatchObject({
      isMet: undefined,
      found: expect.stringMatching(/1 error\b/),
    });
  });

  it('name what failed on either side', () => {
    const theirs = etcdPut(1_000, { median: aSample({ operationsPerS: 1_000, errors: { '500': 2, timeout: 1 } }) });
    expect(goalOf(goalsWith([own, theirs]), 'Throughput of PUT w=2', 'etcd')).toMatchObject({
      isMet: undefined,
      found: expect.stringContaining('(not the setting of the goal: 3 errors of etcd)'),
    });
  });

  it('are not measured by windows that hold one checkpoint by chance', () => {
    const goal = (seconds: number): Goal => {
      const median = aSample({ operationsPerS: 1_000, seconds });
      return goalOf(goalsWith([own, etcdPut(1_000, { median })]), 'Throughput of PUT w=2', 'etcd');
    };
    expect(goal(20).isMet).toBe(true);
    expect(goal(19)).toMatchObject({ isMet: undefined, found: expect.stringContaining('measured for 19 s') });
  });

  it('want a peer of three nodes that is as durable', () => {
    const weak = { ...anEtcd(), durability: 'none' };
    const lossy = goalsWith([own, etcdPut(1_000, { nodes: 1 })], { targets: [aTarget(), weak] });
    expect(goalOf(lossy, 'Throughput of PUT w=2', 'etcd')).toMatchObject({
      isMet: undefined,
      found: expect.stringContaining('1 node of etcd, durability of etcd: none'),
    });
  });

  it('go by the kind of a workload and never by its words', () => {
    const renamed = [
      aRate(10_000, { workload: 'whatever', w: 2 }),
      etcdPut(9_000, { kind: 'local-read' }),
      etcdPut(1_000, { workload: 'txn' }),
    ];
    expect(goalOf(goalsWith(renamed), 'Throughput of PUT w=2', 'etcd').found).toMatch(/^10×/);
  });

  it('are not met by writes that a power cut may lose, nor by fewer nodes', () => {
    const lossy = goalsWith([own, etcdPut(1_000)], { targets: [aTarget({ durability: 'os' }), anEtcd()] });
    const single = goalsWith([aRate(10_000, { w: 2, nodes: 1 }), etcdPut(1_000)]);
    for (const goals of [lossy, single]) expect(goalOf(goals, 'Throughput of PUT w=2', 'etcd').isMet).toBeUndefined();
  });
});

describe('the goals of the open loop', () => {
  const at = (ratePerS: number, values: Parameters<typeof aSample>[0]): Series =>
    aSeries({ section: 'open-loop', loop: { kind: 'open', ratePerS }, median: aSample(values) });

  it('are about half of the maximum, and hold for each workload', () => {
    const goals = goalsWith([own, at(5_000, { p999Ms: 19, maxMs: 101 }), at(9_000, { p999Ms: 500, maxMs: 900 })]);
    expect(goalOf(goals, 'Open loop at half of the maximum: p99.9')).toMatchObject({
      found: 'PUT w=2 19 ms',
      isMet: true,
    });
    expect(goalOf(goals, 'Open loop at half of the maximum: longest')).toMatchObject({
      found: 'PUT w=2 101 ms',
      isMet: false,
    });
  });

  it('look at the worst repetition for pauses', () => {
    const series = { ...at(5_000, { maxMs: 30 }), repetitions: [30, 300, 30].map((maxMs) => aSample({ maxMs })) };
    expect(goalOf(goalsWith([own, series]), 'Open loop at half of the maximum: longest').isMet).toBe(false);
  });

  it('are not measured at other rates', () => {
    const goals = goalsWith([own, at(4_000, { p999Ms: 1, maxMs: 2 })]);
    expect(goalOf(goals, 'Open loop at half of the maximum: p99.9').isMet).toBeUndefined();
  });

  it('are not measured by short windows, nor with other connections', () => {
    for (const series of [at(5_000, { p999Ms: 1, maxMs: 2, seconds: 19 }), { ...at(5_000, {}), connections: 16 }]) {
      const goals = goalsWith([own, series]).filter(({ goal }) => goal.startsWith('Open loop'));
      expect(goals.map(({ isMet }) => isMet)).toEqual([undefined, undefined]);
      expect(goals[0]?.found).toMatch(/not the setting of the goal: (measured for 19 s|16 connections)/);
    }
  });

  it('are not met when requests failed', () => {
    const goals = goalsWith([own, at(5_000, { p999Ms: 1, maxMs: 2, errors: { timeout: 1 } })]);
    expect(goalOf(goals, 'Open loop at half of the maximum: p99.9')).toMatchObject({
      isMet: false,
      found: expect.stringMatching(/1 error\b/),
    });
  });
});

describe('the goals of scale', () => {
  const keys = (rates: Readonly<Record<number, number>>): Goal => {
    const series = Object.entries(rates).map(([n, rate]) => aRate(rate, { section: 'keys', keys: Number(n) }));
    return goalOf(goalsWith(series), 'Throughput from 10,000');
  };

  it('want the slowest number of keys within a fifth of the fastest', () => {
    expect(keys({ 10000: 100, 100000: 80, 1000000: 90 }).isMet).toBe(true);
    expect(keys({ 10000: 100, 100000: 79, 1000000: 90 }).isMet).toBe(false);
  });

  it('accept two repetitions, and no single one', () => {
    const times = (repetitions: number): Goal => {
      const series = [10_000, 1_000_000].map((n) =>
        aRate(100, { section: 'keys', keys: n, repetitions: Array.from({ length: repetitions }, () => aSample()) }),
      );
      return goalOf(goalsWith(series), 'Throughput from 10,000');
    };
    expect(times(2).isMet).toBe(true);
    expect(times(1)).toMatchObject({ isMet: undefined, found: expect.stringContaining('1 repetition of quorate') });
  });

  it('are not measured where requests failed, or in another setting', () => {
    const failing = aSample({ operationsPerS: 100, errors: { timeout: 2 } });
    for (const section of ['keys', 'values'] as const) {
      const series = [10_000, 1_000_000].map((n) =>
        aSeries({
          section,
          keys: n,
          valueBytes: section === 'keys' ? 100 : n === 10_000 ? 4096 : 65_536,
          median: failing,
        }),
      );
      const goal = section === 'keys' ? 'Throughput from 10,000' : 'Linear in value size';
      expect(goalOf(goalsWith(series), goal)).toMatchObject({
        isMet: undefined,
        found: expect.stringContaining('4 errors of quorate'),
      });
      const few = series.map((one) => ({ ...one, connections: 1, median: aSample() }));
      expect(goalOf(goalsWith(few), goal).found).toContain('(not the setting of the goal: 1 connection)');
    }
  });

  it('want both ends of the range to be measured', () => {
    expect(keys({ 10000: 100, 100000: 100 }).isMet).toBeUndefined();
  });

  it('want larger values to move as many bytes a second', () => {
    const values = (rate: number): Goal =>
      goalOf(
        goalsWith([
          aRate(9_999, { section: 'values', valueBytes: 100 }),
          aRate(1_600, { section: 'values', valueBytes: 4096 }),
          aRate(rate, { section: 'values', valueBytes: 65_536 }),
        ]),
        'Linear in value size',
      );
    expect(values(80)).toMatchObject({ isMet: true, found: 'at the worst size: PUT w=2 80 %' });
    expect(values(79).isMet).toBe(false);
    expect(goalOf(goalsWith([]), 'Linear in value size').isMet).toBeUndefined();
  });
});

describe('all goals', () => {
  it.each([
    [{ cores: 4 }, '4 cores'],
    [{ isDiskInMemory: true }, 'a disk in memory'],
  ])('are not measured on another machine: %o', (machine, words) => {
    const { goals: counted, ...full } = aFullReport();
    const goals = goalsOf({ ...full, machine: { ...full.machine, ...machine } });
    expect(goals.map(({ isMet }) => isMet)).toEqual(goals.map(() => undefined));
    for (const { found } of goals) expect(found).toContain(`(not the setting of the goal: ${words})`);
    expect(counted.map(({ isMet }) => isMet)).not.toContain(undefined);
  });
});

describe('the goals of costs', () => {
  const withCosts = (values: Partial<Costs>, goal: string): Goal =>
    goalOf(goalsWith([], { costs: someCosts(values) }), goal);

  it('want less than 200 MB with a million keys', () => {
    const memory = (keys: number, bytesPerNode: number): Goal =>
      withCosts({ memory: [{ keys, bytesPerNode }] }, 'Memory of a node');
    expect(memory(1_000_000, 199e6).isMet).toBe(true);
    expect(memory(1_000_000, 200e6).isMet).toBe(false);
    expect(memory(100_000, 1e6).isMet).toBeUndefined();
  });

  it('want memory that stays after the caches are full', () => {
    const over = (bytesAt: (second: number) => number, lengthS = 600): Goal => {
      const points = Array.from({ length: lengthS / 5 + 1 }, (_, i) => ({
        second: i * 5,
        bytesPerNode: bytesAt(i * 5),
      }));
      return withCosts({ memoryOverTime: points }, 'Memory over ten minutes');
    };
    expect(over((second) => (second < 60 ? 1e6 * second : 100e6)).isMet).toBe(true);
    expect(over((second) => 100e6 + second * 1e5).isMet).toBe(false);
    expect(over(() => 100e6, 60)).toMatchObject({ isMet: undefined, found: expect.stringMatching(/1 min only/) });
  });

  it('want bytes on disk to be stated, of 100-byte values', () => {
    const perPut = someCosts().perPut;
    if (perPut === undefined) throw new Error('no costs of a PUT');
    expect(withCosts({}, 'Bytes written')).toMatchObject({ found: '431 B', isMet: true });
    expect(withCosts({ perPut: { ...perPut, valueBytes: 1024 } }, 'Bytes written').isMet).toBeUndefined();
  });

  it('want three durable nodes, and 100-byte values where they matter', () => {
    for (const goal of ['Memory of a node', 'Memory over ten minutes']) {
      expect(withCosts({}, goal).isMet).toBe(true);
      expect(withCosts({ valueBytes: 1024 }, goal).found).toContain('values of 1 KiB');
      expect(withCosts({ valueBytes: 1024 }, goal).isMet).toBeUndefined();
    }
    expect(withCosts({ valueBytes: 1024 }, 'Processor time').isMet).toBe(true);
    expect(withCosts({ nodes: 5 }, 'Processor time').found).toContain('5 nodes of the cluster');
    expect(withCosts({ durability: 'os' }, 'Bytes written').found).toContain('durability of the cluster: os');
    expect(withCosts({ durability: 'os' }, 'Bytes written').isMet).toBeUndefined();
  });

  it('want an idle node below a hundredth of a core', () => {
    expect(withCosts({ idleCpuPercent: 0.99 }, 'Processor time').isMet).toBe(true);
    expect(withCosts({ idleCpuPercent: 1 }, 'Processor time').isMet).toBe(false);
  });

  it('are not measured where costs were not', () => {
    for (const goal of goalsWith([])) expect(goal).toMatchObject({ found: 'not measured', isMet: undefined });
  });
});
