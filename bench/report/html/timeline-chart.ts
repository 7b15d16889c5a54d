import type { TimelineEvent, TimelinePoint } from '../bench-report.ts';
import { milliseconds, perSecond, plural, short } from '../units.ts';
import { html, type Markup } from './html.ts';
import type { Look } from './palette.ts';
import { drawing, PAGE_WIDTH, type Plot, plotOf, spread, textWidth, xAt, xAxis, yAt, yAxis } from './plot.ts';
import { linearScale, logScale, type Scale } from './scale.ts';

export interface Timeline {
  readonly title: string;
  readonly look: Look;
  readonly points: readonly TimelinePoint[];
  readonly events: readonly TimelineEvent[];
}

const RATE_HEIGHT = 170;
const LATENCY_HEIGHT = 170;
const EVENT_LINE = 17;
const MARGIN = { left: 58, right: 84 };

/** Throughput above, latency below, over the same seconds; what happened is written over both. */
export function timelineChart({ title, look, points, events }: Timeline): Markup {
  const head = 10 + events.length * EVENT_LINE;
  const height = head + RATE_HEIGHT + LATENCY_HEIGHT;
  const rates = plotOf(PAGE_WIDTH, head + RATE_HEIGHT, { ...MARGIN, top: head + 32, bottom: 14 });
  const latencies = plotOf(PAGE_WIDTH, height, { ...MARGIN, top: head + RATE_HEIGHT + 24, bottom: 42 });
  const x = { label: 'seconds', scale: linearScale(lastSecond(points, events), short, 12) };
  const rate = { label: 'successful, /s', scale: linearScale(Math.max(...points.map((p) => p.operations)), short, 4) };
  const ms = {
    label: 'latency, ms',
    scale: logScale(
      points.flatMap((p) => [p.p50Ms, p.p99Ms]),
      short,
    ),
  };
  return drawing(
    PAGE_WIDTH,
    height,
    title,
    yAxis(rates, rate),
    yAxis(latencies, ms),
    xAxis(latencies, x),
    area(rates, x.scale, rate.scale, look, points),
    errorMarks(rates, x.scale, points),
    latencyLine(latencies, x.scale, ms.scale, look, points, 'p99'),
    latencyLine(latencies, x.scale, ms.scale, look, points, 'p50'),
    latencyNames(latencies, x.scale, ms.scale, points),
    eventMarks(rates, latencies, x.scale, events),
    pointTitles(rates, latencies, x.scale, points),
  );
}

function lastSecond(points: readonly TimelinePoint[], events: readonly TimelineEvent[]): number {
  return Math.max(1, ...points.map(({ second }) => second), ...events.map(({ second }) => second));
}

function area(plot: Plot, x: Scale, y: Scale, { slot }: Look, points: readonly TimelinePoint[]): Markup {
  const tops = points.map((p) => `${xAt(plot, x, p.second).toFixed(1)} ${yAt(plot, y, p.operations).toFixed(1)}`);
  const [from, to] = [xAt(plot, x, points[0]?.second ?? 0), xAt(plot, x, points.at(-1)?.second ?? 0)];
  return html`<path class="area s${slot}" d="M${from} ${plot.bottom}L${tops.join('L')}L${to} ${plot.bottom}z"/><path class="line s${slot}" d="M${tops.join('L')}"/>`;
}

/** Bars that hang from the top, since their scale is another: how many failed is in their title and in the table. */
function errorMarks(plot: Plot, x: Scale, points: readonly TimelinePoint[]): Markup {
  const failed = points.filter(({ errors }) => errors > 0);
  const most = Math.max(...failed.map(({ errors }) => errors));
  const last = failed.at(-1);
  return html`${failed.map(({ second, errors }) => {
    const long = 4 + (errors / most) * 22;
    return html`<rect class="error" x="${xAt(plot, x, second) - 2}" y="${plot.top}" width="4" height="${long}"/>`;
  })}${last === undefined ? undefined : html`<text class="error-name" x="${xAt(plot, x, last.second) + 6}" y="${plot.top + 11}">errors, up to ${short(most)}/s</text>`}`;
}

type Percentile = 'p50' | 'p99';

const READ: Readonly<Record<Percentile, (point: TimelinePoint) => number>> = {
  p50: ({ p50Ms }) => p50Ms,
  p99: ({ p99Ms }) => p99Ms,
};

/** Seconds in which nothing was answered have no latency: the line is interrupted. */
function latencyLine(
  plot: Plot,
  x: Scale,
  y: Scale,
  { slot }: Look,
  points: readonly TimelinePoint[],
  which: Percentile,
): Markup {
  let isPen = false;
  const steps = points.map((point) => {
    if (point.operations === 0) {
      isPen = false;
      return '';
    }
    const step = `${isPen ? 'L' : 'M'}${xAt(plot, x, point.second).toFixed(1)} ${yAt(plot, y, READ[which](point)).toFixed(1)}`;
    isPen = true;
    return step;
  });
  return html`<path class="line s${slot}${which === 'p50' ? ' thin' : ''}" d="${steps.join('')}"/>`;
}

function latencyNames(plot: Plot, x: Scale, y: Scale, points: readonly TimelinePoint[]): Markup {
  const last = points.findLast(({ operations }) => operations > 0);
  if (last === undefined) return html``;
  const names = (['p99', 'p50'] as const).map((which) => ({ which, y: yAt(plot, y, READ[which](last)) }));
  const places = spread(
    names.map((name) => name.y),
    15,
    plot.top,
    plot.bottom,
  );
  return html`${names.map(({ which }, i) => html`<text class="label" x="${xAt(plot, x, last.second) + 8}" y="${(places[i] ?? 0) + 4}">${which}</text>`)}`;
}

/** One below the other, so that words of events that follow each other closely do not overlap. */
function eventMarks(rates: Plot, latencies: Plot, x: Scale, events: readonly TimelineEvent[]): Markup {
  return html`${events.map(({ second, text }, i) => {
    const [at, y] = [xAt(rates, x, second), 14 + i * EVENT_LINE];
    const words = `${short(second)} s: ${text}`;
    const isLate = at + textWidth(words, true) > PAGE_WIDTH;
    return html`<line class="event" x1="${at}" x2="${at}" y1="${y + 4}" y2="${latencies.bottom}"/><text class="event-name" x="${at + (isLate ? -5 : 5)}" y="${y}" text-anchor="${isLate ? 'end' : 'start'}">${words}</text>`;
  })}`;
}

/** Invisible columns that a pointer finds more easily than a line. */
function pointTitles(rates: Plot, latencies: Plot, x: Scale, points: readonly TimelinePoint[]): Markup {
  const width = (rates.right - rates.left) / Math.max(1, points.length);
  return html`${points.map((point) => {
    const title = `${short(point.second)} s: ${perSecond(point.operations)}, p50 ${milliseconds(point.p50Ms)}, p99 ${milliseconds(point.p99Ms)}, ${plural(point.errors, 'error')}`;
    return html`<rect class="hover" x="${xAt(rates, x, point.second) - width / 2}" y="${rates.top}" width="${width}" height="${latencies.bottom - rates.top}"><title>${title}</title></rect>`;
  })}`;
}
