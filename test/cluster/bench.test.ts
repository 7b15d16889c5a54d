/** `quorate bench` with few keys: that every part runs, and that its report says what was asked. No figure is judged. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchReport, Section } from '../../bench/report/bench-report.ts';
import { readReport } from '../../bench/report/report-file.ts';
import { Program } from '../child-process.ts';
import { eventually } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

const SMALL = ['--keys', '200', '--seconds', '1', '--warmup', '0', '--repetitions', '1', '--connections', '8'];

const run = (...args: readonly string[]) => new Program('src/main.js', ['bench', ...args]).finish();

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function report(name: string, ...args: readonly string[]): Promise<BenchReport> {
  const file = join(folder, `${name}.json`);
  const { code, stderr } = await run(...SMALL, '--json', file, '--html', join(folder, `${name}.html`), ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return readReport(file);
}

const workloads = ({ series }: BenchReport, section: Section, store: string): readonly string[] =>
  series.filter((one) => one.section === section && one.target.startsWith(store)).map(({ workload }) => workload);

describe('the benchmark', { timeout: 240_000 }, () => {
  it('asks a local cluster of all that can be compared, and shows it on a page', async () => {
    const found = await report('shared', '--part', 'main', '--part', 'open-loop', '--part', 'matrix', '--part', 'ycsb');
    expect(found.targets.map(({ store, nodes, durability }) => [store, nodes, durability])).toEqual([
      ['quorate', 3, 'flush'],
      ['memory', 1, 'none'],
    ]);
    expect(workloads(found, 'main', 'Quorate')).toEqual(['PUT w=2', 'PUT w=1', 'GET r=2', 'GET r=1']);
    expect(workloads(found, 'ycsb', 'Quorate')).toHaveLength(6);
    const matrix = found.series.filter(({ section }) => section === 'matrix');
    expect(new Set(matrix.map(({ r, w }) => `${r}/${w}`)).size).toBe(9);
    const open = found.series.flatMap(({ loop }) => (loop.kind === 'open' ? [loop.ratePerS] : []));
    expect(open).toHaveLength(9);
    for (const { median } of found.series) {
      expect(median.operationsPerS).toBeGreaterThan(0);
      expect(median.errors).toEqual({});
    }
    const page = readFileSync(join(folder, 'shared.html'), 'utf8');
    expect(page).toContain('<svg');
    expect(page).not.toMatch(/(?:src|href)="http/);
  });

  it('kills a node and starts it again while it asks', async () => {
    const { series } = await report('outage', '--part', 'outage');
    const story = series.find(({ events }) => events.length > 0);
    expect(story?.events.map(({ text }) => text)).toEqual(['n3 is killed', 'n3 is started', 'n3 serves']);
    expect(series.map(({ workload }) => workload)).toContain('one node down');
    const answered = story?.timeline.filter(({ operations }) => operations > 0) ?? [];
    expect(answered.length).toBeGreaterThan((story?.timeline.length ?? 0) / 2);
  });

  it('drives a cluster that is there', async () => {
    const cluster = await RealCluster.create();
    try {
      await cluster.start();
      const urls = cluster.ids.flatMap((id) => ['--url', cluster.url(id)]);
      const { targets, series } = await report('running', '--part', 'main', ...urls);
      expect(targets[0]).toMatchObject({ store: 'quorate', isOwn: false, nodes: 3 });
      expect(series[0]?.median.serverCpuUs).toBeUndefined();
    } finally {
      await cluster.remove();
    }
  });

  it('keeps what was measured when it cannot go on', async () => {
    const server = createServer((request, response) => {
      if (request.url?.endsWith('?r=3')) {
        // Only the matrix asks so.
        server.close();
        server.closeAllConnections();
        return;
      }
      request.resume();
      response.statusCode = request.method === 'PUT' ? 204 : 200;
      const isKey = request.url?.startsWith('/v1/kv/') === true;
      response.end(isKey ? '' : '{"version":"1","n":3,"settings":{"durability":"flush"}}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const file = join(folder, 'cut-short.json');
    const parts = ['--part', 'main', '--part', 'matrix', '--json', file, '--url', url];
    const { code, stderr } = await run(...SMALL, ...parts);
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
    const found = await readReport(file);
    expect(found.failure).toContain(url);
    expect(stderr).toContain(`${file} has what was measured before`);
    expect(workloads(found, 'main', 'Quorate')).toEqual(['PUT w=2', 'PUT w=1', 'GET r=2', 'GET r=1']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends by %s as shells say it, and leaves nothing behind', async (signal, code) => {
    const data = mkdtempSync(join(folder, 'data-'));
    const program = new Program('src/main.js', ['bench', '--data', data]);
    await eventually(async () => (readdirSync(data).length > 0 ? true : undefined));
    program.child.kill(signal);
    expect(await program.ended()).toMatchObject({ code, stderr: '' });
    expect(readdirSync(data)).toEqual([]);
  });

  it.each([
    [['--json', '/none/report.json'], 1, /ENOENT.*\/none\/report\.json/],
    [['--keys', 'many'], 2, /Expected a whole number/],
    [['--url', 'http://127.0.0.1:9', '--part', 'main'], 1, /127\.0\.0\.1:9/],
    [['compare', 'no.json', 'no.json'], 1, /no\.json/],
  ])('says in one line why %j cannot be done', async (args, code, message) => {
    const result = await run(...args);
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(message);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
  });
});
