/** How long requests take: against throughput, by percentile, and at fixed rates. */
import type { Series } from '../bench-report.ts';
import { groupBy, inSection, lineKey, type NonEmpty } from '../comparison.ts';
import { TIMER_NOTE } from '../method.ts';
import { SECTION_TITLES } from '../sections.ts';
import { sharedSettings } from '../series-columns.ts';
import { count, milliseconds, perSecond, plural, short } from '../units.ts';
import { type Context, type Group, groupsOf, lookOf } from './context.ts';
import { chapter, figure, panels } from './figure.ts';
import type { Markup } from './html.ts';
import { type Line, lineChart } from './line-chart.ts';
import { linearScale, logScale, ninesScale } from './scale.ts';
import { seriesTable } from './series-table.ts';

/** Beyond this percentile there are too few requests in a run to speak of. */
const PERCENTILE_MAX = 99.999;

/** Of the sweep over connections: each point is one number of connections. */
export function tradeChapter(context: Context): Markup | undefined {
  const series = inSection(context.report, 'connections');
  const groups = groupsOf(series);
  if (groups.length === 0) return undefined;
  return chapter({
    id: 'trade',
    title: 'Throughput against latency',
    lead: `Each point is a number of connections, written beside it: further right is more work done, further down is less waiting. A line that turns upward has reached what it can do. Here: ${sharedSettings(series)}.`,
    body: [panels(groups.map((group) => figure(group.title, tradeChart(context, group))))],
  });
}

function tradeChart(context: Context, { title, series }: Group): Markup {
  const lines = [...groupBy(series, lineKey).values()].map((of): Line => {
    const points = [...of].sort((a, b) => a.connections - b.connections);
    return {
      label: of[0].target,
      note: of[0].workload,
      look: lookOf(context, of[0]),
      points: points.map((one) => ({
        x: one.median.operationsPerS,
        y: one.median.p99Ms,
        title: `${one.target}, ${one.workload}, ${plural(one.connections, 'connection')}: ${perSecond(one.median.operationsPerS)}, p99 ${milliseconds(one.median.p99Ms)}`,
        label: count(one.connections),
      })),
    };
  });
  return lineChart({
    title: `${title}: p99 latency against operations a second, by number of connections`,
    x: {
      label: 'operations a second',
      scale: linearScale(Math.max(...series.map((one) => one.median.operationsPerS)), short),
    },
    y: {
      label: 'p99, ms',
      scale: logScale(
        series.map((one) => one.median.p99Ms),
        short,
      ),
    },
    lines,
  });
}

/** Of the main comparison. */
export function percentileChapter(context: Context): Markup | undefined {
  const series = inSection(context.report, 'main').filter(({ percentiles }) => percentiles.length > 1);
  const groups = groupsOf(series);
  if (groups.length === 0) return undefined;
  return chapter({
    id: 'percentiles',
    title: 'Latency by percentile',
    lead: `Of all repetitions together; each step to the right is a further nine. These are closed loops: a connection waits for its answer before it asks again, so a slow moment holds back the very requests that would have felt it. The open loop below has no such blind spot. Here: ${sharedSettings(series)}.`,
    body: [
      panels(
        groups.map((group) =>
          figure(
            group.title,
            percentileChart(context, group, ({ workload }) => workload),
          ),
        ),
      ),
    ],
  });
}

function percentileChart(context: Context, { title, series }: Group, noteOf: (series: Series) => string): Markup {
  const lines = series.map(
    (one): Line => ({
      label: one.target,
      note: noteOf(one),
      look: lookOf(context, one),
      hasMarkers: false,
      points: one.percentiles
        .filter(([percentile]) => percentile <= PERCENTILE_MAX)
        .map(([x, y]) => ({ x, y, title: '' })),
    }),
  );
  return lineChart({
    title: `${title}: latency by percentile`,
    x: { label: 'percentile of requests', scale: ninesScale() },
    y: {
      label: 'latency, ms',
      scale: logScale(
        lines.flatMap(({ points }) => points.map(({ y }) => y)),
        short,
      ),
    },
    lines,
  });
}

export function openLoopChapter(context: Context): Markup | undefined {
  const series = inSection(context.report, 'open-loop');
  const groups = groupsOf(series);
  if (groups.length === 0) return undefined;
  const curves = groups
    .filter((group) => group.series.some(({ percentiles }) => percentiles.length > 1))
    .map((group) => figure(group.title, percentileChart(context, group, rateNote)));
  const sweeps = groups
    .filter((group) => [...groupBy(group.series, lineKey).values()].some((of) => of.length > 1))
    .map((group) => figure(group.title, rateChart(context, group)));
  return chapter({
    id: 'open-loop',
    title: SECTION_TITLES['open-loop'],
    lead: `Requests start when their time has come, whether or not earlier ones were answered, and latency counts from that time: what users feel who do not wait for each other. ${TIMER_NOTE} Here: ${sharedSettings(series)}.`,
    body: [panels(curves), sweeps.length === 0 ? undefined : panels(sweeps), seriesTable(series)],
  });
}

function rateChart(context: Context, { title, series }: Group): Markup {
  const lines = [...groupBy(series, lineKey).values()].map((of) => rateLine(context, of));
  return lineChart({
    title: `${title}: p99.9 latency by offered rate`,
    x: { label: 'offered, requests a second', scale: linearScale(Math.max(...series.map(offered)), short) },
    y: {
      label: 'p99.9, ms',
      scale: logScale(
        series.map(({ median }) => median.p999Ms),
        short,
      ),
    },
    lines,
  });
}

function rateLine(context: Context, of: NonEmpty<Series>): Line {
  return {
    label: of[0].target,
    note: of[0].workload,
    look: lookOf(context, of[0]),
    points: [...of]
      .sort((a, b) => offered(a) - offered(b))
      .map((one) => ({
        x: offered(one),
        y: one.median.p999Ms,
        title: `${one.target}, ${rateNote(one)}: ${perSecond(one.median.operationsPerS)} done, p99.9 ${milliseconds(one.median.p999Ms)}`,
      })),
  };
}

function offered({ loop, median }: Series): number {
  return loop.kind === 'open' ? loop.ratePerS : median.operationsPerS;
}

function rateNote(series: Series): string {
  return `${series.workload} at ${perSecond(offered(series))}`;
}
