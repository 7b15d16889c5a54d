import type { LocalClusterOptions } from '../cluster/local-cluster.ts';
import { GET, PUT } from '../load/mix.ts';
import type { BenchOptions } from './options.ts';
import type { Question, Runner } from './runner.ts';
import { filled, type OwnTarget, ownTarget, type Target, wayOf } from './target.ts';

/** What every part of the benchmark works with. */
export interface BenchBase {
  readonly options: BenchOptions;
  readonly runner: Runner;
}

export interface Bench extends BenchBase {
  /** The cluster in question. */
  readonly target: Target;
  /** What it is compared with. */
  readonly others: readonly Target[];
}

/** The question that the options put to the target, with what a part changes about it. */
export function ask(
  { options }: BenchBase,
  target: Target,
  given: Pick<Question, 'section' | 'workload' | 'mix'> & Partial<Question>,
): Question {
  const { keys, valueBytes, connections } = options;
  return {
    target,
    read: wayOf(target.store.reads, 'quorum'),
    write: wayOf(target.store.writes, 'quorum'),
    loop: { kind: 'closed' },
    connections,
    keys,
    valueBytes,
    distribution: given.mix.distribution,
    ...given,
  };
}

/** The strong and, of reads, the weak way: a PUT and two GETs. */
export function essence(
  bench: BenchBase,
  target: Target,
  section: Question['section'],
  more: Partial<Question> = {},
): readonly Question[] {
  const write = wayOf(target.store.writes, 'quorum');
  const ways = [wayOf(target.store.reads, 'quorum'), wayOf(target.store.reads, 'one')];
  const reads = ways.filter((way, i) => ways.indexOf(way) === i);
  return [
    ask(bench, target, { section, workload: write.label, mix: PUT, write, ...more }),
    ...reads.map((read) => ask(bench, target, { section, workload: read.label, mix: GET, read, ...more })),
  ];
}

/** Repetitions where a part asks much: what it compares differs by more than chance. */
export function fewer({ options }: BenchBase): number {
  return Math.min(2, options.repetitions);
}

/** Starts a cluster, fills it, and removes it in the end. */
export async function withCluster<T>(
  { options, runner }: BenchBase,
  changes: LocalClusterOptions & { readonly keys: number },
  use: (target: OwnTarget) => Promise<T>,
): Promise<T> {
  const { keys, ...cluster } = changes;
  const { nodes, n, durability, folder } = options;
  runner.options.progress('starting nodes');
  const target = await ownTarget({ nodes, n, durability, ...(folder === undefined ? {} : { folder }), ...cluster });
  try {
    await fillWith(runner, target, keys, options.valueBytes);
    return await use(target);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${target.cluster.lastWords()}`, {
      cause: error,
    });
  } finally {
    await target.stop();
  }
}

export async function fillWith(runner: Runner, target: Target, keys: number, valueBytes: number): Promise<void> {
  await filled(target, keys, valueBytes, (written) =>
    runner.options.progress(
      `filling ${target.info.name}: ${written.toLocaleString('en')} of ${keys.toLocaleString('en')} keys`,
    ),
  );
}
