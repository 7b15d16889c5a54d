/** The frame that charts are drawn in: pixels, axes, grid and words. */
import { html, type Markup, type Part } from './html.ts';
import type { Scale, Tick } from './scale.ts';

export interface Axis {
  /** What it counts, with its unit. */
  readonly label: string;
  readonly scale: Scale;
}

export interface Margin {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/** The inner rectangle, in the pixels of the drawing. */
export interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Of the sans serifs that labels are set in, on average: 12 pixels, and 13 pixels bold. */
const CHARACTER_WIDTH = 6.6;
const BOLD_WIDTH = 8.4;
/** What is wider than this is not shrunk to the width of a small screen, but moved sideways. */
const WIDE_FROM = 800;
/** Of drawings across the whole page. */
export const PAGE_WIDTH = 1272;

export function plotOf(width: number, height: number, margin: Margin): Plot {
  return { left: margin.left, right: width - margin.right, top: margin.top, bottom: height - margin.bottom };
}

export const xAt = (plot: Plot, scale: Scale, value: number): number =>
  plot.left + scale.at(value) * (plot.right - plot.left);

export const yAt = (plot: Plot, scale: Scale, value: number): number =>
  plot.bottom - scale.at(value) * (plot.bottom - plot.top);

/** A drawing that keeps its proportions; `title` is read aloud instead of it. */
export function drawing(width: number, height: number, title: string, ...parts: readonly Part[]): Markup {
  const size = width > WIDE_FROM ? 'wide' : '';
  return html`<svg class="${size}" viewBox="0 0 ${width} ${height}" style="--w:${width}px" role="img" aria-label="${title}">${parts}</svg>`;
}

/** Ticks below, their grid, and what they count at the right end. */
export function xAxis(plot: Plot, { label, scale }: Axis): Markup {
  const room = scale.ticks.map((tick) => ({ tick, x: xAt(plot, scale, tick.value) }));
  return html`<g class="axis">${spaced(room).map(
    ({ tick, x }) =>
      html`<line class="grid" x1="${x}" x2="${x}" y1="${plot.top}" y2="${plot.bottom}"/><text x="${x}" y="${plot.bottom + 16}" text-anchor="middle">${tick.label}</text>`,
  )}<text class="unit" x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 33}" text-anchor="middle">${label}</text></g>`;
}

/** Ticks to the left, their grid, and what they count above. */
export function yAxis(plot: Plot, { label, scale }: Axis): Markup {
  return html`<g class="axis">${scale.ticks.map(({ value, label: text }) => {
    const y = yAt(plot, scale, value);
    return html`<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y}" y2="${y}"/><text x="${plot.left - 7}" y="${y + 4}" text-anchor="end">${text}</text>`;
  })}<text class="unit" x="0" y="${plot.top - 12}">${label}</text></g>`;
}

export function textWidth(text: string, isBold = false): number {
  return text.length * (isBold ? BOLD_WIDTH : CHARACTER_WIDTH);
}

/** At least `gap` apart and within [min, max] as far as there is room; in the order of the input. */
export function spread(wanted: readonly number[], gap: number, min: number, max: number): readonly number[] {
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y);
  const placed: number[] = [];
  for (const { y } of order) placed.push(Math.max(y, (placed.at(-1) ?? min - gap) + gap));
  for (let i = placed.length - 1; i >= 0; i--) {
    const limit = i === placed.length - 1 ? max : (placed[i + 1] ?? max) - gap;
    placed[i] = Math.min(placed[i] ?? max, limit);
  }
  const result: number[] = new Array(wanted.length).fill(0);
  for (const [rank, { i }] of order.entries()) result[i] = placed[rank] ?? 0;
  return result;
}

/** Without the ticks whose labels would run into the one before. */
function spaced(room: readonly { readonly tick: Tick; readonly x: number }[]): typeof room {
  const kept: { readonly tick: Tick; readonly x: number }[] = [];
  for (const one of room) {
    const last = kept.at(-1);
    const needed = last === undefined ? 0 : (textWidth(last.tick.label) + textWidth(one.tick.label)) / 2 + 6;
    if (last === undefined || one.x - last.x >= needed) kept.push(one);
  }
  return kept;
}
