/** The README's section on performance, made from a report. */
import { basename } from 'node:path';
import type { BenchReport, Series } from './bench-report.ts';
import { inSection } from './comparison.ts';
import { goalCount, verdictOf } from './goal-words.ts';
import { machineText } from './machine-text.ts';
import { errorsText, sharedSettings } from './series-columns.ts';
import { count, digits, NOT_MEASURED } from './units.ts';

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

function intro({ date, command, machine }: BenchReport, file: string): string {
  const name = basename(file, '.json');
  const links = `[page with plots](bench/results/${name}.html), [JSON](bench/results/${name}.json)`;
  return `Measured on ${date.slice(0, 10)} with \`${command.replaceAll('`', '')}\` (${links}). ${text(machineText(machine))}.`;
}

function mainTable({ targets }: BenchReport, main: readonly Series[]): string {
  const rows = main.map((series) => {
    const { target, workload, median, spread } = series;
    const durability = targets.find(({ name }) => name === target)?.durability ?? NOT_MEASURED;
    return [
      target,
      workload,
      durability,
      count(median.operationsPerS),
      `${count(spread.minPerS)}–${count(spread.maxPerS)}`,
      digits(median.p50Ms),
      digits(median.p99Ms),
      digits(median.p999Ms),
      errorsText(series),
      median.serverCpuUs === undefined ? NOT_MEASURED : digits(median.serverCpuUs),
      digits(median.clientCpuUs),
    ];
  });
  const titles = 'target,workload,durability,ops/s,min–max,p50 ms,p99 ms,p99.9 ms,errors,server µs/op,client µs/op';
  return table(titles.split(','), rows);
}

function goalTable({ goals }: BenchReport): string {
  const rows = goals.map((goal) => [goal.goal, goal.wanted, goal.found, verdictOf(goal)]);
  return table(['goal', 'wanted', 'found', ''], rows);
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(text).join(' | ')} |`;
  return [line(titles), `|${titles.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** Text from outside must neither end a cell nor become a tag or a marker. */
function text(raw: string): string {
  return raw.replace(/\s+/g, ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('|', '\\|');
}

function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
