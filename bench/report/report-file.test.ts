import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aFullReport } from './full-report-builder.ts';
import { aReport } from './report-builders.ts';
import { jsonReport, parseReport, ReportFileError, readReport, writeReport } from './report-file.ts';

/** The report of one series with something else at a path. */
function broken(change: (report: ReturnType<typeof aReport>) => unknown): () => unknown {
  return () => parseReport(JSON.stringify(change(aReport())), 'run.json');
}

describe('a report in a file', () => {
  it('is read as it was written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quorate-report-'));
    try {
      const file = join(folder, 'run.json');
      await writeReport(file, aFullReport());
      expect(await readReport(file)).toEqual(aFullReport());
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has what was not measured as undefined, whether it was left out or null', () => {
    const { costs, ...report } = aReport({ machine: { ...aReport().machine, flush: undefined } });
    expect(costs).toBeUndefined();
    expect(parseReport(JSON.stringify(report), 'run.json')).toEqual(aReport({ machine: report.machine }));
    expect(parseReport(JSON.stringify({ ...report, costs: null }), 'run.json').costs).toBeUndefined();
  });

  it('keeps pairs of numbers on one line', () => {
    expect(jsonReport(aReport())).toMatch(/^ *\[0,[\d.]+\],$/m);
  });

  it('is refused with the file and the place of what is wrong', () => {
    expect(broken((report) => ({ ...report, format: 2 }))).toThrow(/^run\.json: format: /);
    expect(broken((report) => ({ ...report, machine: { ...report.machine, cores: 'two' } }))).toThrow(
      /^run\.json: machine\.cores: .*number/,
    );
    expect(
      broken((report) => ({
        ...report,
        series: report.series.map((one) => ({ ...one, median: { ...one.median, p99Ms: -1 } })),
      })),
    ).toThrow(/^run\.json: series\[0\]\.median\.p99Ms: /);
    expect(broken((report) => ({ ...report, series: [{ ...report.series[0], section: 'other' }] }))).toThrow(
      /^run\.json: series\[0\]\.section: /,
    );
    expect(broken((report) => ({ ...report, series: [{ ...report.series[0], repetitions: [] }] }))).toThrow(
      /^run\.json: series\[0\]\.repetitions: /,
    );
    for (const field of ['warmupS', 'generator'])
      expect(broken((report) => ({ ...report, [field]: undefined }))).toThrow(`run.json: ${field}: `);
    expect(broken(() => [])).toThrow(/^run\.json: the whole: /);
  });

  it('is refused in words that a terminal shows as they are', () => {
    expect(
      broken((report) => ({ ...report, series: report.series.map((one) => ({ ...one, target: '\x1b[2J' })) })),
    ).toThrow('"�[2J" is none of targets');
  });

  it('says how many more things are wrong', () => {
    expect(broken((report) => ({ ...report, date: 'today', tookS: -1, command: 3 }))).toThrow(/\(and 2 more\)$/);
  });

  it('speaks of no target that it does not have', () => {
    expect(broken((report) => ({ ...report, targets: [] }))).toThrow('series[0].target: "quorate" is none of targets');
  });

  it('is refused when it is not JSON, or not there', async () => {
    expect(() => parseReport('{', 'run.json')).toThrow(/^run\.json: not JSON: /);
    await expect(readReport(join(tmpdir(), 'quorate-no-such-report.json'))).rejects.toThrow(ReportFileError);
  });
});
