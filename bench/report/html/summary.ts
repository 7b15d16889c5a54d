/** Every store of the main comparison beside the others. */
import type { Series } from '../bench-report.ts';
import { failedOf, inSection, isDurable, targetOf } from '../comparison.ts';
import { SECTION_TITLES } from '../sections.ts';
import { sharedSettings } from '../series-columns.ts';
import { capital, milliseconds, perSecond, plural } from '../units.ts';
import { type BarRow, barChart } from './bar-chart.ts';
import { type Context, type Group, groupsOf, lookOf } from './context.ts';
import { chapter, figure } from './figure.ts';
import type { Markup } from './html.ts';
import { seriesTable } from './series-table.ts';

const DURABILITIES = [
  { isSafe: true, title: 'on disk before it is acknowledged' },
  { isSafe: false, title: 'acknowledged before it is on disk' },
  { isSafe: undefined, title: 'of a store that does not say whether it is on disk' },
] as const;

/** Every target of the main comparison, fastest first. */
export function mainChapter(context: Context): Markup | undefined {
  const main = inSection(context.report, 'main');
  if (main.length === 0) return undefined;
  const chart = barChart({
    title: 'Throughput and p99 latency of every store, by kind of request. The figures are in the table below.',
    columns: [
      { label: 'Operations a second', note: 'longer is better; whiskers: slowest and fastest repetition' },
      { label: 'p99 latency', note: 'shorter is better' },
    ],
    groups: groupsOf(main)
      .flatMap((group) => byDurability(context, group))
      .map(({ title, series }) => ({
        title,
        rows: [...series]
          .sort((a, b) => b.median.operationsPerS - a.median.operationsPerS)
          .map((one) => mainRow(context, one)),
      })),
  });
  return chapter({
    id: 'main',
    title: SECTION_TITLES.main,
    lead: `${capital(sharedSettings(main))}. Hatched writes are acknowledged before they are on disk: a power cut may lose them. Fastest first; the same store has the same colour throughout.`,
    body: [figure('', chart), seriesTable(main)],
  });
}

/** Writes that outlive a power cut and writes that do not are two things, however fast. */
function byDurability({ report }: Context, group: Group): readonly Group[] {
  if (group.kind !== 'write') return [group];
  return DURABILITIES.map(({ title, isSafe }) => ({
    ...group,
    title: `${group.title}, ${title}`,
    series: group.series.filter((one) => isDurable(targetOf(report, one)?.durability ?? '') === isSafe),
  })).filter(({ series }) => series.length > 0);
}

export function mainRow(context: Context, series: Series): BarRow {
  const { median, spread, workload, target, kind } = series;
  const info = targetOf(context.report, series);
  const isWrite = kind === 'write';
  const errors = failedOf(series) === 0 ? '' : `, ${plural(failedOf(series), 'error')}`;
  const title = `${target}, ${workload}: ${perSecond(median.operationsPerS)} (${perSecond(spread.minPerS)} to ${perSecond(spread.maxPerS)}), p99 ${milliseconds(median.p99Ms)}${errors}`;
  return {
    label: target,
    note: `${kind === 'mix' ? '' : workload}${isWrite && info !== undefined ? `: ${info.durability}` : ''}${errors}`,
    look: lookOf(context, series),
    isHatched: isWrite && info !== undefined && isDurable(info.durability) === false,
    bars: [
      {
        value: median.operationsPerS,
        text: perSecond(median.operationsPerS),
        title,
        range: [spread.minPerS, spread.maxPerS],
      },
      { value: median.p99Ms, text: milliseconds(median.p99Ms), title },
    ],
  };
}
