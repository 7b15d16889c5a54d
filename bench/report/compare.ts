import { parseArgs } from 'node:util';
import { formatTable, printable } from '../table.ts';
import type { BenchReport, Series } from './bench-report.ts';
import { APART_REPETITIONS_MIN, failedOf, isApart } from './comparison.ts';
import { readReport } from './report-file.ts';
import { FIGURES, settingColumns, wordsFirst } from './series-columns.ts';
import { count, digits, NOT_MEASURED, times } from './units.ts';

/** One series in two reports. */
export interface Comparison {
  readonly before: Series;
  readonly after: Series;
  /** Of throughput and of p99, after by before. Undefined where before is nought. */
  readonly throughput: number | undefined;
  readonly p99: number | undefined;
  /** As {@link isApart} says. */
  readonly isApart: boolean | undefined;
}

export interface Comparisons {
  readonly both: readonly Comparison[];
  /** Without a counterpart of the same target, workload and setting. */
  readonly onlyBefore: readonly Series[];
  readonly onlyAfter: readonly Series[];
  /** Otherwise nothing is paired. */
  readonly isSameGenerator: boolean;
}

/** `compare BEFORE.json AFTER.json`: the exit code is 0 unless the files cannot be read or have nothing in common. */
export async function compareCommand(args: readonly string[], write: (text: string) => void): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const [before, after, ...others] = positionals;
  if (before === undefined || after === undefined || others.length > 0) {
    write('compare: expected two report files: BEFORE.json AFTER.json\n');
    return 2;
  }
  const found = compareReports(await readReport(before), await readReport(after));
  write(formatComparisons(found));
  return found.both.length === 0 ? 1 : 0;
}

/** Pairs series of the same target, workload, setting and load generator; the machines are the reader's to judge. */
export function compareReports(before: BenchReport, after: BenchReport): Comparisons {
  const isSameGenerator = before.generator === after.generator;
  const later = new Map(isSameGenerator ? after.series.map((one) => [identity(one), one]) : []);
  const both = before.series.flatMap((one) => {
    const other = later.get(identity(one));
    return other === undefined ? [] : [comparisonOf(one, other)];
  });
  const paired = new Set(both.map((one) => identity(one.before)));
  return {
    both,
    onlyBefore: before.series.filter((one) => !paired.has(identity(one))),
    onlyAfter: after.series.filter((one) => !paired.has(identity(one))),
    isSameGenerator,
  };
}

export function formatComparisons({ both, onlyBefore, onlyAfter, isSameGenerator }: Comparisons): string {
  const settings = wordsFirst(settingColumns(both.map(({ before }) => before)));
  const rows = both.map((one) => [...settings.map(({ cell }) => cell(one.before)), ...figures(one)]);
  const table = formatTable(
    [[...settings.map(({ title }) => title), ...FIGURE_TITLES], ...rows],
    settings.filter(({ isText }) => isText).length,
  );
  const rest = [...alone('before', onlyBefore), ...alone('after', onlyAfter)];
  return `${table}${APART}${isSameGenerator ? '' : GENERATORS}${rest.join('')}`;
}

const FIGURE_TITLES = ['before/s', 'after/s', '×', 'p99 before', 'p99 after', '×', 'apart', FIGURES.errors.title];

const APART = `apart: all repetitions of one are above all of the other; not said of fewer than ${APART_REPETITIONS_MIN} each\n`;
const GENERATORS =
  'nothing is paired: the reports are of different load generators, whose own limits and costs differ\n';

function figures({ before, after, throughput, p99, isApart }: Comparison): readonly string[] {
  return [
    count(before.median.operationsPerS),
    count(after.median.operationsPerS),
    throughput === undefined ? '' : times(throughput),
    digits(before.median.p99Ms),
    digits(after.median.p99Ms),
    p99 === undefined ? '' : times(p99),
    isApart === undefined ? NOT_MEASURED : isApart ? 'yes' : 'no',
    `${failedOf(before)} / ${failedOf(after)}`,
  ];
}

function comparisonOf(before: Series, after: Series): Comparison {
  const ratio = (a: number, b: number): number | undefined => (b === 0 ? undefined : a / b);
  return {
    before,
    after,
    throughput: ratio(after.median.operationsPerS, before.median.operationsPerS),
    p99: ratio(after.median.p99Ms, before.median.p99Ms),
    isApart: isApart(after, before),
  };
}

/** Open loops are the same only at the same rate: one that was derived from a maximum differs from run to run, and so does what it finds. */
function identity(series: Series): string {
  const { section, target, workload, loop, connections, nodes, keys, valueBytes, distribution, r, w } = series;
  const rate = loop.kind === 'open' ? loop.ratePerS : 'closed';
  return JSON.stringify([section, target, workload, rate, connections, nodes, keys, valueBytes, distribution, r, w]);
}

function alone(where: string, series: readonly Series[]): readonly string[] {
  return series.map(
    ({ section, target, workload }) => `${printable(`only ${where}: ${section}, ${target}, ${workload}`)}\n`,
  );
}
