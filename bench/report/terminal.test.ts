import { describe, expect, it } from 'vitest';
import { aFullReport } from './full-report-builder.ts';
import { htmlReport } from './html/page.ts';
import { LiveLine, type LiveOutput, progressText } from './live-line.ts';
import { readmeSection } from './readme.ts';
import { aRate, aReport, aSample, aSeries, aTarget, someCosts } from './report-builders.ts';
import { formatReport } from './terminal.ts';

describe('a report in a terminal', () => {
  it('has a table for each section, the costs and the goals', () => {
    const text = formatReport(aFullReport());
    for (const title of ['Side by side', 'Every R and W', 'Open loop', 'What it takes', 'Goals: 17 met, 1 not met'])
      expect(text).toContain(`\n${title}`);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('says that it ended early, and why, as the page and the README do', () => {
    const report = aReport({ failure: 'no space left' });
    for (const text of [formatReport(report), htmlReport(report), readmeSection(report, 'a.json')])
      expect(text).toMatch(/ended early: no space left/i);
    expect(formatReport(aReport())).not.toMatch(/ended early/i);
  });

  it('names the machine, the command and what was driven', () => {
    const text = formatReport(aReport());
    expect(text).toContain('quorate bench --full');
    expect(text).toContain(
      '2 × Example CPU @ 2.50GHz, 8.2 GB of memory, Linux 6.1.0, Node 20.20.2; a flush of 4 KiB takes 0.42 ms',
    );
    expect(text).toMatch(/quorate +quorate 0\.1\.0 +flush +3/);
  });

  it('tells what all have in common once, and has columns for the rest', () => {
    const text = formatReport(aReport({ series: [aRate(100, { connections: 1 }), aRate(900, { connections: 16 })] }));
    expect(text).toContain('closed loop, 3 nodes, 100,000 keys, values of 100 B, uniform keys\n');
    expect(text).toMatch(/target +workload +connections +ops\/s/);
    expect(text).toMatch(/quorate +PUT w=2 +16 +900/);
  });

  it('has columns for r and w where the name of the workload does not say them', () => {
    const cells = [1, 2].map((w) => aSeries({ section: 'matrix', workload: 'YCSB A', kind: 'mix', r: 1, w }));
    expect(formatReport(aReport({ series: cells }))).toMatch(/workload +w +ops\/s/);
    expect(formatReport(aReport({ series: cells }))).toContain('uniform keys, r=1\n');
  });

  it('counts errors by what came', () => {
    const series = aSeries({ median: aSample({ errors: { '503': 2, timeout: 1 } }) });
    expect(formatReport(aReport({ series: [series] }))).toContain('503: 2, timeout: 1');
  });

  it('obeys nothing that stores or files say', () => {
    const evil = 'a\x1b]0;title\x07\x9b1m\r';
    const text = formatReport(
      aReport({
        command: evil,
        machine: { ...aReport().machine, cpu: evil },
        targets: [aTarget({ name: evil, version: evil, durability: evil })],
        series: [aSeries({ target: evil, workload: evil, median: aSample({ errors: { [evil]: 1 } }) })],
        goals: [{ goal: evil, wanted: evil, found: evil, isMet: true }],
      }),
    );
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(text).toContain('a�]0;title��1m�');
  });

  it('says that the disk was in memory', () => {
    const text = (isDiskInMemory: boolean) =>
      formatReport(aReport({ machine: { ...aReport().machine, isDiskInMemory } }));
    expect(text(true)).toContain('the disk of the nodes is in memory');
    expect(text(false)).not.toContain('in memory');
  });

  it('leaves out costs that were not measured', () => {
    const { perPut, ...costs } = someCosts();
    const text = formatReport(aReport({ costs }));
    expect(perPut).toBeDefined();
    expect(text).toMatch(/memory of a node, 1,000,000 keys +168 MB/);
    expect(text).not.toContain('flushes');
  });
});

describe('the live line', () => {
  const progress = { done: 10, all: 40, text: 'quorate, PUT w=2', elapsedS: 60 };

  function written(output: Partial<LiveOutput>): readonly string[] {
    const texts: string[] = [];
    const line = new LiveLine({ ...output, write: (text) => texts.push(text) });
    line.show(progress);
    line.clear();
    return texts;
  }

  it('is written over where somebody watches', () => {
    const [shown, cleared] = written({ isTTY: true });
    expect(shown).toBe(`\r\x1b[K${progressText(progress)}`);
    expect(cleared).toBe('\r\x1b[K');
  });

  it('is nothing in a pipe', () => {
    expect(written({})).toEqual([]);
    expect(written({ isTTY: false })).toEqual([]);
  });

  it('obeys nothing in what it shows', () => {
    const texts: string[] = [];
    new LiveLine({ isTTY: true, write: (text) => texts.push(text) }).show({ ...progress, text: 'a\x1b[2J' });
    expect(texts[0]?.slice(4)).not.toMatch(/\p{Cc}/u);
  });

  it('is cut before it wraps', () => {
    expect(written({ isTTY: true, columns: 12 })[0]).toBe('\r\x1b[K10/40  quor');
  });

  it('tells what goes on and how long it takes', () => {
    expect(progressText(progress)).toBe('10/40  quorate, PUT w=2  1 min');
    expect(progressText({ ...progress, done: 0, now: { operations: 9820, p99Ms: 9.78, errors: 3 } })).toBe(
      '0/40  quorate, PUT w=2  9,820/s  p99 9.78 ms  3 errors  1 min',
    );
  });
});
