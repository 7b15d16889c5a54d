/** `npm run bench -- repair` with few keys: that it runs, and that what it says of any machine is so. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Program } from '../child-process.ts';

const KEYS = 60;
/** Of 64 partitions and a pair of nodes. */
const RESTING_BYTES_MAX = 1024;

async function results(...parts: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-'));
  const file = join(folder, 'results.json');
  try {
    const options = ['--keys', String(KEYS), '--value', '10', '--seconds', '0.5', '--json', file];
    const chosen = parts.flatMap((part) => ['--part', part]);
    const { code, stderr } = await new Program('bench/run.js', ['repair', ...options, ...chosen]).finish();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return { ...JSON.parse(readFileSync(file, 'utf8')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.concurrent('the benchmark of repair', { timeout: 120_000 }, () => {
  it('tells what nodes tell each other at rest, and what moves after an outage', async () => {
    const { atRest, outages } = await results('at-rest', 'hints');
    expect(atRest).toMatchObject({ partitions: 64, bytesPerRound: expect.any(Number) });
    expect(atRest).toSatisfy(({ bytesPerRound }) => bytesPerRound > 64 * 8 && bytesPerRound < RESTING_BYTES_MAX);
    expect(outages).toMatchObject([{ served: 'hints', timesDiffering: expect.any(Number), comparisons: 0 }]);
  });

  it('tells how clients fare meanwhile', async () => {
    const { foreground } = await results('clients');
    const phases = ['calm', 'restart, nothing missed', 'hints', 'calm', 'dot log'];
    expect(foreground).toMatchObject(phases.map((phase) => ({ phase, putP99Ms: expect.any(Number) })));
  });

  it('finds nothing left of what was deleted', async () => {
    const left = ['n1', 'n2', 'n3'].map((node) => ({ node, objects: 0, residues: 0 }));
    expect((await results('deletes')).deletion).toMatchObject({ keys: KEYS, left });
  });

  it('refuses a part that it does not have', async () => {
    const { code, stderr } = await new Program('bench/run.js', ['repair', '--part', 'all']).finish();
    expect(code).toBe(1);
    expect(stderr).toContain('--part all: there are at-rest,');
  });
});
