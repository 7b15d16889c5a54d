import { parseArgs } from 'node:util';
import { formatTable } from '../table.ts';
import type { BenchReport, Series } from './bench-report.ts';
import { failedOf } from './comparison.ts';
import { readReport } from './report-file.ts';
import { seriesColumns } from './series-columns.ts';
import { count, digits, times } from './units.ts';

/** One series in two reports. */
export interface Comparison {
  readonly before: Series;
  readonly after: Series;
  /** Of throughput and of p99, after by before. Undefined where before is nought. */
  readonly throughput: number | undefined;
  readonly p99: number | undefined;
  /** The repetitions of one lie all above those of the other, so that chance alone is a poor explanation. */
  readonly isApart: boolean;
}

export interface Comparisons {
  readonly both: readonly Comparison[];
  /** Without a counterpart of the same target, workload and setting. */
  readonly onlyBefore: readonly Series[];
  readonly onlyAfter: readonly Series[];
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

/** Pairs series of the same target, workload and setting; the machines are the reader's to judge. */
export function compareReports(before: BenchReport, after: BenchReport): Comparisons {
  const later = new Map(after.series.map((one) => [identity(one), one]));
  const earlier = new Set(before.series.map(identity));
  const both = before.series.flatMap((one) => {
    const other = later.get(identity(one));
    return other === undefined ? [] : [comparisonOf(one, other)];
  });
  return {
    both,
    onlyBefore: before.series.filter((one) => !later.has(identity(one))),
    onlyAfter: after.series.filter((one) => !earlier.has(identity(one))),
  };
}

export function formatComparisons({ both, onlyBefore, onlyAfter }: Comparisons): string {
  const settings = seriesColumns(both.map(({ before }) => before)).filter(({ title }) => !FIGURES.has(title));
  const texts = [...settings].sort((a, b) => Number(b.isText) - Number(a.isText));
  const rows = both.map((one) => [...texts.map(({ cell }) => cell(one.before)), ...figures(one)]);
  const table = formatTable(
    [
      [
        ...texts.map(({ title }) => title),
        'before/s',
        'after/s',
        '×',
        'p99 before',
        'p99 after',
        '×',
        'apart',
        'errors',
      ],
      ...rows,
    ],
    texts.filter(({ isText }) => isText).length,
  );
  const rest = [...alone('before', onlyBefore), ...alone('after', onlyAfter)];
  return `${table}apart: all repetitions of one are above all of the other\n${rest.join('')}`;
}

/** Columns of {@link seriesColumns} that are found rather than set. */
const FIGURES: ReadonlySet<string> = new Set([
  'ops/s',
  'min–max',
  'p50 ms',
  'p90 ms',
  'p99 ms',
  'p99.9 ms',
  'max ms',
  'server µs/op',
  'client µs/op',
  'errors',
]);

function figures({ before, after, throughput, p99, isApart }: Comparison): readonly string[] {
  return [
    count(before.median.operationsPerS),
    count(after.median.operationsPerS),
    throughput === undefined ? '' : times(throughput),
    digits(before.median.p99Ms),
    digits(after.median.p99Ms),
    p99 === undefined ? '' : times(p99),
    isApart ? 'yes' : 'no',
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
    isApart: after.spread.minPerS > before.spread.maxPerS || after.spread.maxPerS < before.spread.minPerS,
  };
}

/** Open loops are the same only at the same rate: one that was derived from a maximum differs from run to run, and so does what it finds. */
function identity(series: Series): string {
  const { section, target, workload, loop, connections, nodes, keys, valueBytes, distribution, r, w } = series;
  const rate = loop.kind === 'open' ? loop.ratePerS : 'closed';
  return JSON.stringify([section, target, workload, rate, connections, nodes, keys, valueBytes, distribution, r, w]);
}

function alone(where: string, series: readonly Series[]): readonly string[] {
  return series.map(({ section, target, workload }) => `only ${where}: ${section}, ${target}, ${workload}\n`);
}
