import { tmpdir } from 'node:os';
import { machine } from '../cluster/machine.ts';
import { putFill, putLoad } from '../costs/load.ts';
import { measureCosts } from '../costs/measure-costs.ts';
import type { BenchReport, Costs } from '../report/bench-report.ts';
import { goalsOf } from '../report/goals.ts';
import { type BenchBase, fillWith } from './bench.ts';
import { type BenchOptions, OWN_PARTS, SHARED_PARTS, type SharedPart } from './options.ts';
import { OWN_WORK } from './own-parts.ts';
import { SHARED_WORK } from './parts.ts';
import { Runner, type Say } from './runner.ts';
import { memoryTarget, ownTarget, peerTarget, runningTarget, type Target } from './target.ts';

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

/** Measures all that the options ask for. Whatever was started for it has ended when this resolves or rejects. */
export async function benchReport({ options, command, progress, onPart }: ReportNeeds): Promise<BenchReport> {
  const startMs = performance.now();
  const date = new Date().toISOString();
  const where = machine(options.urls.length === 0 ? (options.folder ?? tmpdir()) : undefined);
  const { seconds, warmupS, repetitions, generator, parts } = options;
  const runner = new Runner({ seconds, warmupS, repetitions, generator, progress });
  const base = { options, runner };
  const shared = SHARED_PARTS.filter((part) => parts.includes(part));
  if (shared.length > 0) await askShared(base, shared, onPart);
  let costs: Costs | undefined;
  for (const [i, part] of OWN_PARTS.filter((one) => parts.includes(one)).entries()) {
    onPart(shared.length + i);
    if (part === 'costs') costs = await costsOf(options, progress);
    else await OWN_WORK[part](base);
  }
  const findings = {
    ...({ format: 1, date, command, machine: where, costs } as const),
    tookS: Math.round((performance.now() - startMs) / 1000),
    targets: [...runner.targets.values()],
    series: runner.series,
  };
  return { ...findings, goals: goalsOf(findings) };
}

async function askShared(base: BenchBase, parts: readonly SharedPart[], onPart: ReportNeeds['onPart']): Promise<void> {
  const { options, runner } = base;
  const open: Target[] = [];
  const opened = async (target: Promise<Target>): Promise<Target> => {
    open.push(await target);
    return target;
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
    for (const target of open) await target.stop();
  }
}

function inQuestion({ urls, nodes, n, durability, folder }: BenchOptions): Promise<Target> {
  if (urls.length > 0) return runningTarget(urls);
  return ownTarget({ nodes, n, durability, ...(folder === undefined ? {} : { folder }) });
}

function costsOf(options: BenchOptions, onStep: (text: string) => void): Promise<Costs> {
  const { nodes, n, durability, folder, valueBytes, connections, keys, warmupS } = options;
  const put = { w: Math.min(PUT_W, n), keys, valueBytes };
  return measureCosts({
    cluster: { nodes, n, durability, ...(folder === undefined ? {} : { folder }) },
    load: putLoad(put),
    fill: putFill({ ...put, connections }),
    ...{ valueBytes, connections, warmupS, seconds: PUT_S, keys: COST_KEYS, watchedS: WATCHED_S, idleS: IDLE_S },
    onStep: (text) => onStep(`costs: ${text}`),
  });
}
