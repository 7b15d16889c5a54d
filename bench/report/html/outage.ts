import type { Series } from '../bench-report.ts';
import { failedOf, inSection } from '../comparison.ts';
import { SECTION_TITLES } from '../sections.ts';
import { FIGURES, sharedSettings } from '../series-columns.ts';
import { count, digits, plural } from '../units.ts';
import { type Context, lookOf } from './context.ts';
import { chapter, details, figure, table } from './figure.ts';
import type { Markup } from './html.ts';
import { seriesTable } from './series-table.ts';
import { timelineChart } from './timeline-chart.ts';

/** Second by second, with a node that goes and comes back. */
export function outageChapter(context: Context): Markup | undefined {
  const series = inSection(context.report, 'outage').filter(({ timeline }) => timeline.length > 1);
  if (series.length === 0) return undefined;
  return chapter({
    id: 'outage',
    title: SECTION_TITLES.outage,
    lead: `Second by second, of the last repetition. Errors hang from the top of the upper plot. Here: ${sharedSettings(series)}.`,
    body: [series.map((one) => [timelineFigure(context, one), timelineTable(one)]), seriesTable(series)],
  });
}

function timelineFigure(context: Context, series: Series): Markup {
  const { target, workload, timeline, events } = series;
  const failed = failedOf(series);
  const title = `${target}, ${workload}`;
  const words = events.map(({ second, text }) => `second ${digits(second)}: ${text}`).join('; ');
  return figure(
    `${title}: ${failed === 0 ? 'no request failed' : `${plural(failed, 'request')} failed`}`,
    timelineChart({
      title: `${title}, throughput and latency second by second. ${words}`,
      look: lookOf(context, series),
      points: timeline,
      events,
    }),
  );
}

function timelineTable({ timeline, events, target, workload }: Series): Markup {
  const columns = [
    { title: 'second', cell: (point: Series['timeline'][number]) => digits(point.second) },
    { title: 'operations', cell: (point: Series['timeline'][number]) => count(point.operations) },
    { title: FIGURES.errors.title, cell: (point: Series['timeline'][number]) => count(point.errors) },
    { title: FIGURES.p50.title, cell: (point: Series['timeline'][number]) => digits(point.p50Ms) },
    { title: FIGURES.p99.title, cell: (point: Series['timeline'][number]) => digits(point.p99Ms) },
    {
      title: 'event',
      isText: true,
      cell: ({ second }: Series['timeline'][number]) =>
        events
          .filter((event) => Math.floor(event.second) === Math.floor(second))
          .map(({ text }) => text)
          .join('; '),
    },
  ];
  return details('Second by second', table(`${target}, ${workload}`, columns, timeline));
}
