import { GET, HALF_AND_HALF, type Mix, PUT, READ_MODIFY_WRITE, YCSB } from '../load/mix.ts';
import type { Series } from '../report/bench-report.ts';
import { ask, type Bench, essence, fewer, fillWith } from './bench.ts';
import type { SharedPart } from './options.ts';
import type { Question } from './runner.ts';
import { type Target, wayWith } from './target.ts';

/** What each part asks of the cluster in question, and of the others. */
export const SHARED_WORK: Readonly<Record<SharedPart, (bench: Bench) => Promise<unknown>>> = {
  main,
  'open-loop': openLoop,
  connections,
  ycsb,
  matrix,
  values,
};

const CONNECTIONS = [1, 16, 64, 256];
const VALUE_BYTES = [100, 1024, 4096, 16_384, 65_536];
/** Written again with each size: few enough for any disk. */
const VALUE_KEYS = 2000;
const SHARES = [0.25, 0.5, 0.75];

/** Every way in which the cluster and the others read and write that can be compared. */
function main(bench: Bench): Promise<readonly Series[]> {
  return bench.runner.ask([bench.target, ...bench.others].flatMap((target) => mainQuestions(bench, target)));
}

function mainQuestions(bench: Bench, target: Target): readonly Question[] {
  const { reads, writes } = target.store;
  return [
    ...writes
      .filter(({ strength }) => strength !== 'other')
      .map((write) => ask(bench, target, { section: 'main', workload: write.label, mix: PUT, write })),
    ...reads
      .filter(({ strength }) => strength !== 'other')
      .map((read) => ask(bench, target, { section: 'main', workload: read.label, mix: GET, read })),
  ];
}

/** At rates that follow from what the closed loop reached just before. */
async function openLoop(bench: Bench): Promise<void> {
  const { rate } = bench.options;
  for (const question of essence(bench, bench.target, 'open-loop')) {
    const rates = rate === undefined ? await sharesOf(bench, question) : [rate];
    await bench.runner.ask(rates.map((ratePerS) => ({ ...question, loop: { kind: 'open', ratePerS } })));
  }
}

async function sharesOf({ runner }: Bench, question: Question): Promise<readonly number[]> {
  const known = runner.series.find(
    ({ section, target, workload }) =>
      section === 'main' && target === question.target.info.name && workload === question.workload,
  );
  const [closed] = known === undefined ? await runner.ask([{ ...question, section: 'main' }]) : [known];
  return SHARES.map((share) => Math.max(1, Math.round((closed?.median.operationsPerS ?? 0) * share)));
}

function connections(bench: Bench): Promise<readonly Series[]> {
  const questions = CONNECTIONS.flatMap((count) => essence(bench, bench.target, 'connections', { connections: count }));
  return bench.runner.ask(questions, fewer(bench));
}

/** Also of those it is compared with. */
function ycsb(bench: Bench): Promise<readonly Series[]> {
  const mixes: readonly Mix[] = [...YCSB, READ_MODIFY_WRITE];
  const targets = [bench.target, ...bench.others.filter(({ info }) => info.store !== 'memory')];
  const questions = mixes.flatMap((mix) =>
    targets.map((target) => ask(bench, target, { section: 'ycsb', workload: mix.name, mix })),
  );
  return bench.runner.ask(questions, fewer(bench));
}

/** Half reads and half writes, with every number of replicas that each can wait for. */
function matrix(bench: Bench): Promise<readonly Series[]> {
  const { target } = bench;
  const levels = target.store.reads.flatMap(({ replicas }) => replicas ?? []).sort((a, b) => a - b);
  const mix = HALF_AND_HALF;
  const questions = levels.flatMap((r) =>
    levels.map((w) => {
      const [read, write] = [wayWith(target.store.reads, r), wayWith(target.store.writes, w)];
      return ask(bench, target, { section: 'matrix', workload: mix.name, mix, read, write });
    }),
  );
  return bench.runner.ask(questions, fewer(bench));
}

async function values(bench: Bench): Promise<void> {
  for (const valueBytes of VALUE_BYTES) {
    await fillWith(bench.runner, bench.target, VALUE_KEYS, valueBytes);
    await bench.runner.ask(essence(bench, bench.target, 'values', { valueBytes, keys: VALUE_KEYS }), fewer(bench));
  }
  await fillWith(bench.runner, bench.target, VALUE_KEYS, bench.options.valueBytes);
}
