/**
 * `quorate bench`, `npm run bench`: three nodes on this machine, or a cluster that is there, and beside it other stores: the same keys,
 * the same mix, the same connections, one after another in every round. See {@link benchCommand} for what can be set. Ends with 2 when
 * the options make no sense, with 1 when something could not be measured.
 */
import { writeFile } from 'node:fs/promises';
import { htmlReport } from '../report/html/page.ts';
import { progressLine } from '../report/progress-line.ts';
import { writeReport } from '../report/report-file.ts';
import { terminalReport } from '../report/terminal-report.ts';
import { type BenchOptions, benchCommand } from './options.ts';
import { benchReport } from './report.ts';

async function run(options: BenchOptions): Promise<void> {
  const command = ['quorate bench', ...process.argv.slice(2)].join(' ');
  const line = progressLine(process.stderr);
  try {
    const report = await benchReport({ options, command, progress: (text) => line.show(text) });
    line.end();
    process.stdout.write(terminalReport(report));
    if (options.json !== undefined) await writeReport(options.json, report);
    if (options.html !== undefined) await writeFile(options.html, htmlReport(report));
  } catch (error) {
    line.end();
    process.stderr.write(`quorate bench: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

await benchCommand(run).parseAsync(process.argv.slice(2), { from: 'user' });
