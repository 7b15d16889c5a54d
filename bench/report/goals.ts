/**
 * What was aimed at, held against what a report found. A goal is met or not only when all of it was measured in the setting that it
 * speaks of: two cores, a disk that is not in memory, three durable nodes on each side, no request that failed, and in addition
 * - pairs and open loops: 64 connections, 100,000 keys, 100-byte values, at least three repetitions, windows of at least 20 s
 * - numbers of keys: 64 connections, 100-byte values, at least two repetitions
 * - sizes of values: 64 connections, at least two repetitions
 * - costs: 100-byte values, where they depend on them
 * Anything else is shown with what differs, and counts as not measured. Of open loops alone, requests that failed count against the
 * goal: they had no latency that could be held against it.
 */
import type { Goal, Series } from './bench-report.ts';
import {
  failedOf,
  groupBy,
  inSection,
  isLike,
  type Kind,
  lineKey,
  type NonEmpty,
  targetOf,
  worstMs,
} from './comparison.ts';
import { costGoals } from './cost-goals.ts';
import {
  type Circumstances,
  circumstancesOf,
  type Findings,
  judged,
  notMeasured,
  remarks,
  type Setting,
} from './goal-setting.ts';
import { milliseconds, percent, perSecond, plural, times } from './units.ts';

/** Nodes write a checkpoint every 10 s: a shorter window holds one or none by chance. */
const SECONDS_MIN = 20;
const SETTING: Setting = {
  connections: 64,
  keys: 100_000,
  valueBytes: 100,
  repetitionsMin: 3,
  secondsMin: SECONDS_MIN,
};
const KEYS_SETTING: Setting = { connections: 64, valueBytes: 100, repetitionsMin: 2 };
/** Of fewer keys, since each size is written anew. */
const VALUES_SETTING: Setting = { connections: 64, repetitionsMin: 2 };
const P999_MS_MAX = 20;
const PAUSE_MS_MAX = 100;
/** How far from half of the maximum a rate may be and still count as half of it. */
const RATE_TOLERANCE = 0.1;
const KEYS_RANGE = { min: 10_000, max: 1_000_000 };
const FLAT = 0.8;
const LINEAR_FROM_BYTES = 4096;

/** Quorate's workload against that of a peer of the same kind: at least `ratio` times its throughput, and a p99 below its own. */
interface Pair {
  readonly own: string;
  readonly kind: Kind;
  /** As requests to Quorate say it: w of writes, r of reads. */
  readonly replicas: number;
  readonly store: string;
  readonly words: string;
  readonly ratio: number;
}

const PUT = { own: 'PUT w=2', kind: 'write', replicas: 2 } as const;
const GET = { own: 'GET r=2', kind: 'agreed-read', replicas: 2 } as const;
const GET_ONE = { own: 'GET r=1', kind: 'local-read', replicas: 1 } as const;

const PAIRS: readonly Pair[] = [
  { ...PUT, store: 'etcd', words: "etcd's put", ratio: 2 },
  { ...PUT, store: 'consul', words: "Consul's put", ratio: 3 },
  { ...GET, store: 'etcd', words: "etcd's linearizable range", ratio: 3 },
  { ...GET, store: 'consul', words: "Consul's consistent read", ratio: 1.8 },
  { ...GET_ONE, store: 'etcd', words: "etcd's serializable range", ratio: 3.5 },
];

export function goalsOf(findings: Findings): readonly Goal[] {
  return [
    ...PAIRS.flatMap((pair) => pairGoals(findings, pair)),
    ...openLoopGoals(findings),
    ...costGoals(findings),
    keysGoal(findings),
    valuesGoal(findings),
  ];
}

function pairGoals(findings: Findings, pair: Pair): readonly Goal[] {
  const { own, words, ratio } = pair;
  const throughput = { goal: `Throughput of ${own}`, wanted: `at least ${times(ratio)} ${words}` };
  const p99 = { goal: `p99 of ${own}`, wanted: `below ${words}` };
  const [ours, theirs] = sidesOf(findings, pair);
  if (ours === undefined || theirs === undefined || theirs.median.operationsPerS === 0)
    return [notMeasured(throughput), notMeasured(p99)];
  const [a, b] = [ours.median, theirs.median];
  const found = a.operationsPerS / b.operationsPerS;
  const remark = remarks(findings.machine, circumstances(findings, [ours, theirs]), SETTING);
  return [
    judged(
      throughput,
      `${times(found)}: ${perSecond(a.operationsPerS)} against ${perSecond(b.operationsPerS)}`,
      found >= ratio,
      remark,
    ),
    judged(p99, `${milliseconds(a.p99Ms)} against ${milliseconds(b.p99Ms)}`, a.p99Ms < b.p99Ms, remark),
  ];
}

/** Of a peer that keeps the same promise in several ways, the strongest, which is asked first. */
function sidesOf(
  findings: Findings,
  { kind, replicas, store }: Pair,
): readonly [Series | undefined, Series | undefined] {
  const ofKind = inSection(findings, 'main').filter((one) => one.kind === kind);
  const isOf = (one: Series, name: string): boolean => targetOf(findings, one)?.store === name;
  const ours = ofKind.find((one) => isOf(one, 'quorate') && (kind === 'write' ? one.w : one.r) === replicas);
  const theirs = ofKind.find((one) => isOf(one, store) && ours !== undefined && isLike(ours, one));
  return [ours, theirs];
}

