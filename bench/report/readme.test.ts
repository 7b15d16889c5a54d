import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aFullReport } from './full-report-builder.ts';
import { BEGIN, END, MarkerError, readmeSection, withSection } from './readme.ts';
import { latestResults, type ReadmePlaces, readmeCommand } from './readme-command.ts';
import { aReport, aSeries, aTarget } from './report-builders.ts';
import { ReportFileError, writeReport } from './report-file.ts';

const RESULTS = 'bench/results';
const hasResults = existsSync(RESULTS) && readdirSync(RESULTS).some((name) => name.endsWith('.json'));

const unwritten = (): void => {};

describe('the section of the README', () => {
  const section = readmeSection(aFullReport(), 'bench/results/two-cores.json');

  it('names the day, the command, the machine, and links to the whole', () => {
    expect(section).toContain('Measured on 2031-05-06 with `quorate bench --full');
    expect(section).toContain('(bench/results/two-cores.html)');
    expect(section).toContain('Example CPU @ 2.50GHz');
  });

  it('says how it was measured, and what is unfair about it', () => {
    expect(section).toContain('Each measurement was made 1 to 3 times, for 30 s, after a warm-up of 2 s.');
    for (const words of ['JSON gateway', 'Quorate keeps both as siblings', 'up to 1 ms', 'warm page cache'])
      expect(section).toContain(words);
  });

  it('has what was compared, with its durability', () => {
    expect(section).toContain('| quorate | PUT w=2 | flush | 9,820 | 9,133–10,311 |');
    expect(section).toContain('| redis | SET | appendfsync everysec | 41,000 |');
  });

  it('has every goal, met or not', () => {
    expect(section).toContain('Goals: 17 met, 1 not met.');
    expect(section).toContain("| Throughput of GET r=2 | at least 1.8× Consul's consistent read | 1.68×");
    expect(section.match(/\| not met \|/g)).toHaveLength(1);
  });

  it('is not broken by what comes from outside', () => {
    const name = `a | b\n<b> ${END}`;
    const report = aReport({
      command: `x ${END} \x1b[2J`,
      targets: [aTarget({ name })],
      series: [aSeries({ target: name })],
    });
    const document = withSection(`${BEGIN}\n${END}\n`, readmeSection(report, 'x.json'));
    expect(document).toContain('| a \\| b &lt;b> ');
    expect(document).toContain('with `x &lt;!-- bench:end --> �[2J`');
    expect(document.split(END)).toHaveLength(2);
  });
});

describe('a document with a section', () => {
  it('keeps what is around the markers', () => {
    expect(withSection(`before\n${BEGIN}\nold\n${END}\nafter`, 'new')).toBe(`before\n${BEGIN}\nnew\n${END}\nafter`);
  });

  it('is the same when it is written again', () => {
    const once = withSection(`${BEGIN}${END}`, 'new');
    expect(withSection(once, 'new')).toBe(once);
  });

  it('needs one marker of each, in their order', () => {
    for (const document of ['', BEGIN, END, `${END}${BEGIN}`, `${BEGIN}${END}${END}`, `${BEGIN}${BEGIN}${END}`])
      expect(() => withSection(document, 'new')).toThrow(MarkerError);
  });
});

describe('the command', () => {
  let folder = '';
  let places: ReadmePlaces = { readme: '', results: '' };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quorate-readme-'));
    places = { readme: join(folder, 'README.md'), results: join(folder, 'results') };
    await mkdir(places.results);
    await writeFile(places.readme, `# Title\n\n${BEGIN}\n${END}\n`);
    await writeReport(join(places.results, 'b.json'), aReport({ date: '2030-01-01T00:00:00Z', command: 'older' }));
    await writeReport(join(places.results, 'a.json'), aReport({ date: '2031-01-01T00:00:00Z', command: 'newer' }));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('writes from the latest report, and then finds nothing to do', async () => {
    expect(await readmeCommand(['--check'], unwritten, places)).toBe(1);
    expect(await readmeCommand([], unwritten, places)).toBe(0);
    expect(await readFile(places.readme, 'utf8')).toContain('`newer`');
    expect(await readmeCommand(['--check'], unwritten, places)).toBe(0);
  });

  it('writes from the report that it is given', async () => {
    await readmeCommand(['--results', join(places.results, 'b.json')], unwritten, places);
    expect(await readFile(places.readme, 'utf8')).toContain('`older`');
    expect(await readmeCommand(['--check'], unwritten, places)).toBe(1);
  });

  it('writes nothing to check', async () => {
    const before = await readFile(places.readme, 'utf8');
    await readmeCommand(['--check'], unwritten, places);
    expect(await readFile(places.readme, 'utf8')).toBe(before);
  });

  it('says that there is no report', async () => {
    await expect(latestResults(folder)).rejects.toThrow(ReportFileError);
  });
});

describe.skipIf(!hasResults)('the README of this repository', () => {
  it('is what the command makes of the latest results', async () => {
    const output: string[] = [];
    expect({ code: await readmeCommand(['--check'], (text) => output.push(text)), output }).toMatchObject({ code: 0 });
  });
});
