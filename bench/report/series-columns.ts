/** The figures of series, as both the terminal and the page show them. */
import type { Loop, Series } from './bench-report.ts';
import { errorsOf } from './comparison.ts';
import { count, digits, NOT_MEASURED, perSecond, size } from './units.ts';

export interface SeriesColumn {
  readonly title: string;
  readonly isText: boolean;
  cell(series: Series): string;
}

const figure = (title: string, cell: (series: Series) => string): SeriesColumn => ({ title, isText: false, cell });
const words = (title: string, cell: (series: Series) => string): SeriesColumn => ({ title, isText: true, cell });

const SETTINGS: readonly SeriesColumn[] = [
  words('loop', ({ loop }) => loopText(loop)),
  figure('connections', ({ connections }) => count(connections)),
  figure('nodes', ({ nodes }) => count(nodes)),
  figure('keys', ({ keys }) => count(keys)),
  figure('value', ({ valueBytes }) => size(valueBytes)),
  words('distribution', ({ distribution }) => distribution),
  figure('r', ({ r, workload }) => quorumText('r', r, workload)),
  figure('w', ({ w, workload }) => quorumText('w', w, workload)),
];

const FIGURES: readonly SeriesColumn[] = [
  figure('ops/s', ({ median }) => count(median.operationsPerS)),
  figure('min–max', ({ spread }) => `${count(spread.minPerS)}–${count(spread.maxPerS)}`),
  figure('p50 ms', ({ median }) => digits(median.p50Ms)),
  figure('p90 ms', ({ median }) => digits(median.p90Ms)),
  figure('p99 ms', ({ median }) => digits(median.p99Ms)),
  figure('p99.9 ms', ({ median }) => digits(median.p999Ms)),
  figure('max ms', ({ median }) => digits(median.maxMs)),
  figure('server µs/op', ({ median }) =>
    median.serverCpuUs === undefined ? NOT_MEASURED : digits(median.serverCpuUs),
  ),
  figure('client µs/op', ({ median }) => digits(median.clientCpuUs)),
  figure('errors', errorsText),
];

/** Target, workload, the settings in which these series differ, and the figures. */
export function seriesColumns(series: readonly Series[]): readonly SeriesColumn[] {
  const varying = SETTINGS.filter(({ cell }) => new Set(series.map(cell)).size > 1);
  return [
    words('target', ({ target }) => target),
    words('workload', ({ workload }) => workload),
    ...varying,
    ...FIGURES,
  ];
}

/** The settings that all of these series share: "64 connections, 100,000 keys". */
export function sharedSettings(series: readonly Series[]): string {
  const first = series[0];
  if (first === undefined) return '';
  const shared = SETTINGS.filter(({ cell }) => cell(first) !== '' && new Set(series.map(cell)).size === 1);
  return shared.map((column) => settingText(column, first)).join(', ');
}

/** 0, or what came how often: "503: 12, timeout: 1". */
export function errorsText(series: Series): string {
  const errors = [...errorsOf(series)];
  return errors.length === 0 ? '0' : errors.map(([what, failed]) => `${what}: ${count(failed)}`).join(', ');
}

function settingText({ title, cell }: SeriesColumn, series: Series): string {
  const text = cell(series);
  if (title === 'value') return `values of ${text}`;
  if (title === 'distribution') return `${text} keys`;
  if (title === 'r' || title === 'w') return `${title}=${text}`;
  return title === 'loop' ? text : `${text} ${text === '1' ? title.replace(/s$/, '') : title}`;
}

/** Nothing where the workload's own name says it. */
function quorumText(name: string, value: number | undefined, workload: string): string {
  return value === undefined || workload.includes(`${name}=`) ? '' : String(value);
}

function loopText(loop: Loop): string {
  return loop.kind === 'closed' ? 'closed loop' : `open loop at ${perSecond(loop.ratePerS)}`;
}
