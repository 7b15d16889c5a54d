import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readmeSection, withSection } from './readme.ts';
import { ReportFileError, readReport } from './report-file.ts';

/** Where the command finds things; all relative to the working folder, which is the repository. */
export interface ReadmePlaces {
  readonly readme: string;
  readonly results: string;
}

const PLACES: ReadmePlaces = { readme: 'README.md', results: 'bench/results' };

/**
 * `readme [--results FILE] [--check]`: writes the README's section on performance from a report, by default the latest of bench/results;
 * with `--check` it writes nothing, and the exit code is 1 when the README is not what it would write.
 */
export async function readmeCommand(
  args: readonly string[],
  write: (text: string) => void,
  { readme, results }: ReadmePlaces = PLACES,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { results: { type: 'string' }, check: { type: 'boolean', default: false } },
  });
  const file = values.results ?? (await latestResults(results));
  const before = await readFile(readme, 'utf8');
  const after = withSection(before, readmeSection(await readReport(file), file));
  if (values.check) {
    write(
      before === after
        ? `${readme} is what ${file} says\n`
        : `${readme} is not what ${file} says: run without --check\n`,
    );
    return before === after ? 0 : 1;
  }
  if (before !== after) await writeFile(readme, after);
  write(`${readme}: ${before === after ? 'unchanged' : 'written'}, from ${file}\n`);
  return 0;
}

/**
 * By the date within, since those of files do not survive a checkout.
 *
 * @throws {ReportFileError} when there is no report.
 */
export async function latestResults(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      return { file, time: Date.parse((await readReport(file)).date) };
    }),
  );
  const latest = files.sort((a, b) => b.time - a.time)[0];
  if (latest === undefined) throw new ReportFileError(`${folder}: no report of the benchmark`);
  return latest.file;
}
