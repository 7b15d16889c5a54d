/**
 * What was aimed at, held against what a report found. A goal is met or not only when it was measured in the setting that it speaks of:
 * three nodes, durable, 100-byte values, 100,000 keys, 64 connections, medians of at least three repetitions. Anything else is shown,
 * with what differs, and counts as not measured.
 */
import type { BenchReport, Goal, Series } from './bench-report.ts';
import { failedOf, inSection, isDurable, isLike, targetOf, worstMs } from './comparison.ts';
import { costGoals } from './cost-goals.ts';
import { milliseconds, percent, perSecond, plural, size, times } from './units.ts';

/** What goals are computed from: a report that has none yet. */
export type Findings = Omit<BenchReport, 'goals'>;

const NODES = 3;
const REPETITIONS_MIN = 3;
const SETTING = { connections: 64, keys: 100_000, valueBytes: 100 };
const P999_MS_MAX = 20;
const PAUSE_MS_MAX = 100;
/** How far from half of the maximum a rate may be and still count as half of it. */
const RATE_TOLERANCE = 0.1;
const KEYS_RANGE = { min: 10_000, max: 1_000_000 };
const FLAT = 0.8;
const LINEAR_FROM_BYTES = 4096;

/** Quorate's workload against that of a peer: at least `ratio` times its throughput, and a p99 below its own. */
const PAIRS = [
  { own: 'PUT w=2', store: 'etcd', workload: /^put\b/i, words: "etcd's put", ratio: 2 },
  { own: 'PUT w=2', store: 'consul', workload: /^put\b/i, words: "Consul's put", ratio: 3 },
  { own: 'GET r=2', store: 'etcd', workload: /\blinearizable\b/i, words: "etcd's linearizable range", ratio: 3 },
  { own: 'GET r=2', store: 'consul', workload: /\bconsistent\b/i, words: "Consul's consistent read", ratio: 1.8 },
  { own: 'GET r=1', store: 'etcd', workload: /\bserializable\b/i, words: "etcd's serializable range", ratio: 3.5 },
] as const;

export function goalsOf(findings: Findings): readonly Goal[] {
  return [
    ...PAIRS.flatMap((pair) => pairGoals(findings, pair)),
    ...openLoopGoals(findings),
    ...costGoals(findings.costs),
    keysGoal(findings),
    valuesGoal(findings),
  ];
}

function pairGoals(findings: Findings, pair: (typeof PAIRS)[number]): readonly Goal[] {
  const { own, words, ratio } = pair;
  const ours = own3(findings, 'main').find(({ workload }) => workload === own);
  const theirs = inSection(findings, 'main').find(
    (one) =>
      targetOf(findings, one)?.store === pair.store &&
      pair.workload.test(one.workload) &&
      (ours === undefined || isLike(ours, one)),
  );
  const throughput = { goal: `Throughput of ${own}`, wanted: `at least ${times(ratio)} ${words}` };
  const p99 = { goal: `p99 of ${own}`, wanted: `below ${words}` };
  if (ours === undefined || theirs === undefined || theirs.median.operationsPerS === 0)
    return [notMeasured(throughput), notMeasured(p99)];
  const [a, b] = [ours.median, theirs.median];
  const found = a.operationsPerS / b.operationsPerS;
  const but = settingRemark(ours, theirs);
  return [
    {
      ...throughput,
      found: `${times(found)}: ${perSecond(a.operationsPerS)} against ${perSecond(b.operationsPerS)}${but}`,
      isMet: but === '' ? found >= ratio : undefined,
    },
    {
      ...p99,
      found: `${milliseconds(a.p99Ms)} against ${milliseconds(b.p99Ms)}${but}`,
      isMet: but === '' ? a.p99Ms < b.p99Ms : undefined,
    },
  ];
}

/** What keeps a pair from counting; empty when nothing does. */
function settingRemark(ours: Series, theirs: Series): string {
  const { connections, keys, valueBytes } = ours;
  const repetitions = Math.min(ours.repetitions.length, theirs.repetitions.length);
  const failed = failedOf(ours);
  const remarks = [
    ...(connections === SETTING.connections ? [] : [plural(connections, 'connection')]),
    ...(keys === SETTING.keys ? [] : [plural(keys, 'key')]),
    ...(valueBytes === SETTING.valueBytes ? [] : [`values of ${size(valueBytes)}`]),
    ...(theirs.nodes === NODES ? [] : [`${plural(theirs.nodes, 'node')} of the peer`]),
    ...(repetitions >= REPETITIONS_MIN ? [] : [plural(repetitions, 'repetition')]),
    ...(failed === 0 ? [] : [plural(failed, 'error')]),
  ];
  return remarks.length === 0 ? '' : ` (not the setting of the goal: ${remarks.join(', ')})`;
}

