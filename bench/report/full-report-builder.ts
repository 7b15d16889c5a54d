/** A report with something in every section, as a full run leaves it. The figures are made up. */
import type { BenchReport, Series, TargetInfo, TimelinePoint } from './bench-report.ts';
import { goalsOf } from './goals.ts';
import { aConsul, anEtcd, aRate, aReport, aSample, aSeries, aTarget, someCosts } from './report-builders.ts';

const TARGETS: readonly TargetInfo[] = [
  aTarget(),
  aTarget({ name: 'quorate, os', durability: 'os' }),
  anEtcd(),
  aConsul(),
  aTarget({ name: 'redis', store: 'redis', version: '7.0.15', isOwn: false, durability: 'appendfsync everysec' }),
  aTarget({ name: 'HTTP from memory', store: 'memory', nodes: 1, durability: 'none' }),
  ...[1, 5, 7].map((nodes) => aTarget({ name: `quorate, ${nodes} nodes`, nodes })),
];

export function aFullReport(): BenchReport {
  const findings = { ...aReport({ targets: TARGETS, series: everything(), costs: someCosts() }) };
  return { ...findings, goals: goalsOf(findings) };
}

function everything(): readonly Series[] {
  return [...main(), ...openLoop(), ...matrix(), ...mixes(), ...durability(), ...sweeps(), outage()];
}

function main(): readonly Series[] {
  return [
    aRate(9_820, { workload: 'PUT w=2', kind: 'write', w: 2 }),
    aRate(17_130, { workload: 'GET r=2', kind: 'agreed-read', r: 2 }),
    aRate(27_400, { workload: 'GET r=1', kind: 'local-read', r: 1 }),
    aRate(4_711, { target: 'etcd', workload: 'put', kind: 'write' }),
    aRate(5_645, { target: 'etcd', workload: 'linearizable range', kind: 'agreed-read' }),
    aRate(7_657, { target: 'etcd', workload: 'serializable range', kind: 'local-read' }),
    aRate(2_930, { target: 'consul', workload: 'put', kind: 'write' }),
    aRate(10_200, { target: 'consul', workload: 'consistent read', kind: 'agreed-read' }),
    aRate(11_900, { target: 'consul', workload: 'default read', kind: 'agreed-read' }),
    aRate(13_400, { target: 'consul', workload: 'stale read', kind: 'local-read' }),
    aRate(41_000, { target: 'redis', workload: 'SET', kind: 'write' }),
    aRate(48_500, { target: 'redis', workload: 'GET', kind: 'local-read' }),
    aRate(21_641, { target: 'HTTP from memory', workload: 'PUT w=1', kind: 'write', w: 1, nodes: 1 }),
    aRate(25_246, { target: 'HTTP from memory', workload: 'GET r=1', kind: 'local-read', r: 1, nodes: 1 }),
  ];
}

function openLoop(): readonly Series[] {
  const half = (workload: string, ratePerS: number, p50Ms: number): Series =>
    aSeries({
      section: 'open-loop',
      workload,
      loop: { kind: 'open', ratePerS },
      median: aSample({ operationsPerS: ratePerS, p50Ms }),
    });
  return [
    half('PUT w=2', 2_455, 1.9),
    half('PUT w=2', 4_910, 2.6),
    half('PUT w=2', 7_365, 5.8),
    { ...half('GET r=2', 8_565, 1.1), kind: 'agreed-read' },
  ];
}

function matrix(): readonly Series[] {
  const pairs = [1, 2, 3].flatMap((r) => [1, 2, 3].map((w) => ({ r, w })));
  return pairs.map(({ r, w }) =>
    aRate(21_000 / (0.45 + 0.27 * r + 0.36 * w), {
      section: 'matrix',
      workload: 'half reads, half writes',
      kind: 'mix',
      r,
      w,
    }),
  );
}

