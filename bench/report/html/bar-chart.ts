import { html, type Markup } from './html.ts';
import { hatchId, type Look } from './palette.ts';
import { drawing, PAGE_WIDTH, plotOf, xAt } from './plot.ts';
import type { Scale } from './scale.ts';

/** Groups of horizontal bars, each row with a bar in every column: all bars of a column share one scale, which starts at nought. */
export interface BarChart {
  readonly title: string;
  readonly columns: readonly BarColumn[];
  readonly groups: readonly BarGroup[];
  readonly width?: number;
}

export interface BarColumn {
  readonly label: string;
  /** Which way is better: "more is better". */
  readonly note: string;
}

export interface BarGroup {
  readonly title: string;
  readonly rows: readonly BarRow[];
}

export interface BarRow {
  readonly label: string;
  readonly note: string;
  readonly look: Look;
  /** Hatched: what it counts is not what the others count. */
  readonly isHatched: boolean;
  /** One for each column. */
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly value: number;
  readonly text: string;
  readonly title: string;
  /** Slowest and fastest repetition. */
  readonly range?: readonly [number, number];
}

const ROW = 40;
const GROUP_HEAD = 40;
const HEAD = 40;
const LABELS = 285;
const GAP = 34;
const NOTE_LENGTH_MAX = 48;
const BAR_HEIGHT = 20;
/** Beyond the longest bar, for its figure. */
const FIGURE = 92;
/** The first column is the one to compare by. */
const FIRST_SHARE = 0.62;

export function barChart({ title, columns, groups, width = PAGE_WIDTH }: BarChart): Markup {
  const height = HEAD + groups.reduce((sum, { rows }) => sum + GROUP_HEAD + rows.length * ROW, 0) + 4;
  const rows = groups.flatMap((group) => group.rows);
  const tracks = trackOf(columns.length, width);
  const scales = columns.map((_, i) =>
    fromNought(Math.max(...rows.flatMap(({ bars }) => [bars[i]?.value ?? 0, ...(bars[i]?.range ?? [])]))),
  );
  let y = HEAD;
  const drawn = groups.map((group) => {
    const top = y;
    y += GROUP_HEAD + group.rows.length * ROW;
    return groupMark(group, top, width, (row, at) => rowMark(row, at, tracks, scales));
  });
  const heads = columns.map(
    ({ label, note }, i) =>
      html`<text class="head" x="${tracks[i]?.left ?? 0}" y="16">${label} <tspan class="note">${note}</tspan></text>`,
  );
  return drawing(width, height, title, heads, drawn);
}

interface Track {
  readonly left: number;
  readonly right: number;
}

function trackOf(columns: number, width: number): readonly Track[] {
  const room = width - LABELS;
  if (columns === 1) return [{ left: LABELS, right: width - FIGURE }];
  const first = LABELS + room * FIRST_SHARE;
  const others = (width - first) / (columns - 1);
  return Array.from({ length: columns }, (_, i) =>
    i === 0
      ? { left: LABELS, right: first - GAP - FIGURE }
      : { left: first + (i - 1) * others, right: first + i * others - FIGURE },
  );
}

function groupMark(
  { title, rows }: BarGroup,
  top: number,
  width: number,
  draw: (row: BarRow, y: number) => Markup,
): Markup {
  return html`<line class="rule" x1="0" x2="${width}" y1="${top}" y2="${top}"/><text class="group" x="0" y="${top + 25}">${title}</text>${rows.map((row, i) => draw(row, top + GROUP_HEAD + i * ROW))}`;
}

/** Bars say their figures, so that they need no ticks. */
function fromNought(max: number): Scale {
  return { at: (value) => (max === 0 ? 0 : value / max), ticks: [] };
}

function rowMark(row: BarRow, y: number, tracks: readonly Track[], scales: readonly Scale[]): Markup {
  const bars = row.bars.map((bar, i) => {
    const [track, scale] = [tracks[i], scales[i]];
    return track === undefined || scale === undefined ? undefined : barMark(row, bar, y, track, scale);
  });
  return html`<text class="label" x="0" y="${row.note === '' ? y + 15 : y + 11}">${row.label}</text><text class="note" x="0" y="${y + 26}">${shortened(row.note)}</text>${bars}`;
}

function barMark(
  { look, isHatched }: BarRow,
  { value, text, title, range }: Bar,
  y: number,
  track: Track,
  scale: Scale,
): Markup {
  const plot = plotOf(track.right, 0, { left: track.left, right: 0, top: 0, bottom: 0 });
  const end = xAt(plot, scale, value);
  const style = isHatched ? html` style="fill:url(#${hatchId(look)})"` : undefined;
  const middle = y + BAR_HEIGHT / 2;
  const ends = range?.map((bound) => xAt(plot, scale, bound));
  const whisker =
    ends === undefined || ends[0] === ends[1]
      ? undefined
      : html`<path class="whisker" d="M${ends[0]} ${middle - 4}v8M${ends[0]} ${middle}H${ends[1]}M${ends[1]} ${middle - 4}v8"/>`;
  const figure = Math.max(end, ends?.[1] ?? 0) + 8;
  return html`<g><title>${title}</title><rect class="bar s${look.slot}"${style} x="${track.left}" y="${y}" width="${Math.max(end - track.left, 1)}" height="${BAR_HEIGHT}" rx="2"/>${whisker}<text class="figure" x="${figure}" y="${middle + 5}">${text}</text></g>`;
}

function shortened(note: string): string {
  return note.length > NOTE_LENGTH_MAX ? `${note.slice(0, NOTE_LENGTH_MAX - 1)}…` : note;
}
