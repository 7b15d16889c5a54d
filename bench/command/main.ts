/**
 * `quorate bench`, `npm run bench`: three nodes on this machine, or a cluster that is there, and beside it other stores: the same keys,
 * the same mix, the same connections, one after another in every round. See {@link benchCommand} for what can be set. Ends with 2 when
 * the options make no sense, with 1 when something could not be measured.
 */
import { writeFile } from 'node:fs/promises';
import { CommanderError } from 'commander';
import { htmlReport } from '../report/html/page.ts';
import { LiveLine } from '../report/live-line.ts';
import { writeReport } from '../report/report-file.ts';
import { formatReport } from '../report/terminal.ts';
import { type BenchOptions, benchCommand } from './options.ts';
import { benchReport } from './report.ts';

async function run(options: BenchOptions): Promise<void> {
  const startMs = performance.now();
  const line = new LiveLine(process.stderr);
  let done = 0;
  try {
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
    process.stdout.write(formatReport(report));
    if (options.json !== undefined) await writeReport(options.json, report);
    if (options.html !== undefined) await writeFile(options.html, htmlReport(report));
  } catch (error) {
    line.clear();
    process.stderr.write(`quorate bench: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
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