function mixes(): readonly Series[] {
  const rates = { A: 11_200, B: 15_900, C: 17_200, D: 16_400, F: 8_900 };
  return Object.entries(rates).flatMap(([letter, rate]) => [
    aRate(rate, {
      section: 'ycsb',
      kind: 'mix',
      workload: `YCSB ${letter}`,
      distribution: letter === 'D' ? 'latest' : 'zipfian',
    }),
    aRate(rate * 0.44, {
      section: 'ycsb',
      kind: 'mix',
      target: 'etcd',
      workload: `YCSB ${letter}`,
      distribution: 'zipfian',
    }),
  ]);
}

function durability(): readonly Series[] {
  return [
    aRate(9_790, { section: 'durability', workload: 'PUT w=2', w: 2 }),
    aRate(14_600, { section: 'durability', target: 'quorate, os', workload: 'PUT w=2', w: 2 }),
  ];
}

const WORKLOADS = [
  { workload: 'PUT w=2', kind: 'write', w: 2, rate: 9_800 },
  { workload: 'GET r=2', kind: 'agreed-read', r: 2, rate: 17_100 },
  { workload: 'GET r=1', kind: 'local-read', r: 1, rate: 27_400 },
] as const;

const ETCD = [
  { workload: 'put', kind: 'write', rate: 4_711 },
  { workload: 'linearizable range', kind: 'agreed-read', rate: 5_645 },
  { workload: 'serializable range', kind: 'local-read', rate: 7_657 },
] as const;

function sweeps(): readonly Series[] {
  const all = [
    ...WORKLOADS.map((one) => ({ ...one, target: 'quorate' })),
    ...ETCD.map((one) => ({ ...one, target: 'etcd' })),
  ];
  const sweep = (rate: number, share: number, latency: number, values: Partial<Series>): Series =>
    aSeries({ ...values, median: aSample({ operationsPerS: rate * share, p50Ms: latency }) });
  return all.flatMap(({ rate, ...one }) => [
    ...[1, 16, 64, 256].map((connections) => {
      const share = connections / (connections + 9);
      return sweep(rate, share, (connections / (rate * share)) * 1000, { ...one, section: 'connections', connections });
    }),
    ...(one.target === 'etcd'
      ? []
      : [
          ...[1, 3, 5, 7].map((nodes) =>
            sweep(rate, 1.1 - nodes * 0.06, 4, {
              ...one,
              section: 'nodes',
              nodes,
              target: nodes === 3 ? 'quorate' : `quorate, ${nodes} nodes`,
            }),
          ),
          ...[100, 1024, 4096, 16_384, 65_536].map((valueBytes) =>
            sweep(rate, 1 / (1 + valueBytes / 9000), 4 + valueBytes / 4000, { ...one, section: 'values', valueBytes }),
          ),
          ...[10_000, 100_000, 1_000_000].map((keys) =>
            sweep(rate, 1.08 - Math.log10(keys) * 0.02, 5, { ...one, section: 'keys', keys }),
          ),
        ]),
  ]);
}

function outage(): Series {
  const point = (second: number): TimelinePoint => {
    const isAway = second >= 20 && second < 41;
    const isBlind = second >= 20 && second < 23;
    const operations = isBlind ? (second === 20 ? 0 : 2_400) : 8_400 + ((second * 7919) % 900) - (isAway ? 700 : 0);
    return {
      second,
      operations,
      errors: isBlind ? 37 * (23 - second) : 0,
      p50Ms: operations === 0 ? 0 : isAway ? 5.1 : 4.2,
      p99Ms: operations === 0 ? 0 : (isBlind ? 120 : 14) + ((second * 104_729) % 6),
    };
  };
  const sample = aSample({ operationsPerS: 8_100, errors: { '503': 111, timeout: 111 } });
  return aSeries({
    section: 'outage',
    workload: 'YCSB A',
    kind: 'mix',
    repetitions: [sample],
    median: sample,
    timeline: Array.from({ length: 60 }, (_, i) => point(i)),
    events: [
      { second: 20, text: 'n3 is killed' },
      { second: 41, text: 'n3 is started again, hints are replayed' },
      { second: 47, text: 'no hint is left' },
    ],
  });
}
