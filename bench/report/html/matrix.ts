/** Every r and w: what a request pays for asking more copies. */
import type { Series } from '../bench-report.ts';
import { groupBy, inSection, lineKey, type NonEmpty, targetOf } from '../comparison.ts';
import { SECTION_TITLES } from '../sections.ts';
import { sharedSettings } from '../series-columns.ts';
import { milliseconds, perSecond, short } from '../units.ts';
import type { Context } from './context.ts';
import { chapter, figure, panels } from './figure.ts';
import { type Cell, heatMap } from './heat-map.ts';
import type { Markup } from './html.ts';
import { seriesTable } from './series-table.ts';

export function matrixChapter({ report }: Context): Markup | undefined {
  const series = inSection(report, 'matrix').filter(({ r, w }) => r !== undefined || w !== undefined);
  if (series.length === 0) return undefined;
  const isMany = new Set(series.map(({ target }) => target)).size > 1;
  const groups = groupBy(series, (one) => JSON.stringify([lineKey(one), shapeOf(one)]));
  const maps = [...groups.values()].map((of) => {
    const title = [...(isMany ? [of[0].target] : []), `${of[0].workload}, operations a second`].join(': ');
    const copies = Math.max(...of.map(({ r, w }) => Math.max(r ?? 0, w ?? 0)));
    return figure(title, matrixMap(title, of, copiesOf(targetOf(report, of[0])?.nodes, copies)));
  });
  return chapter({
    id: 'matrix',
    title: SECTION_TITLES.matrix,
    lead: `How many copies must answer a read (r) and acknowledge a write (w). Framed cells have r + w > n: such reads see every write that was acknowledged before them. Here: ${sharedSettings(series)}.`,
    body: [panels(maps), seriesTable(series)],
  });
}

/** The matrix goes up to n in both; with one node there is one copy. */
function copiesOf(nodes: number | undefined, most: number): number {
  return Math.min(nodes ?? most, most);
}

/** "rw" for mixes that have both. */
function shapeOf({ r, w }: Series): string {
  return `${r === undefined ? '' : 'r'}${w === undefined ? '' : 'w'}`;
}

function matrixMap(title: string, series: NonEmpty<Series>, copies: number): Markup {
  const reads = distinct(series.map(({ r }) => r));
  const writes = distinct(series.map(({ w }) => w));
  const hasReads = reads.length > 0;
  const rows = hasReads && writes.length > 0 ? writes : [];
  const columns = hasReads ? reads : writes;
  const cells = series.map((one): Cell => {
    const { r, w, median, workload } = one;
    const isFramed = r !== undefined && w !== undefined && r + w > copies;
    return {
      row: rows.length === 0 ? 0 : rows.indexOf(w ?? 0),
      column: columns.indexOf((hasReads ? r : w) ?? 0),
      value: median.operationsPerS,
      text: short(median.operationsPerS),
      note: `p99 ${milliseconds(median.p99Ms)}`,
      title: `${workload}, ${shapeText(one)}: ${perSecond(median.operationsPerS)}, p99 ${milliseconds(median.p99Ms)}${isFramed ? ', quorums overlap' : ''}`,
      isFramed,
    };
  });
  return heatMap({
    title,
    columns: columns.map((value) => `${hasReads ? 'r' : 'w'} = ${value}`),
    rows: rows.length === 0 ? [''] : rows.map((value) => `w = ${value}`),
    cells,
  });
}

function shapeText({ r, w }: Series): string {
  return [...(r === undefined ? [] : [`r=${r}`]), ...(w === undefined ? [] : [`w=${w}`])].join(' ');
}

function distinct(values: readonly (number | undefined)[]): readonly number[] {
  return [...new Set(values.filter((value) => value !== undefined))].sort((a, b) => a - b);
}