function openLoopGoals(findings: Findings): readonly Goal[] {
  const halves = own3(findings, 'open-loop').filter((one) => isAtHalf(findings, one));
  const tail = { goal: 'Open loop at half of the maximum: p99.9', wanted: `below ${milliseconds(P999_MS_MAX)}` };
  const pause = {
    goal: 'Open loop at half of the maximum: longest wait',
    wanted: `up to ${milliseconds(PAUSE_MS_MAX)}`,
  };
  if (halves.length === 0) return [notMeasured(tail), notMeasured(pause)];
  const each = (read: (one: Series) => number): string =>
    halves.map((one) => `${one.workload} ${milliseconds(read(one))}${withErrors(one)}`).join(', ');
  const isClean = halves.every((one) => failedOf(one) === 0);
  return [
    {
      ...tail,
      found: each(({ median }) => median.p999Ms),
      isMet: isClean && halves.every(({ median }) => median.p999Ms < P999_MS_MAX),
    },
    { ...pause, found: each(worstMs), isMet: isClean && halves.every((one) => worstMs(one) <= PAUSE_MS_MAX) },
  ];
}

function isAtHalf(findings: Findings, { target, workload, loop }: Series): boolean {
  const closed = inSection(findings, 'main').find((one) => one.target === target && one.workload === workload);
  if (loop.kind !== 'open' || closed === undefined) return false;
  const half = closed.median.operationsPerS / 2;
  return Math.abs(loop.ratePerS - half) <= half * RATE_TOLERANCE;
}

/** Of each workload, its slowest number of keys against its fastest. */
function keysGoal(findings: Findings): Goal {
  const goal = { goal: 'Throughput from 10,000 to 1,000,000 keys', wanted: 'within 20 %' };
  const all = own3(findings, 'keys').filter(({ keys }) => keys >= KEYS_RANGE.min && keys <= KEYS_RANGE.max);
  const found = [...new Set(all.map(({ workload }) => workload))].flatMap((workload) => {
    const line = all.filter((one) => one.workload === workload);
    const sizes = line.map(({ keys }) => keys);
    if (Math.min(...sizes) !== KEYS_RANGE.min || Math.max(...sizes) !== KEYS_RANGE.max) return [];
    const rates = line.map(({ median }) => median.operationsPerS);
    return [{ workload, share: Math.min(...rates) / Math.max(...rates) }];
  });
  if (found.length === 0) return notMeasured(goal);
  return {
    ...goal,
    found: `slowest below fastest: ${found.map(({ workload, share }) => `${workload} ${percent(1 - share)}`).join(', ')}`,
    isMet: found.every(({ share }) => share >= FLAT),
  };
}

/** Linear: from 4 KiB on a second moves as many bytes of larger values, within a fifth. */
function valuesGoal(findings: Findings): Goal {
  const goal = { goal: 'Linear in value size from 4 KiB on', wanted: 'at least 80 % of the bytes a second of 4 KiB' };
  const all = own3(findings, 'values').filter(({ valueBytes }) => valueBytes >= LINEAR_FROM_BYTES);
  const bytesPerS = ({ median, valueBytes }: Series): number => median.operationsPerS * valueBytes;
  const found = all
    .filter(({ valueBytes }) => valueBytes === LINEAR_FROM_BYTES)
    .flatMap((base) => {
      const larger = all.filter((one) => one.workload === base.workload && one.valueBytes > LINEAR_FROM_BYTES);
      if (larger.length === 0) return [];
      return [{ workload: base.workload, share: Math.min(...larger.map((one) => bytesPerS(one) / bytesPerS(base))) }];
    });
  if (found.length === 0) return notMeasured(goal);
  return {
    ...goal,
    found: `at the worst size: ${found.map(({ workload, share }) => `${workload} ${percent(share)}`).join(', ')}`,
    isMet: found.every(({ share }) => share >= FLAT),
  };
}

/** Of three durable nodes of Quorate. */
function own3(findings: Findings, section: Series['section']): readonly Series[] {
  return inSection(findings, section).filter((one) => {
    const target = targetOf(findings, one);
    return target?.store === 'quorate' && one.nodes === NODES && isDurable(target.durability) === true;
  });
}

function withErrors(series: Series): string {
  const failed = failedOf(series);
  return failed === 0 ? '' : ` (${plural(failed, 'error')})`;
}

function notMeasured(goal: Pick<Goal, 'goal' | 'wanted'>): Goal {
  return { ...goal, found: 'not measured', isMet: undefined };
}
