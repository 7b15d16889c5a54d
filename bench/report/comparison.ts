/** What is fair to hold against what: kinds of promise that several stores make, each in its own words. */
import type { BenchReport, Sample, Section, Series, TargetInfo } from './bench-report.ts';

/**
 * - write: acknowledged by as many as the store asks by itself, or the request asked for
 * - agreed-read: sees what was acknowledged before it (r and w that overlap, linearizable, consistent; Consul's default up to its lease)
 * - local-read: answered by one copy, which may be behind (r=1, serializable, stale; a primary alone)
 */
export type Kind = 'write' | 'agreed-read' | 'local-read';

export const KINDS: readonly Kind[] = ['write', 'agreed-read', 'local-read'];

export const KIND_TITLES: Readonly<Record<Kind, string>> = {
  write: 'Write',
  'agreed-read': 'Read that sees every acknowledged write',
  'local-read': 'Read of one copy, which may be behind',
};

/** Undefined for mixes. */
export function kindOf({ workload, r: asked }: Pick<Series, 'workload' | 'r'>): Kind | undefined {
  const r = asked ?? readQuorumIn(workload);
  if (/^(put|set)\b/i.test(workload)) return 'write';
  if (/\b(linearizable|consistent|default|primary)\b/i.test(workload) || (r ?? 1) > 1) return 'agreed-read';
  if (r === 1 || /^get\b|\b(serializable|stale)\b/i.test(workload)) return 'local-read';
  return undefined;
}

/** "GET r=2" is 2. */
function readQuorumIn(workload: string): number | undefined {
  const digits = /\br=(\d+)/.exec(workload)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

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

/** Requests that failed, of all repetitions: a median would hide them. */
export function errorsOf({ repetitions }: Pick<Series, 'repetitions'>): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { errors } of repetitions) {
    for (const [what, failed] of Object.entries(errors)) {
      if (failed > 0) sums.set(what, (sums.get(what) ?? 0) + failed);
    }
  }
  return sums;
}

export function failedOf(series: Pick<Series, 'repetitions'>): number {
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
