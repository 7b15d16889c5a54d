import { tmpdir } from 'node:os';
import { machine } from '../cluster/machine.ts';
import { putFill, putLoad } from '../costs/load.ts';
import { measureCosts } from '../costs/measure-costs.ts';
import type { BenchReport, Costs } from '../report/bench-report.ts';
import type { Findings } from '../report/goal-setting.ts';
import { goalsOf } from '../report/goals.ts';
import { quorate } from '../stores/quorate.ts';
import { type BenchBase, fillWith } from './bench.ts';
import { memoryTarget } from './memory-target.ts';
import { type BenchOptions, OWN_PARTS, SHARED_PARTS, type SharedPart } from './options.ts';
import { OWN_WORK } from './own-parts.ts';
import { SHARED_WORK } from './parts.ts';
import { Runner, type Say } from './runner.ts';
import { ownTarget, peerTarget, runningTarget, type Target, toldApart, wayWith } from './target.ts';
import { versionAndCommit } from './version-and-commit.ts';

const COST_KEYS = [100_000, 1_000_000];
const WATCHED_S = 600;
const IDLE_S = 20;
/** Long against the checkpoints that follow it, which are counted too. */
const PUT_S = 30;
const PUT_W = 2;

export interface ReportNeeds {
  readonly options: BenchOptions;
  /** As it was typed. */
  readonly command: string;
  readonly progress: Say;
  /** So many parts are over. */
  readonly onPart: (done: number) => void;
}

/**
 * Measures all that the options ask for. When something cannot be measured the report has what was measured by then, and says why in
 * {@link BenchReport.failure}. Whatever was started for it has ended when this resolves.
 */
export async function benchReport(needs: ReportNeeds): Promise<BenchReport> {
  const startMs = performance.now();
  const date = new Date().toISOString();
  const { options, command, progress } = needs;
  const { seconds, warmupS, repetitions, generator } = options;
  const where = await machine(options.urls.length === 0 ? (options.folder ?? tmpdir()) : undefined);
  const runner = new Runner({ seconds, warmupS, repetitions, generator, progress });
  const { costs, failure } = await measured(needs, { options, runner });
  const findings: Findings = {
    format: 1,
    date,
    tookS: Math.round((performance.now() - startMs) / 1000),
    machine: where,
    command,
    version: versionAndCommit(),
    warmupS,
    generator,
    ...(failure === undefined ? {} : { failure }),
    targets: [...runner.targets.values()],
    series: runner.series,
    costs,
  };
  return { ...findings, goals: goalsOf(findings) };
}

/** Never rejects. */
async function measured(
  { options, progress, onPart }: ReportNeeds,
  base: BenchBase,
): Promise<{ costs: Costs | undefined; failure: string | undefined }> {
  let costs: Costs | undefined;
  try {
    const shared = SHARED_PARTS.filter((part) => options.parts.includes(part));
    if (shared.length > 0) await askShared(base, shared, onPart);
    for (const [i, part] of OWN_PARTS.filter((one) => options.parts.includes(one)).entries()) {
      onPart(shared.length + i);
      if (part === 'costs') costs = await costsOf(options, progress);
      else await OWN_WORK[part](base);
    }
    return { costs, failure: undefined };
  } catch (error) {
    return { costs, failure: error instanceof Error ? error.message : String(error) };
  }
}

async function askShared(base: BenchBase, parts: readonly SharedPart[], onPart: ReportNeeds['onPart']): Promise<void> {
  const { options, runner } = base;
  const open: Target[] = [];
  const opened = async (target: Promise<Target>): Promise<Target> => {
    const one = toldApart(await target, open);
    open.push(one);
    return one;
  };
  try {
    runner.options.progress('starting');
    const target = await opened(inQuestion(options));
    const others = [await opened(memoryTarget())];
    for (const peer of options.peers) others.push(await opened(peerTarget(peer)));
    for (const one of open) await fillWith(runner, one, options.keys, options.valueBytes);
    for (const [i, part] of parts.entries()) {
      onPart(i);
      await SHARED_WORK[part]({ ...base, target, others });
    }
  } finally {
    // All of them, also when one cannot be stopped: that is tried again when this process ends.
    await Promise.allSettled(open.map((target) => target.stop()));
  }
}

function inQuestion({ urls, nodes, n, durability, folder }: BenchOptions): Promise<Target> {
  if (urls.length > 0) return runningTarget(urls);
  return ownTarget({ nodes, n, durability, ...(folder === undefined ? {} : { folder }) });
}

function costsOf(options: BenchOptions, onStep: (text: string) => void): Promise<Costs> {
  const { nodes, n, durability, folder, valueBytes, connections, warmupS } = options;
  const store = quorate(n);
  const puts = { store, write: wayWith(store.writes, Math.min(PUT_W, n)), valueBytes, connections };
  return measureCosts({
    cluster: { nodes, n, durability, ...(folder === undefined ? {} : { folder }) },
    load: putLoad(puts),
    fill: putFill(puts),
    valueBytes,
    warmupS,
    seconds: PUT_S,
    keys: COST_KEYS,
    watchedS: WATCHED_S,
    idleS: IDLE_S,
    onStep: (text) => onStep(`costs: ${text}`),
  });
}
