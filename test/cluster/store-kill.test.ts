import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const child = fileURLToPath(new URL('../../dist/test/cluster/store-kill-child.js', import.meta.url));
const KILLS = 50;
/** Long enough that checkpoints and several log segments go by in many of the lives, short enough to hit the start as well. */
const LIFE_MS_MAX = 300;

interface Life {
  /** Changes found at the start; undefined when it was killed before it had looked. */
  readonly found: number | undefined;
  /** The last change that it said was durable. */
  readonly durable: number | undefined;
  readonly stderr: string;
  readonly signal: NodeJS.Signals | null;
}

/** Starts a process on the folder, kills it some time after it began to write (sometimes before), and tells what it said. */
async function oneLife(folder: string): Promise<Life> {
  const node = spawn(process.execPath, [child, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let found: number | undefined;
  let durable: number | undefined;
  let stderr = '';
  node.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const early = Math.random() < 0.15;
  if (early) killAfter(node, 50 + Math.random() * 200);
  const lines = createInterface(node.stdout);
  lines.on('line', (line) => {
    const [what, number] = line.split(' ');
    if (what === 'durable') durable = Number(number);
    if (what !== 'found') return;
    found = Number(number);
    if (!early) killAfter(node, Math.random() * LIFE_MS_MAX);
  });
  const [[, signal]] = await Promise.all([once(node, 'exit'), once(lines, 'close')]);
  return { found, durable, stderr, signal };
}

function killAfter(node: ChildProcess, ms: number): void {
  setTimeout(() => node.kill('SIGKILL'), ms);
}

it(`a store killed ${KILLS} times has lost nothing that it called durable`, { timeout: 120_000 }, async () => {
  expect(existsSync(child), 'the child process is compiled: npm run build').toBe(true);
  const folder = await mkdtemp(join(tmpdir(), 'quorate-kill-'));
  try {
    let durable = -1;
    let lookedAt = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const life = await oneLife(folder);
      // Its own checks of content and clocks end it with an error instead of our signal.
      expect(life.stderr).toBe('');
      expect(life.signal).toBe('SIGKILL');
      if (life.found === undefined) continue;
      lookedAt++;
      expect(life.found, 'changes found again').toBeGreaterThan(durable);
      durable = Math.max(life.found - 1, life.durable ?? -1);
    }
    expect(lookedAt).toBeGreaterThan(KILLS / 2);
    expect(durable).toBeGreaterThan(KILLS);
  } finally {
    await rm(folder, { recursive: true });
  }
});
