import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Series } from './bench-report.ts';
import { compareCommand, compareReports, formatComparisons } from './compare.ts';
import { aRate, aReport, aSample, aSeries } from './report-builders.ts';
import { writeReport } from './report-file.ts';

const report = (...series: readonly Series[]) => aReport({ series });

describe('two reports', () => {
  it('are compared series by series', () => {
    const before = report(aSeries({ median: aSample({ operationsPerS: 100, p99Ms: 10 }) }));
    const after = report(aSeries({ median: aSample({ operationsPerS: 150, p99Ms: 5 }) }));
    expect(compareReports(before, after).both).toMatchObject([{ throughput: 1.5, p99: 0.5 }]);
  });

  it('are not called apart, nor the opposite, by fewer than four repetitions each', () => {
    const once = (operationsPerS: number, repetitions: number) =>
      report(aRate(operationsPerS, { repetitions: Array.from({ length: repetitions }, () => aSample()) }));
    const rows = (repetitions: number) =>
      formatComparisons(compareReports(once(100, 4), once(900, repetitions))).split('\n')[1];
    expect(rows(4)).toMatch(/9× .* yes +0 \/ 0$/);
    expect(rows(3)).toMatch(/9× .* – +0 \/ 0$/);
  });

  it('are not compared across load generators, and it says why', () => {
    const found = compareReports(report(aSeries()), { ...report(aSeries()), generator: 'autocannon' });
    expect(found.both).toEqual([]);
    expect(found).toMatchObject({ onlyBefore: [{ workload: 'PUT w=2' }], onlyAfter: [{ workload: 'PUT w=2' }] });
    expect(formatComparisons(found)).toContain('of different load generators');
  });

  it('bring no control characters to a terminal', () => {
    const evil = 'a\x1b[2J\x9b2J';
    const [one, other] = [report(aSeries({ workload: evil })), report(aSeries({ workload: `${evil}\x07` }))];
    for (const text of [compareReports(one, one), compareReports(one, other)].map(formatComparisons))
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it('are not compared across settings; what has no counterpart is named', () => {
    const found = compareReports(report(aSeries({ keys: 10 }), aSeries({ r: 1 })), report(aSeries({ keys: 20 })));
    expect(found.both).toEqual([]);
    expect(formatComparisons(found)).toContain('only before: main, quorate, PUT w=2\n');
    expect(formatComparisons(found)).toContain('only after: main, quorate, PUT w=2\n');
  });

  it('make a table with the settings that differ', () => {
    const all = report(aRate(100, { connections: 1 }), aRate(1000, { connections: 16 }));
    const text = formatComparisons(compareReports(all, all));
    expect(text.split('\n')[0]).toMatch(/^target +workload +connections +before\/s +after\/s +× /);
    expect(text).toMatch(/quorate +PUT w=2 +16 +1,000 +1,000 +1×/);
  });

  it('have no ratio to nothing', () => {
    const dead = report(aSeries({ median: aSample({ operationsPerS: 0, p99Ms: 0 }) }));
    expect(compareReports(dead, report(aSeries())).both[0]).toMatchObject({ throughput: undefined, p99: undefined });
  });
});

describe('the command', () => {
  it('compares two files, and fails when they have nothing in common', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quorate-compare-'));
    try {
      const [before, after, other] = ['before', 'after', 'other'].map((name) => join(folder, `${name}.json`));
      if (before === undefined || after === undefined || other === undefined) throw new Error('three files');
      await writeReport(before, report(aRate(100)));
      await writeReport(after, report(aRate(200)));
      await writeReport(other, report(aRate(200, { keys: 7 })));
      const output: string[] = [];
      expect(await compareCommand([before, after], (text) => output.push(text))).toBe(0);
      expect(output.join('')).toMatch(/100 +200 +2×/);
      expect(await compareCommand([before, other], () => {})).toBe(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('wants two files', async () => {
    const output: string[] = [];
    expect(await compareCommand(['one.json'], (text) => output.push(text))).toBe(2);
    expect(output.join('')).toContain('BEFORE.json AFTER.json');
  });
});