function openLoopGoals(findings: Findings): readonly Goal[] {
  const halves = ownIn(findings, 'open-loop').filter((one) => isAtHalf(findings, one));
  const tail = { goal: 'Open loop at half of the maximum: p99.9', wanted: `below ${milliseconds(P999_MS_MAX)}` };
  const pause = {
    goal: 'Open loop at half of the maximum: longest wait',
    wanted: `up to ${milliseconds(PAUSE_MS_MAX)}`,
  };
  if (halves.length === 0) return [notMeasured(tail), notMeasured(pause)];
  const each = (read: (one: Series) => number): string =>
    halves.map((one) => `${one.workload} ${milliseconds(read(one))}${withErrors(one)}`).join(', ');
  const isClean = halves.every((one) => failedOf(one) === 0);
  const sides = circumstances(findings, halves).map((side) => ({ ...side, failed: 0 }));
  const remark = remarks(findings.machine, sides, SETTING);
  return [
    judged(
      tail,
      each(({ median }) => median.p999Ms),
      isClean && halves.every(({ median }) => median.p999Ms < P999_MS_MAX),
      remark,
    ),
    judged(pause, each(worstMs), isClean && halves.every((one) => worstMs(one) <= PAUSE_MS_MAX), remark),
  ];
}

function isAtHalf(findings: Findings, { target, workload, loop }: Series): boolean {
  const closed = inSection(findings, 'main').find((one) => one.target === target && one.workload === workload);
  if (loop.kind !== 'open' || closed === undefined) return false;
  const half = closed.median.operationsPerS / 2;
  return Math.abs(loop.ratePerS - half) <= half * RATE_TOLERANCE;
}

/** Of each line, its slowest number of keys against its fastest. */
function keysGoal(findings: Findings): Goal {
  const aim = { goal: 'Throughput from 10,000 to 1,000,000 keys', wanted: 'within 20 %' };
  const lines = linesIn(findings, 'keys', ({ keys }) => keys >= KEYS_RANGE.min && keys <= KEYS_RANGE.max).filter(
    (line) => {
      const counts = line.map(({ keys }) => keys);
      return Math.min(...counts) === KEYS_RANGE.min && Math.max(...counts) === KEYS_RANGE.max;
    },
  );
  if (lines.length === 0) return notMeasured(aim);
  const shares = lines.map((line) => {
    const rates = line.map(({ median }) => median.operationsPerS);
    return { workload: line[0].workload, share: Math.min(...rates) / Math.max(...rates, Number.MIN_VALUE) };
  });
  const found = shares.map(({ workload, share }) => `${workload} ${percent(1 - share)}`).join(', ');
  const remark = remarks(findings.machine, circumstances(findings, lines.flat()), KEYS_SETTING);
  return judged(aim, `slowest below fastest: ${found}`, shares.every(isFlat), remark);
}

/** Linear: from 4 KiB on a second moves as many bytes of larger values, within a fifth. */
function valuesGoal(findings: Findings): Goal {
  const aim = { goal: 'Linear in value size from 4 KiB on', wanted: 'at least 80 % of the bytes a second of 4 KiB' };
  const lines = linesIn(findings, 'values', ({ valueBytes }) => valueBytes >= LINEAR_FROM_BYTES).flatMap((line) => {
    const base = line.find(({ valueBytes }) => valueBytes === LINEAR_FROM_BYTES);
    return base === undefined || base.median.operationsPerS === 0 || line.length === 1 ? [] : [{ line, base }];
  });
  if (lines.length === 0) return notMeasured(aim);
  const bytesPerS = ({ median, valueBytes }: Series): number => median.operationsPerS * valueBytes;
  const shares = lines.map(({ line, base }) => ({
    workload: base.workload,
    share: Math.min(...line.map((one) => bytesPerS(one) / bytesPerS(base))),
  }));
  const found = shares.map(({ workload, share }) => `${workload} ${percent(share)}`).join(', ');
  const sides = circumstances(
    findings,
    lines.flatMap(({ line }) => line),
  );
  const remark = remarks(findings.machine, sides, VALUES_SETTING);
  return judged(aim, `at the worst size: ${found}`, shares.every(isFlat), remark);
}

const isFlat = ({ share }: { readonly share: number }): boolean => share >= FLAT;

function linesIn(
  findings: Findings,
  section: Series['section'],
  isOf: (series: Series) => boolean,
): readonly NonEmpty<Series>[] {
  return [...groupBy(ownIn(findings, section).filter(isOf), lineKey).values()];
}

function ownIn(findings: Findings, section: Series['section']): readonly Series[] {
  return inSection(findings, section).filter((one) => targetOf(findings, one)?.store === 'quorate');
}

function circumstances(findings: Findings, series: readonly Series[]): readonly Circumstances[] {
  return series.map((one) => circumstancesOf(findings, one));
}

function withErrors(series: Series): string {
  const failed = failedOf(series);
  return failed === 0 ? '' : ` (${plural(failed, 'error')})`;
}
