/** How throughput changes with one setting: connections, nodes, value size, number of keys. */
import type { Section, Series } from '../bench-report.ts';
import { groupBy, inSection, lineKey, type NonEmpty, targetOf } from '../comparison.ts';
import { SECTION_TITLES } from '../sections.ts';
import { sharedSettings } from '../series-columns.ts';
import { count, milliseconds, perSecond, short, size } from '../units.ts';
import { type Context, type Group, groupsOf, lookOf } from './context.ts';
import { chapter, figure, panels } from './figure.ts';
import type { Markup } from './html.ts';
import { type Line, lineChart } from './line-chart.ts';
import { linearScale, settingScale } from './scale.ts';
import { seriesTable } from './series-table.ts';

interface Sweep {
  readonly section: Section;
  readonly lead: string;
  readonly axis: string;
  read(series: Series): number;
  label(value: number): string;
}

const SWEEPS: readonly Sweep[] = [
  {
    section: 'connections',
    lead: 'More connections keep more requests under way, until the machine is full.',
    axis: 'connections',
    read: ({ connections }) => connections,
    label: count,
  },
  {
    section: 'nodes',
    lead: 'All nodes share the processors of one machine here, so this shows what coordination costs rather than what more machines give.',
    axis: 'nodes',
    read: ({ nodes }) => nodes,
    label: count,
  },
  {
    section: 'values',
    lead: 'A store that is linear in size moves the same bytes a second however they are cut: then operations halve where the size doubles.',
    axis: 'bytes of a value',
    read: ({ valueBytes }) => valueBytes,
    label: size,
  },
  {
    section: 'keys',
    lead: 'The same load on more and more data.',
    axis: 'keys',
    read: ({ keys }) => keys,
    label: short,
  },
];

export function sweepChapters(context: Context): readonly Markup[] {
  return SWEEPS.flatMap((sweep) => {
    const series = inSection(context.report, sweep.section);
    return series.length === 0 ? [] : [sweepChapter(context, sweep, series)];
  });
}

function sweepChapter(context: Context, sweep: Sweep, series: readonly Series[]): Markup {
  const groups = groupsOf(series);
  const charts = groups.map((group) => figure(group.title, rateChart(context, sweep, group)));
  const bytes =
    sweep.section === 'values' ? groups.map((group) => figure(group.title, bytesChart(context, sweep, group))) : [];
  return chapter({
    id: sweep.section,
    title: SECTION_TITLES[sweep.section],
    lead: `${sweep.lead} Here: ${sharedSettings(series)}.`,
    body: [panels(charts), bytes.length === 0 ? undefined : panels(bytes), seriesTable(series)],
  });
}

function rateChart(context: Context, sweep: Sweep, { title, series }: Group): Markup {
  return lineChart({
    title: `${title}: operations a second by ${sweep.axis}`,
    x: { label: sweep.axis, scale: settingScale(series.map(sweep.read), sweep.label) },
    y: {
      label: 'operations a second',
      scale: linearScale(Math.max(...series.map(({ median }) => median.operationsPerS)), short),
    },
    lines: sweepLines(context, sweep, series, ({ median }) => median.operationsPerS),
  });
}

const megabytesPerS = ({ median, valueBytes }: Series): number => (median.operationsPerS * valueBytes) / 1e6;

function bytesChart(context: Context, sweep: Sweep, { title, series }: Group): Markup {
  return lineChart({
    title: `${title}: megabytes a second by ${sweep.axis}`,
    x: { label: sweep.axis, scale: settingScale(series.map(sweep.read), sweep.label) },
    y: { label: 'megabytes a second', scale: linearScale(Math.max(...series.map(megabytesPerS)), short) },
    lines: sweepLines(context, sweep, series, megabytesPerS),
  });
}

function sweepLines(
  context: Context,
  sweep: Sweep,
  series: readonly Series[],
  read: (series: Series) => number,
): readonly Line[] {
  return linesOf(context, sweep, series).map(({ label, note, of }) => ({
    label,
    note,
    look: lookOf(context, firstListed(context, of)),
    points: [...of]
      .sort((a, b) => sweep.read(a) - sweep.read(b))
      .map((one) => ({
        x: sweep.read(one),
        y: read(one),
        title: pointTitle(one, `${sweep.axis}: ${sweep.label(sweep.read(one))}`),
      })),
  }));
}

/** So that a line of clusters of several sizes has the colour that its store has elsewhere. */
function firstListed({ report }: Context, of: NonEmpty<Series>): Series {
  const names = report.targets.map(({ name }) => name);
  return of.reduce((a, b) => (names.indexOf(b.target) < names.indexOf(a.target) ? b : a));
}

interface Named {
  readonly label: string;
  readonly note: string;
  readonly of: NonEmpty<Series>;
}

/** A cluster of another size is another target: there, a line is a store, and its workloads are apart only where two have the same size. */
function linesOf({ report }: Context, sweep: Sweep, series: readonly Series[]): readonly Named[] {
  const byTarget = groupBy(series, lineKey);
  if (sweep.section !== 'nodes') return [...byTarget.values()].map((of) => named(of, of[0].target));
  const storeOf = (one: Series): string => targetOf(report, one)?.store ?? one.target;
  const durability = (one: Series): string => targetOf(report, one)?.durability ?? '';
  const byStore = groupBy(series, (one) => JSON.stringify([storeOf(one), durability(one)]));
  return [...byStore.values()].flatMap((of) => {
    const isSingle = new Set(of.map(sweep.read)).size === of.length;
    const parts = isSingle ? [of] : [...groupBy(of, ({ workload }) => workload).values()];
    return parts.map((part) => named(part, storeOf(part[0])));
  });
}

function named(of: NonEmpty<Series>, label: string): Named {
  return { label, note: [...new Set(of.map(({ workload }) => workload))].join(', '), of };
}

function pointTitle({ target, workload, median }: Series, place: string): string {
  return `${target}, ${workload}, ${place}: ${perSecond(median.operationsPerS)}, p99 ${milliseconds(median.p99Ms)}`;
}
