/** The README's section on performance, made from a report. */
import { basename } from 'node:path';
import { printable } from '../table.ts';
import type { BenchReport, Series } from './bench-report.ts';
import { inSection, targetOf } from './comparison.ts';
import { goalCount, verdictOf } from './goal-words.ts';
import { machineText } from './machine-text.ts';
import { notesOn, runText } from './method.ts';
import { FIGURES, sharedSettings, TARGET, WORKLOAD } from './series-columns.ts';
import { capital, NOT_MEASURED } from './units.ts';

export const BEGIN = '<!-- bench:begin -->';
export const END = '<!-- bench:end -->';

/** A document that has no place for the section. */
export class MarkerError extends Error {
  override readonly name = 'MarkerError';
}

/** What stands between the markers; `file` is the report's, beside which the page lies. */
export function readmeSection(report: BenchReport, file: string): string {
  const main = inSection(report, 'main');
  const parts = [
    `${intro(report, file)}`,
    main.length === 0 ? '' : `${capital(sharedSettings(main))}:`,
    main.length === 0 ? '' : mainTable(report, main),
    report.goals.length === 0 ? '' : `Goals: ${goalCount(report.goals)}.`,
    report.goals.length === 0 ? '' : goalTable(report),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/**
 * The document with the section between its markers, whatever was there before.
 *
 * @throws {MarkerError} when there is not one marker of each, in their order.
 */
export function withSection(document: string, section: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  const isUnique = document.lastIndexOf(BEGIN) === from && document.lastIndexOf(END) === to;
  if (from < 0 || to < from || !isUnique) throw new MarkerError(`expected one ${BEGIN} and one ${END} after it`);
  return `${document.slice(0, from + BEGIN.length)}\n${section}\n${document.slice(to)}`;
}

function intro(report: BenchReport, file: string): string {
  const { date, command, version, machine, failure } = report;
  const name = basename(file, '.json');
  const links = `[page with plots](bench/results/${name}.html), [JSON](bench/results/${name}.json)`;
  return `Measured on ${date.slice(0, 10)} with \`${text(command.replaceAll('`', ''))}\`, version ${text(version)} (${links}). ${failure === undefined ? '' : `**It ended early: ${text(failure)}.** `}${text(machineText(machine))}. ${[runText(report), ...notesOn(report)].join(' ')}`;
}

function mainTable(report: BenchReport, main: readonly Series[]): string {
  const durability = (series: Series): string => targetOf(report, series)?.durability ?? NOT_MEASURED;
  const rows = main.map((series) => [
    ...[TARGET, WORKLOAD].map(({ cell }) => cell(series)),
    durability(series),
    ...COLUMNS.map(({ cell }) => cell(series)),
  ]);
  return table([TARGET.title, WORKLOAD.title, 'durability', ...COLUMNS.map(({ title }) => title)], rows);
}

const { rate, spread, p50, p99, p999, errors, serverCpu, clientCpu } = FIGURES;
const COLUMNS = [rate, spread, p50, p99, p999, errors, serverCpu, clientCpu];

function goalTable({ goals }: BenchReport): string {
  const rows = goals.map((goal) => [goal.goal, goal.wanted, goal.found, verdictOf(goal)]);
  return table(['goal', 'wanted', 'found', ''], rows);
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(text).join(' | ')} |`;
  return [line(titles), `|${titles.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** Text from outside must neither end a cell nor become a tag or a marker; a terminal that shows the document obeys nothing in it. */
function text(raw: string): string {
  return printable(raw.replace(/\s+/g, ' ')).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('|', '\\|');
}
