import { formatTable, printable } from '../table.ts';
import type { BenchReport, Costs, Series } from './bench-report.ts';
import { groupBy } from './comparison.ts';
import { goalCount, verdictOf } from './goal-words.ts';
import { machineText } from './machine-text.ts';
import { COSTS_TITLE, SECTION_TITLES } from './sections.ts';
import { seriesColumns, sharedSettings, wordsFirst } from './series-columns.ts';
import { count, decimalBytes, digits, duration, microseconds, size } from './units.ts';

/** The whole report for a terminal: a table for each section, costs, goals. */
export function formatReport(report: BenchReport): string {
  const sections = [...groupBy(report.series, ({ section }) => section)];
  const parts = [
    head(report),
    ...sections.map(([section, series]) => `${SECTION_TITLES[section]}\n${seriesText(series)}`),
    ...(report.costs === undefined ? [] : costsText(report.costs)),
    ...(report.goals.length === 0 ? [] : [goalsText(report)]),
  ];
  return parts.join('\n');
}

function head({ machine, targets, command, version, failure, tookS }: BenchReport): string {
  const rows = targets.map(({ name, store, version, nodes, durability }) => [
    name,
    `${store} ${version}`,
    durability,
    count(nodes),
  ]);
  const table = formatTable([['target', 'store', 'durability', 'nodes'], ...rows], 3);
  const end = failure === undefined ? '' : `\nENDED EARLY: ${printable(failure)}`;
  return `\n${printable(command)}, version ${printable(version)}\n${printable(machineText(machine))}\ntook ${duration(tookS)}${end}\n\n${table}`;
}

function seriesText(series: readonly Series[]): string {
  const ordered = wordsFirst(seriesColumns(series));
  const rows = series.map((one) => ordered.map(({ cell }) => cell(one)));
  const table = formatTable(
    [ordered.map(({ title }) => title), ...rows],
    ordered.filter(({ isText }) => isText).length,
  );
  return `${sharedSettings(series)}\n${table}`;
}

function costsText({ perPut, memory, memoryOverTime, start, idleCpuPercent }: Costs): readonly string[] {
  const last = memoryOverTime?.at(-1);
  const rows = [
    ...(perPut === undefined ? [] : putRows(perPut)),
    ...(memory ?? []).map(({ keys, bytesPerNode }) => [
      `memory of a node, ${count(keys)} keys`,
      decimalBytes(bytesPerNode),
    ]),
    ...(last === undefined
      ? []
      : [[`memory of a node after ${duration(last.second)} of load`, decimalBytes(last.bytesPerNode)]]),
    ...(start ?? []).map(({ keys, seconds }) => [`start with ${count(keys)} keys`, `${digits(seconds)} s`]),
    ...(idleCpuPercent === undefined
      ? []
      : [['processor time of an idle node', `${digits(idleCpuPercent)} % of a core`]]),
  ];
  return rows.length === 0 ? [] : [`${COSTS_TITLE}\n${formatTable([['cost', 'found'], ...rows])}`];
}

function putRows(perPut: NonNullable<Costs['perPut']>): readonly (readonly string[])[] {
  const put = `per PUT of ${size(perPut.valueBytes)}, w=2`;
  return [
    [`sent between nodes ${put}`, decimalBytes(perPut.wireBytes)],
    [`written to disk per replica ${put}`, decimalBytes(perPut.diskBytesPerReplica)],
    [`flushes ${put}`, digits(perPut.flushes)],
    [`processor time of all nodes ${put}`, microseconds(perPut.nodeCpuUs)],
    [`processor time of the client ${put}`, microseconds(perPut.clientCpuUs)],
  ];
}

function goalsText({ goals }: BenchReport): string {
  const rows = goals.map((goal) => [goal.goal, goal.wanted, goal.found, verdictOf(goal)]);
  return `Goals: ${goalCount(goals)}\n${formatTable([['goal', 'wanted', 'found', ''], ...rows], 4)}`;
}
