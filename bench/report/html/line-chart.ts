import { html, type Markup } from './html.ts';
import { type Look, marker } from './palette.ts';
import { type Axis, drawing, type Plot, plotOf, spread, textWidth, xAt, xAxis, yAt, yAxis } from './plot.ts';

export interface LineChart {
  /** Read aloud instead of the drawing. */
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  readonly width?: number;
  readonly height?: number;
}

export interface Line {
  readonly label: string;
  /** Below the label, smaller. */
  readonly note?: string;
  readonly look: Look;
  readonly isDashed?: boolean;
  /** Without, as for percentiles, there are too many points to mark. */
  readonly hasMarkers?: boolean;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Shown by a pointer that rests on it. */
  readonly title: string;
  /** Written beside it. */
  readonly label?: string;
}

const LEFT_MIN = 44;
const LABEL_GAP = 28;
const LEADER_FROM = 5;
const LABEL_WIDTH_MAX = 160;
const POINT_LABEL_WIDTH = 20;
/** Beside a point, for its label: below, where lines that rise do not go. */
const POINT_LABEL = { dx: 7, dy: 13 };

/** Lines with their names at their ends. */
export function lineChart(chart: LineChart): Markup {
  const { width = 405, height = 290, x, y, lines } = chart;
  const words = lines.map(({ label, note }) => Math.max(textWidth(label, true), textWidth(note ?? '')));
  const beyond = beyondPlot(lines);
  const right = beyond + Math.min(LABEL_WIDTH_MAX, 18 + Math.max(0, ...words));
  const left = Math.max(LEFT_MIN, 12 + Math.max(...y.scale.ticks.map((tick) => textWidth(tick.label))));
  const plot = plotOf(width, height, { top: 32, right, bottom: 42, left });
  return drawing(
    width,
    height,
    chart.title,
    yAxis(plot, y),
    xAxis(plot, x),
    lines.map((line) => lineMark(plot, chart, line)),
    endLabels(plot, chart),
  );
}

function lineMark(plot: Plot, { x, y }: LineChart, { look, points, isDashed, hasMarkers }: Line): Markup {
  const at = points.map((point) => ({ ...point, px: xAt(plot, x.scale, point.x), py: yAt(plot, y.scale, point.y) }));
  const path = at.map(({ px, py }, i) => `${i === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`).join('');
  const dash = isDashed === true ? ' dashed' : '';
  const marks = hasMarkers === false ? [] : at.map(({ px, py, title }) => marker(look, px, py, title));
  const labels = at.map(({ px, py, label }) =>
    label === undefined
      ? undefined
      : html`<text class="point" x="${px + POINT_LABEL.dx}" y="${py + POINT_LABEL.dy}">${label}</text>`,
  );
  return html`<path class="line s${look.slot}${dash}" d="${path}"/>${marks}${labels}`;
}

/** Pushed apart where lines end near each other, with a hair from each line to its name. */
function endLabels(plot: Plot, { x, y, lines }: LineChart): Markup {
  const ends = lines.flatMap((line) => {
    const last = line.points.at(-1);
    if (last === undefined) return [];
    return { line, px: xAt(plot, x.scale, last.x), py: yAt(plot, y.scale, last.y) };
  });
  const names = plot.right + 13 + beyondPlot(lines);
  const wanted = ends.map(({ py }) => py);
  const places = spread(wanted, LABEL_GAP, plot.top + 4, plot.bottom - 12);
  return html`${ends.map(({ line, px, py }, i) => {
    const place = places[i] ?? py;
    const isFar = Math.abs(place - py) > LEADER_FROM || plot.right - px > 2 * LEADER_FROM;
    const hair = isFar ? html`<path class="leader" d="M${px + 6} ${py}L${names - 4} ${place}"/>` : undefined;
    const note =
      line.note === undefined ? undefined : html`<text class="note" x="${names}" y="${place + 16}">${line.note}</text>`;
    return html`${hair}<text class="name s${line.look.slot}" x="${names}" y="${place + 4}">${line.label}</text>${note}`;
  })}`;
}

/** Room for the label of a point at the right end. */
function beyondPlot(lines: readonly Line[]): number {
  return lines.some(({ points }) => points.at(-1)?.label !== undefined) ? POINT_LABEL_WIDTH : 0;
}
