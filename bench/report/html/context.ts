import type { BenchReport, Series, SeriesKind } from '../bench-report.ts';
import { groupBy, inSection, KIND_TITLES, KINDS } from '../comparison.ts';
import { type Look, looksOf } from './palette.ts';

/** What every chapter is drawn from. */
export interface Context {
  readonly report: BenchReport;
  readonly looks: ReadonlyMap<string, Look>;
}

const NO_LOOK: Look = { slot: 7 };

/** Targets of the main comparison choose their colours first. */
export function contextOf(report: BenchReport): Context {
  const main = new Set(inSection(report, 'main').map(({ target }) => target));
  const first = report.targets.filter(({ name }) => main.has(name));
  const others = report.targets.filter(({ name }) => !main.has(name));
  return { report, looks: looksOf([...first, ...others]) };
}

export function lookOf({ looks }: Context, series: Series): Look {
  return looks.get(series.target) ?? NO_LOOK;
}

export interface Group {
  readonly kind: SeriesKind;
  readonly title: string;
  readonly series: readonly Series[];
}

/** Things that can be held against each other: kinds of promise first, in their order; then each mix by its name. */
export function groupsOf(series: readonly Series[]): readonly Group[] {
  const simple = KINDS.map((kind) => ({
    kind,
    title: KIND_TITLES[kind],
    series: series.filter((one) => one.kind === kind),
  }));
  const mixes = groupBy(
    series.filter((one) => one.kind === 'mix'),
    ({ workload }) => workload,
  );
  const mixed = [...mixes].map(([title, of]) => ({ kind: 'mix' as const, title, series: of }));
  return [...simple, ...mixed].filter((group) => group.series.length > 0);
}
