import { describe, expect, it } from 'vitest';
import type { BenchReport, Section } from '../bench-report.ts';
import { aFullReport } from '../full-report-builder.ts';
import { anEtcd, aRate, aReport, aSample, aSeries, aTarget, someCosts } from '../report-builders.ts';
import { htmlReport } from './page.ts';

const VOID = new Set(['!doctype', 'meta', 'br']);

/** The tags that are still open at the end, or the first one that closes another. */
function unbalanced(page: string): readonly string[] {
  const open: string[] = [];
  for (const [, slash, name = '', selfClosed] of page.matchAll(/<(\/?)([!a-zA-Z][\w-]*)[^>]*?(\/?)>/g)) {
    if (VOID.has(name) || selfClosed === '/') continue;
    if (slash === '') open.push(name);
    else if (open.pop() !== name) return [`</${name}>`];
  }
  return open;
}

/** What is there, rather than the whole page, when it should not be. */
function found(page: string, what: RegExp): readonly string[] {
  return [...page.matchAll(new RegExp(what, 'g'))].map(([text]) => text);
}

function chapterOf(page: string, id: string): string {
  return page.split('<section ').find((part) => part.startsWith(`id="${id}"`)) ?? '';
}

const only = (section: Section): BenchReport => {
  const { series, ...report } = aFullReport();
  return { ...report, series: series.filter((one) => one.section === section) };
};

