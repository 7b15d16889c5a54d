/** The figures of series, as both the terminal and the page show them. */
import type { Loop, Series, SeriesKind } from './bench-report.ts';
import { errorsOf } from './comparison.ts';
import { count, digits, NOT_MEASURED, perSecond, plural, size } from './units.ts';

export interface SeriesColumn {
  readonly title: string;
  readonly isText: boolean;
  cell(series: Series): string;
}

const figure = (title: string, cell: (series: Series) => string): SeriesColumn => ({ title, isText: false, cell });
const words = (title: string, cell: (series: Series) => string): SeriesColumn => ({ title, isText: true, cell });

interface Setting extends SeriesColumn {
  /** In a sentence, where all series share it. */
  phrase(series: Series): string;
}

const SETTINGS: readonly Setting[] = [
  { ...words('loop', ({ loop }) => loopText(loop)), phrase: ({ loop }) => loopText(loop) },
  {
    ...figure('connections', ({ connections }) => count(connections)),
    phrase: ({ connections }) => plural(connections, 'connection'),
  },
  { ...figure('nodes', ({ nodes }) => count(nodes)), phrase: ({ nodes }) => plural(nodes, 'node') },
  { ...figure('keys', ({ keys }) => count(keys)), phrase: ({ keys }) => plural(keys, 'key') },
  {
    ...figure('value', ({ valueBytes }) => size(valueBytes)),
    phrase: ({ valueBytes }) => `values of ${size(valueBytes)}`,
  },
  {
    ...words('distribution', ({ distribution }) => distribution),
    phrase: ({ distribution }) => `${distribution} keys`,
  },
  { ...figure('r', ({ r, kind }) => quorumText(r, kind)), phrase: ({ r }) => `r=${r}` },
  { ...figure('w', ({ w, kind }) => quorumText(w, kind)), phrase: ({ w }) => `w=${w}` },
];

/** What was found. */
export const FIGURES = {
  rate: figure('ops/s', ({ median }) => count(median.operationsPerS)),
  spread: figure('min–max', ({ spread }) => `${count(spread.minPerS)}–${count(spread.maxPerS)}`),
  p50: figure('p50 ms', ({ median }) => digits(median.p50Ms)),
  p90: figure('p90 ms', ({ median }) => digits(median.p90Ms)),
  p99: figure('p99 ms', ({ median }) => digits(median.p99Ms)),
  p999: figure('p99.9 ms', ({ median }) => digits(median.p999Ms)),
  max: figure('max ms', ({ median }) => digits(median.maxMs)),
  serverCpu: figure('server µs/op', ({ median: { serverCpuUs } }) =>
    serverCpuUs === undefined ? NOT_MEASURED : digits(serverCpuUs),
  ),
  clientCpu: figure('client µs/op', ({ median }) => digits(median.clientCpuUs)),
  errors: figure('errors', errorsText),
} as const;

export const TARGET: SeriesColumn = words('target', ({ target }) => target);
export const WORKLOAD: SeriesColumn = words('workload', ({ workload }) => workload);

/** Target, workload, and the settings in which these series differ. */
export function settingColumns(series: readonly Series[]): readonly SeriesColumn[] {
  return [TARGET, WORKLOAD, ...SETTINGS.filter(({ cell }) => new Set(series.map(cell)).size > 1)];
}

/** With the figures. */
export function seriesColumns(series: readonly Series[]): readonly SeriesColumn[] {
  return [...settingColumns(series), ...Object.values(FIGURES)];
}

/** Columns of words first: tables in a terminal set only the first ones to the left. */
export function wordsFirst(columns: readonly SeriesColumn[]): readonly SeriesColumn[] {
  return [...columns.filter(({ isText }) => isText), ...columns.filter(({ isText }) => !isText)];
}

/** The settings that all of these series share: "64 connections, 100,000 keys". */
export function sharedSettings(series: readonly Series[]): string {
  const first = series[0];
  if (first === undefined) return '';
  const shared = SETTINGS.filter(({ cell }) => cell(first) !== '' && new Set(series.map(cell)).size === 1);
  return shared.map(({ phrase }) => phrase(first)).join(', ');
}

/** 0, or what came how often: "503: 12, timeout: 1". */
export function errorsText(series: Series): string {
  const errors = [...errorsOf(series)];
  return errors.length === 0 ? '0' : errors.map(([what, failed]) => `${what}: ${count(failed)}`).join(', ');
}

/** Of what is one operation the workload's own name says it. */
function quorumText(value: number | undefined, kind: SeriesKind): string {
  return value === undefined || kind !== 'mix' ? '' : String(value);
}

function loopText(loop: Loop): string {
  return loop.kind === 'closed' ? 'closed loop' : `open loop at ${perSecond(loop.ratePerS)}`;
}
