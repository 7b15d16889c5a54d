/** What is fair to hold against what: kinds of promise that several stores make, each in its own words. */
import type { BenchReport, Sample, Section, Series, SeriesKind, TargetInfo } from './bench-report.ts';

/** Of a workload that is one operation, so that it can be held against those of others. */
export type Kind = Exclude<SeriesKind, 'mix'>;

export const KINDS: readonly Kind[] = ['write', 'agreed-read', 'local-read'];

export const KIND_TITLES: Readonly<Record<Kind, string>> = {
  write: 'Write',
  'agreed-read': 'Read that sees every acknowledged write',
  'local-read': 'Read of one copy, which may be behind',
};

/**
 * Whether an acknowledged write outlives a power cut, as far as the store's own words tell: 'flush', 'fsync by a majority' and
 * 'appendfsync always' do; 'os', 'appendfsync everysec' and 'memory' do not; undefined when they do not say.
 */
export function isDurable(durability: string): boolean | undefined {
  if (NOT_DURABLE.test(durability)) return false;
  if (/flush|f?sync/i.test(durability)) return true;
  return /\bmemory\b/i.test(durability) ? false : undefined;
}

const NOT_DURABLE = /\b(os|everysec|never|none|off|async|appendfsync no)\b|\b(no|without) (fsync|flush|append)/i;

export function inSection(report: Pick<BenchReport, 'series'>, section: Section): readonly Series[] {
  return report.series.filter((one) => one.section === section);
}

export function targetOf(report: Pick<BenchReport, 'targets'>, series: Series): TargetInfo | undefined {
  return report.targets.find(({ name }) => name === series.target);
}

/** A store of others, as against Quorate in whatever setting and the server that only answers. */
export function isPeer(target: TargetInfo | undefined): boolean {
  return target !== undefined && target.store !== 'quorate' && target.store !== 'memory';
}

/** Requests that failed, of all repetitions together. */
export function errorsOf({ median }: Pick<Series, 'median'>): ReadonlyMap<string, number> {
  return new Map(Object.entries(median.errors).filter(([, failed]) => failed > 0));
}

export function failedOf(series: Pick<Series, 'median'>): number {
  return [...errorsOf(series).values()].reduce((sum, failed) => sum + failed, 0);
}

/** The longest that any request of any repetition took. */
export function worstMs({ repetitions }: Pick<Series, 'repetitions'>): number {
  return Math.max(...repetitions.map(({ maxMs }: Sample) => maxMs));
}

/** Whether two series differ in nothing but the store: same keys, values, connections and loop. */
export function isLike(a: Series, b: Series): boolean {
  return settingKey(a) === settingKey(b);
}

function settingKey({ section, loop, connections, keys, valueBytes, distribution }: Series): string {
  const rate = loop.kind === 'open' ? loop.ratePerS : 'closed';
  return JSON.stringify([section, rate, connections, keys, valueBytes, distribution]);
}

/** Of so many repetitions on each side, chance alone sets all of one side above all of the other in 2 of 70 cases; of three, in 2 of 20. */
export const APART_REPETITIONS_MIN = 4;

/** Whether all repetitions of one lie above all those of the other; undefined where there are too few to make anything of it. */
export function isApart(a: Measured, b: Measured): boolean | undefined {
  if (Math.min(a.repetitions.length, b.repetitions.length) < APART_REPETITIONS_MIN) return undefined;
  return a.spread.minPerS > b.spread.maxPerS || a.spread.maxPerS < b.spread.minPerS;
}

type Measured = Pick<Series, 'repetitions' | 'spread'>;

/** How many times the throughput of another. */
export interface Ratio {
  readonly median: number;
  /** Of one's slowest repetition to the other's fastest, and the other way round: Infinity where the other's slowest did nothing. */
  readonly least: number;
  readonly most: number;
}

/** Undefined where the other did nothing. */
export function ratioOf(one: Series, other: Series): Ratio | undefined {
  if (other.median.operationsPerS === 0) return undefined;
  return {
    median: one.median.operationsPerS / other.median.operationsPerS,
    least: one.spread.minPerS / other.spread.maxPerS,
    most: one.spread.maxPerS / other.spread.minPerS,
  };
}

/** Of one target and one workload: what differs in nothing but a setting is one line in a chart. */
export function lineKey({ target, workload }: Series): string {
  return JSON.stringify([target, workload]);
}

export type NonEmpty<T> = readonly [T, ...T[]];

/** In the order of their first members. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, NonEmpty<T>> {
  const groups = new Map<K, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