const FULL = htmlReport(aFullReport());

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`;

describe('the page of a report', () => {
  it('is well-formed, and no figure in it is none', () => {
    for (const page of [FULL, htmlReport(aReport()), htmlReport(aReport({ series: [], targets: [] }))]) {
      expect(unbalanced(page)).toEqual([]);
      expect(found(page, /NaN|Infinity|undefined|\[object/)).toEqual([]);
    }
  });

  it('needs nothing from elsewhere and runs nothing', () => {
    expect(found(FULL, /<script|<link|<img|<iframe|@import|\bon\w+="|\b(?:src|href)="(?!#)|url\((?!#)/)).toEqual([]);
    expect(found(FULL, /http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;;/)).toHaveLength(1);
  });

  it('has every id once, and links that lead somewhere', () => {
    const ids = [...FULL.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    const links = [...FULL.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !ids.includes(link))).toEqual([]);
    for (const [, id] of FULL.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(id);
  });

  it('has words for every drawing, and tables beside those of series', () => {
    const drawings = [...FULL.matchAll(/<svg (?!class="defs")[^>]*>/g)].map(([tag]) => tag);
    expect(drawings.length).toBeGreaterThan(20);
    for (const tag of drawings) expect(tag).toMatch(/role="img" aria-label="[^"]{10,}"/);
    for (const id of ['main', 'open-loop', 'matrix', 'ycsb', 'connections', 'values', 'outage', 'costs'])
      expect(chapterOf(FULL, id)).toContain('<table>');
  });

  it('says how it was measured, and what is unfair about it', () => {
    const method = chapterOf(FULL, 'method');
    expect(method).toContain('Each measurement was made 1 to 3 times, for 30 s, after a warm-up of 2 s.');
    for (const words of ['JSON gateway', 'Quorate keeps both as siblings', 'up to 1 ms', 'warm page cache'])
      expect(method).toContain(words);
    const other = chapterOf(htmlReport(aReport({ warmupS: 0, generator: 'autocannon' })), 'method');
    expect(other).toContain('Each measurement was made 3 times, for 30 s, without a warm-up.');
    expect(other).toContain('sent by autocannon');
    expect(other).not.toMatch(/JSON gateway|siblings|up to 1 ms|warm page cache/);
  });

  it('escapes what comes from outside', () => {
    const target = aTarget({ name: HOSTILE, version: HOSTILE, durability: HOSTILE });
    const series = aSeries({
      target: HOSTILE,
      workload: `PUT ${HOSTILE}`,
      section: 'outage',
      timeline: [0, 1].map((second) => ({ second, operations: 1, errors: 1, p50Ms: 1, p99Ms: 1 })),
      events: [{ second: 1, text: HOSTILE }],
      median: aSample({ errors: { [HOSTILE]: 1 } }),
    });
    const goal = { goal: HOSTILE, wanted: HOSTILE, found: HOSTILE, isMet: true };
    const machine = { ...aReport().machine, cpu: HOSTILE, kernel: HOSTILE, node: HOSTILE };
    const sections: readonly Section[] = [
      'main',
      'outage',
      'matrix',
      'connections',
      'nodes',
      'open-loop',
      'durability',
    ];
    const all = sections.map((section) => ({ ...series, section, w: 1 }));
    const page = htmlReport(aReport({ command: HOSTILE, machine, targets: [target], series: all, goals: [goal] }));
    expect(found(page, /<script|<img|="[^"]*<img/)).toEqual([]);
    expect(unbalanced(page)).toEqual([]);
  });

  it('shows a run in which nothing succeeded, with what came instead', () => {
    const dead = aSample({ operationsPerS: 0, p50Ms: 0, maxMs: 0, errors: { '503': 9 } });
    const sections: readonly Section[] = [
      'main',
      'matrix',
      'connections',
      'nodes',
      'values',
      'keys',
      'open-loop',
      'ycsb',
    ];
    const series = sections.flatMap((section) => [
      aSeries({ section, median: dead, w: 2 }),
      aSeries({ section, median: dead, target: 'etcd', workload: 'put' }),
    ]);
    const page = htmlReport(aReport({ targets: [aTarget(), anEtcd()], series }));
    expect(found(page, /NaN|Infinity/)).toEqual([]);
    expect(page).toContain('503: 9');
  });

  it('has only the chapters for which there is something', () => {
    const page = htmlReport(only('matrix'));
    expect(chapterOf(page, 'matrix')).not.toBe('');
    expect(chapterOf(page, 'ycsb')).toBe('');
    expect(htmlReport(aReport())).not.toContain('id="costs"');
  });
});

describe('what a reader sees first', () => {
  it('is how many times the peer, for each kind of request', () => {
    const cards = FULL.slice(FULL.indexOf('class="cards"'), FULL.indexOf('<nav'));
    expect(cards).toContain('<b>2.08×</b> <span><strong>etcd</strong> put');
    expect(cards).toContain('<b>3.03×</b> <span><strong>etcd</strong> linearizable range');
    expect(cards).toContain('class="behind"><b>0.24×</b> <span><strong>redis</strong> SET');
  });

  it('is in words, for each peer of equal durability', () => {
    const words = FULL.slice(FULL.indexOf('class="answer"'), FULL.indexOf('class="cards"'));
    expect(words).toContain('At equal durability (on disk before it is acknowledged)');
    expect(words).toContain('<b>Quorate is faster than etcd</b>: 2.08× its writes, 3.03× its reads that see');
    expect(words).toContain('1.68× its reads that see every acknowledged write, 2.04× its reads of one copy.');
    expect(words).not.toContain('redis');
    expect(words).toContain('JSON gateway');
    expect(words).toContain('With fewer than 4 on each side chance cannot be ruled out.');
  });

  it('is how far the repetitions spread', () => {
    expect(FULL).toContain('1.85× to 2.35×, of 3 repetitions');
  });

  it('is no winner where repetitions overlap, and one where they are apart', () => {
    const repetitions = Array.from({ length: 4 }, () => aSample());
    const page = (rate: number) => {
      const series = [aRate(100, { repetitions }), aRate(rate, { target: 'etcd', workload: 'put', repetitions })];
      return htmlReport(aReport({ targets: [aTarget(), anEtcd()], series }));
    };
    expect(page(95)).toContain('<li class="even"><b>1.05×</b>');
    expect(page(95)).toContain('<b>Quorate is as fast as etcd</b>: 1.05× its writes (no clear difference).');
    expect(page(95)).toContain('Where repetitions overlap, there is no clear difference.');
    expect(page(50)).toContain('1.77× to 2.26×, all repetitions apart');
    expect(page(50)).toContain('No repetition of the slower one reached any of the faster one.');
    expect(page(200)).toContain('<b>Quorate is slower than etcd</b>: 0.5× its writes.');
  });

  it('says where a peer is faster with a weaker promise', () => {
    expect(FULL).toContain('not the same durability: appendfsync everysec');
  });

  it('holds no different settings against each other', () => {
    const series = [aRate(10_000), aRate(1, { target: 'etcd', workload: 'put', keys: 5 })];
    expect(htmlReport(aReport({ targets: [aTarget(), anEtcd()], series }))).not.toContain('10,000×');
  });

  it('keeps writes that a power cut may lose apart from those that it does not', () => {
    const main = chapterOf(FULL, 'main');
    const [safe, lossy, read] = ['Write, on disk before', 'Write, acknowledged before', 'Read that sees'].map((title) =>
      main.indexOf(title),
    );
    const redis = main.indexOf('SET: appendfsync everysec');
    expect([safe, lossy, redis, read]).toEqual([...[safe, lossy, redis, read]].sort((a = 0, b = 0) => a - b));
    expect(main.slice(lossy, read)).toContain('url(#hatch');
    expect(main.slice(safe, lossy)).not.toContain('url(#hatch');
  });
});

describe('its chapters', () => {
  it('frame the quorums that overlap', () => {
    expect(chapterOf(FULL, 'matrix').match(/class="cell-frame/g)).toHaveLength(6);
  });

  it('draw one line for clusters of all sizes', () => {
    const chart = /<svg.*?<\/svg>/s.exec(chapterOf(FULL, 'nodes'))?.[0] ?? '';
    expect(chart.match(/class="line /g)).toHaveLength(1);
    expect(chart.match(/class="mark /g)).toHaveLength(4);
  });

  it('tell what happened, and when', () => {
    expect(chapterOf(FULL, 'outage')).toContain('20 s: n3 is killed');
    expect(chapterOf(FULL, 'outage')).toContain('222 requests failed');
  });

  it('show costs of which only some were measured', () => {
    const { perPut, memory, memoryOverTime, start, ...costs } = someCosts();
    const page = htmlReport(aReport({ costs }));
    expect([perPut, memory, memoryOverTime, start]).not.toContain(undefined);
    expect(chapterOf(page, 'costs')).toContain('0.42 %');
  });
});
