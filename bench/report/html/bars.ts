/** Sections in which names are compared rather than sizes: mixes and durabilities. */
import type { Section } from '../bench-report.ts';
import { inSection } from '../comparison.ts';
import { SECTION_TITLES } from '../sections.ts';
import { sharedSettings } from '../series-columns.ts';
import { barChart } from './bar-chart.ts';
import { type Context, groupsOf } from './context.ts';
import { chapter, figure } from './figure.ts';
import type { Markup } from './html.ts';
import { seriesTable } from './series-table.ts';
import { mainRow } from './summary.ts';

interface Bars {
  readonly section: Section;
  readonly lead: string;
}

const YCSB: Bars = {
  section: 'ycsb',
  lead: 'After the Yahoo! Cloud Serving Benchmark: A is half reads and half updates, B 95 % reads, C reads alone, D 95 % reads of what was inserted last, F half reads and half read-modify-writes.',
};

const DURABILITY: Bars = {
  section: 'durability',
  lead: 'The same writes, acknowledged when they are on disk, or (hatched) when the operating system has them: those outlive the process, but not a power cut.',
};

export const ycsbChapter = (context: Context): Markup | undefined => barsChapter(context, YCSB);

export const durabilityChapter = (context: Context): Markup | undefined => barsChapter(context, DURABILITY);

function barsChapter(context: Context, { section, lead }: Bars): Markup | undefined {
  const title = SECTION_TITLES[section];
  const series = inSection(context.report, section);
  if (series.length === 0) return undefined;
  const chart = barChart({
    title: `${title}: throughput and p99 latency. The figures are in the table below.`,
    columns: [
      { label: 'Operations a second', note: 'longer is better; whiskers: slowest and fastest repetition' },
      { label: 'p99 latency', note: 'shorter is better' },
    ],
    groups: groupsOf(series).map((group) => ({
      title: group.title,
      rows: group.series.map((one) => mainRow(context, one)),
    })),
  });
  return chapter({
    id: section,
    title,
    lead: `${lead} Here: ${sharedSettings(series)}.`,
    body: [figure('', chart), seriesTable(series)],
  });
}
