/**
 * `quorate bench`, `npm run bench`: three nodes on this machine, or a cluster that is there, and beside it other stores: the same keys,
 * the same mix, the same connections, one after another in every round. See {@link benchCommand} for what can be set. Ends with 2 when
 * the options make no sense, with 1 when something could not be measured, or a file not be written.
 */
import { writeFile } from 'node:fs/promises';
import { CommanderError } from 'commander';
import type { BenchReport } from '../report/bench-report.ts';
import { htmlReport } from '../report/html/page.ts';
import { LiveLine } from '../report/live-line.ts';
import { writeReport } from '../report/report-file.ts';
import { formatReport } from '../report/terminal.ts';
import { expectWritable } from './expect-writable.ts';
import { type BenchOptions, benchCommand } from './options.ts';
import { benchReport } from './report.ts';

async function run(options: BenchOptions): Promise<void> {
  const startMs = performance.now();
  const line = new LiveLine(process.stderr);
  let done = 0;
  try {
    for (const file of [options.json, options.html]) if (file !== undefined) await expectWritable(file);
    const report = await benchReport({
      options,
      command: ['quorate bench', ...process.argv.slice(2)].join(' '),
      progress: (text, now) => {
        const elapsedS = Math.round((performance.now() - startMs) / 1000);
        line.show({ done, all: options.parts.length, text, elapsedS, ...(now === undefined ? {} : { now }) });
      },
      onPart: (parts) => {
        done = parts;
      },
    });
    line.clear();
    await (report.failure === undefined ? show(report, options) : keep(report, report.failure, options));
  } catch (error) {
    line.clear();
    fail(error instanceof Error ? error.message : String(error));
  }
}

async function show(report: BenchReport, { json, html }: BenchOptions): Promise<void> {
  process.stdout.write(formatReport(report));
  if (json !== undefined) await writeReport(json, report);
  if (html !== undefined) await writeFile(html, htmlReport(report));
}

/** Hours of measurements are not lost because the last of them could not be made. */
async function keep(report: BenchReport, failure: string, { json }: BenchOptions): Promise<void> {
  const isEmpty = report.series.length === 0 && report.costs === undefined;
  if (json !== undefined && !isEmpty) await writeReport(json, report);
  fail(json === undefined || isEmpty ? failure : `${failure} (${json} has what was measured before)`);
}

function fail(why: string): void {
  process.stderr.write(`quorate bench: ${why}\n`);
  process.exitCode = 1;
}

try {
  const command = benchCommand(run).exitOverride();
  command.configureOutput({ outputError: (text, write) => write(`quorate bench: ${text.replace(/^error: /, '')}`) });
  await command.parseAsync(process.argv.slice(2), { from: 'user' });
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // It has said what was wrong; help is no error.
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
