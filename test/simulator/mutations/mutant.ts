import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folderName, type Mutation, mutated } from './mutation.ts';
import type { SeedReport } from './try-seeds.ts';

/** Where `tsc` puts what it compiles; from the sources as well as from there. */
const DIST = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../../dist/' : '../../../', import.meta.url));
export const UNBROKEN = DIST;
const TRY_SEEDS = join('test', 'simulator', 'mutations', 'try-seeds.js');
const TIME_MAX_MS = 30 * 60_000;

/**
 * What judges is not what is judged: of the copied simulator only the machines run the broken product. Dot sets, containers and
 * token MACs, as the checkers, the clients and the observer use them, are the unbroken ones.
 */
const JUDGED_WITH = /(?<=from ')(?=(?:\.\.\/)+src\/(?:core\/causality|system\/token-mac))/g;
const PRODUCT_SIDE = 'machine.js';

export type Verdict =
  | {
      readonly kind: 'caught';
      readonly seeds: number;
      readonly checker: string;
      readonly what: string;
      readonly ms: number;
    }
  | { readonly kind: 'survived'; readonly seeds: number; readonly ms: number }
  /** Caught, but not by what should; or by what fails without the mutation too; or not decided. */
  | { readonly kind: 'wrong'; readonly reason: string; readonly ms: number };

/** The compiled text of the file that the mutation changes. */
export function compiledText({ file }: Mutation): string {
  return readFileSync(join(DIST, 'src', file), 'utf8');
}

/** Builds the broken product with a simulator around it, and runs seeds until a checker finds it. */
export async function tryMutation(mutation: Mutation): Promise<Verdict> {
  const startedMs = performance.now();
  const folder = makeMutant(mutation);
  try {
    const verdict = await judge(mutation, folder);
    return { ...verdict, ms: Math.round(performance.now() - startedMs) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Undated = Verdict extends infer V ? (V extends { readonly ms: number } ? Omit<V, 'ms'> : never) : never;

async function judge(mutation: Mutation, folder: string): Promise<Undated> {
  const { seedsMax, checkers } = mutation;
  const report = await trySeeds(folder, runs(mutation, 1, seedsMax));
  if (typeof report === 'string') return { kind: 'wrong', reason: report };
  const { violations, tried, seed } = report;
  if (violations.length === 0) return { kind: 'survived', seeds: tried };
  const expected = violations.find(({ checker }) => checkers.includes(checker));
  if (expected === undefined) {
    const found = [...new Set(violations.map(({ checker }) => checker))].join(', ');
    return {
      kind: 'wrong',
      reason: `found by ${found} after ${tried}, expected ${checkers.join(' or ')}: ${violations[0]?.what}`,
    };
  }
  const unbroken = await tryUnbroken(runs(mutation, seed, seed));
  if (typeof unbroken === 'string' || unbroken.violations.length > 0) {
    return { kind: 'wrong', reason: `seed ${seed} fails without the mutation too` };
  }
  return { kind: 'caught', seeds: tried, checker: expected.checker, what: expected.what };
}

const unbrokenReports = new Map<string, Promise<SeedReport | string>>();

/** Many mutations are caught by the same seed. */
function tryUnbroken(args: readonly string[]): Promise<SeedReport | string> {
  const name = args.join(' ');
  const report = unbrokenReports.get(name) ?? trySeeds(UNBROKEN, args);
  unbrokenReports.set(name, report);
  return report;
}

function runs({ scenario, among }: Mutation, from: number, to: number): readonly string[] {
  return scenario === undefined
    ? [among === undefined ? 'seeds' : 'raft', String(from), String(to)]
    : ['scenario', scenario];
}

function makeMutant(mutation: Mutation): string {
  const folder = join(DIST, 'mutants', `${folderName(mutation.name)}-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  for (const part of ['src', join('test', 'simulator'), join('test', 'raft')]) {
    const isCopied = (path: string): boolean => !path.endsWith('.map') && !path.endsWith('.test.js');
    cpSync(join(DIST, part), join(folder, part), { recursive: true, filter: isCopied });
  }
  const path = join(folder, 'src', mutation.file);
  writeFileSync(path, mutated(readFileSync(path, 'utf8'), mutation));
  separateJudges(join(folder, 'test', 'simulator'));
  return folder;
}

function separateJudges(simulator: string): void {
  let separated = 0;
  for (const name of readdirSync(simulator, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js') || name === PRODUCT_SIDE) continue;
    const path = join(simulator, name);
    const text = readFileSync(path, 'utf8');
    // From dist/mutants/NAME/test/simulator to dist/src instead of dist/mutants/NAME/src.
    const apart = text.replace(JUDGED_WITH, '../../');
    if (apart === text) continue;
    writeFileSync(path, apart);
    separated++;
  }
  if (separated === 0) throw new Error('the checkers would judge with the broken product');
}

/** In a process of its own: what is broken may hang, and two copies of a program must not meet. A text is an error. */
export function trySeeds(folder: string, args: readonly string[]): Promise<SeedReport | string> {
  const program = join(folder, TRY_SEEDS);
  if (!existsSync(program)) throw new Error(`${program} is missing: npm run build`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), TIME_MAX_MS);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(JSON.parse(Buffer.concat(out).toString()));
      else resolve(`the simulator ended with ${signal ?? code}: ${Buffer.concat(err).toString().slice(-1000)}`);
    });
  });
}
