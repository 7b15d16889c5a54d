import { html, type Markup } from './html.ts';
import { drawing } from './plot.ts';

/** A grid of figures, darker where there is more; every cell says its figure, so that colour only guides the eye. */
export interface HeatMap {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  readonly cells: readonly Cell[];
}

export interface Cell {
  /** Indices into rows and columns. */
  readonly row: number;
  readonly column: number;
  readonly value: number;
  readonly text: string;
  readonly note: string;
  readonly title: string;
  /** Framed: the ones that differ from the others in kind. */
  readonly isFramed: boolean;
}

const WIDTH = 118;
const HEIGHT = 66;
const LEFT = 62;
const TOP = 28;
const GAP = 4;
/** Words on a fill above this share of the darkest one are in the colour of paper. */
const DARK_FROM = 0.72;
const LIGHTEST = 0.1;
/** Where the colours start, in parts of the least value: differences matter here, and figures are in every cell. */
const FLOOR_SHARE = 0.7;

export function heatMap({ title, columns, rows, cells }: HeatMap): Markup {
  const width = LEFT + columns.length * WIDTH;
  const values = cells.map(({ value }) => value);
  const [floor, max] = [Math.min(...values) * FLOOR_SHARE, Math.max(...values)];
  const shareOf = (value: number): number =>
    max === floor ? LIGHTEST : LIGHTEST + (1 - LIGHTEST) * ((value - floor) / (max - floor));
  const columnLabels = columns.map(
    (label, i) =>
      html`<text class="label" x="${LEFT + (i + 0.5) * WIDTH}" y="${TOP - 9}" text-anchor="middle">${label}</text>`,
  );
  const rowLabels = rows.map(
    (label, i) =>
      html`<text class="label" x="${LEFT - 12}" y="${TOP + (i + 0.5) * HEIGHT + 4}" text-anchor="end">${label}</text>`,
  );
  return drawing(
    width,
    TOP + rows.length * HEIGHT + 2,
    title,
    columnLabels,
    rowLabels,
    cells.map((cell) => cellMark(cell, shareOf(cell.value))),
  );
}

function cellMark({ row, column, text, note, title, isFramed }: Cell, share: number): Markup {
  const [x, y] = [LEFT + column * WIDTH + GAP / 2, TOP + row * HEIGHT + GAP / 2];
  const [width, height] = [WIDTH - GAP, HEIGHT - GAP];
  const words = share > DARK_FROM ? 'on-dark' : 'on-light';
  const frame = isFramed
    ? html`<rect class="cell-frame ${words}" x="${x + 3}" y="${y + 3}" width="${width - 6}" height="${height - 6}" rx="3"/>`
    : undefined;
  return html`<g class="${words}"><title>${title}</title><rect class="heat" x="${x}" y="${y}" width="${width}" height="${height}" rx="4" fill-opacity="${share}"/>${frame}<text class="cell" x="${x + width / 2}" y="${y + height / 2}" text-anchor="middle">${text}</text><text class="cell-note" x="${x + width / 2}" y="${y + height / 2 + 17}" text-anchor="middle">${note}</text></g>`;
}
