/** Reports for tests: everything has a value, and each test says what matters to it. */
import type { BenchReport, Costs, Sample, Series, TargetInfo } from './bench-report.ts';

export function aSample(values: Partial<Sample> = {}): Sample {
  const p50Ms = values.p50Ms ?? 5;
  return {
    seconds: 30,
    operationsPerS: 10_000,
    p50Ms,
    p90Ms: p50Ms * 1.6,
    p99Ms: p50Ms * 3,
    p999Ms: p50Ms * 6,
    maxMs: p50Ms * 9,
    errors: {},
    serverCpuUs: 100,
    clientCpuUs: 30,
    ...values,
  };
}

/** Three repetitions that found the same, all errors in the first one, unless they are given. */
export function aSeries({ median = aSample(), ...values }: Partial<Series> = {}): Series {
  return {
    section: 'main',
    target: 'quorate',
    workload: 'PUT w=2',
    kind: 'write',
    loop: { kind: 'closed' },
    connections: 64,
    nodes: 3,
    keys: 100_000,
    valueBytes: 100,
    distribution: 'uniform',
    repetitions: [median, { ...median, errors: {} }, { ...median, errors: {} }],
    median,
    spread: { minPerS: median.operationsPerS * 0.93, maxPerS: median.operationsPerS * 1.05 },
    percentiles: aCurve(median.p50Ms),
    timeline: [],
    events: [],
    ...values,
  };
}

/** A series of so many operations a second. */
export function aRate(operationsPerS: number, values: Partial<Series> = {}): Series {
  return aSeries({ median: aSample({ operationsPerS, p50Ms: 32_000 / operationsPerS }), ...values });
}

export function aTarget(values: Partial<TargetInfo> = {}): TargetInfo {
  return {
    name: 'quorate',
    store: 'quorate',
    version: '0.1.0',
    nodes: 3,
    isOwn: true,
    durability: 'flush',
    ...values,
  };
}

export const anEtcd = (): TargetInfo =>
  aTarget({ name: 'etcd', store: 'etcd', version: '3.4.23', isOwn: false, durability: 'fsync by a majority' });

export const aConsul = (): TargetInfo =>
  aTarget({ name: 'consul', store: 'consul', version: '1.19.2', isOwn: false, durability: 'fsync by a majority' });

export function aReport(values: Partial<BenchReport> = {}): BenchReport {
  return {
    format: 1,
    date: '2031-05-06T07:08:09.000Z',
    tookS: 1234,
    machine: {
      cpu: 'Example CPU @ 2.50GHz',
      cores: 2,
      memoryBytes: 8_200_000_000,
      kernel: 'Linux 6.1.0',
      node: 'v20.20.2',
      flush: { p50Ms: 0.42, p99Ms: 2.1 },
      isDiskInMemory: false,
      load: 0.35,
    },
    command: 'quorate bench --full --peer etcd=http://127.0.0.1:2379',
    version: '0.1.0 (1a2b3c4)',
    warmupS: 2,
    generator: 'sessions',
    targets: [aTarget()],
    series: [aSeries()],
    costs: undefined,
    goals: [],
    ...values,
  };
}

export function someCosts(values: Partial<Costs> = {}): Costs {
  return {
    valueBytes: 100,
    nodes: 3,
    durability: 'flush',
    perPut: {
      valueBytes: 100,
      wireBytes: 512,
      diskBytesPerReplica: 431,
      flushes: 0.21,
      nodeCpuUs: 251,
      clientCpuUs: 41,
    },
    memory: [
      { keys: 100_000, bytesPerNode: 121e6 },
      { keys: 1_000_000, bytesPerNode: 168e6 },
    ],
    memoryOverTime: Array.from({ length: 121 }, (_, i) => ({
      second: i * 5,
      bytesPerNode: 118e6 + 12e6 * (1 - 0.9 ** i),
    })),
    start: [
      { keys: 100_000, seconds: 0.61 },
      { keys: 1_000_000, seconds: 1.9 },
    ],
    idleCpuPercent: 0.42,
    ...values,
  };
}

/** Percentiles that grow by the same factor with every nine. */
function aCurve(p50Ms: number): Series['percentiles'] {
  const steps = Array.from({ length: 26 }, (_, i) => i * 0.2);
  return steps.map((nines) => [100 * (1 - 10 ** -nines), p50Ms * 1.75 ** (nines - 0.3)]);
}
