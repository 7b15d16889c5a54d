import { LocalCluster, type LocalClusterOptions } from '../cluster/local-cluster.ts';
import type { Costs } from '../report/bench-report.ts';
import { idleCpuPercent } from './idle-cpu.ts';
import type { Fill, Load } from './load.ts';
import { type MemoryOverTimeOptions, memoryOverTime, memoryWith } from './memory.ts';
import { perPut } from './per-put.ts';
import { startTime } from './start-time.ts';

export interface CostsOptions {
  readonly cluster: LocalClusterOptions;
  /** Puts with w=2 and values of `valueBytes`. */
  readonly load: Load;
  readonly fill: Fill;
  readonly valueBytes: number;
  /** Of the load that is counted, put by put. */
  readonly seconds: number;
  /** Of the same load before, which is not counted. */
  readonly warmupS: number;
  /** Counts of keys, ascending, at least one: memory and start are measured with each, all else with the last. */
  readonly keys: readonly number[];
  /** Of the load under which memory is watched; 0: it is not. */
  readonly watchedS: number;
  /** Without any load; 0: not measured. */
  readonly idleS: number;
  /** What is measured now, for people. */
  readonly onStep?: (text: string) => void;
}

/** Looks at the memory while it is watched. */
const LOOKS = 60;

/** Starts a cluster, measures what it takes for what it does, and removes it. What could not be measured is absent. */
export async function measureCosts(options: CostsOptions): Promise<Costs> {
  const { onStep = () => {} } = options;
  onStep('starting a cluster');
  const cluster = await LocalCluster.start(options.cluster);
  try {
    return await costsOf(cluster, options, onStep);
  } catch (error) {
    throw new Error(`${error}\n${cluster.lastWords()}`, { cause: error });
  } finally {
    await cluster.remove();
  }
}

/** The keys first: the heap that a long load leaves behind is none of what they take. */
async function costsOf(cluster: LocalCluster, options: CostsOptions, onStep: (text: string) => void): Promise<Costs> {
  const withKeys = await growing(cluster, options, onStep);
  const loaded = { ...options, keys: Math.max(...options.keys) };
  onStep('a node without requests');
  const idle = options.idleS > 0 ? await idleCpuPercent(cluster, options.idleS) : undefined;
  onStep('what a put takes');
  const ofPut = await perPut(cluster, loaded);
  onStep('memory under a load');
  const watched = options.watchedS > 0 ? await memoryOverTime(cluster, watching(loaded)) : [];
  return {
    valueBytes: options.valueBytes,
    nodes: cluster.ids.length,
    durability: cluster.durability,
    ...withKeys,
    ...(idle === undefined ? {} : { idleCpuPercent: idle }),
    ...(ofPut === undefined ? {} : { perPut: ofPut }),
    ...(watched.length === 0 ? {} : { memoryOverTime: watched }),
  };
}

async function growing(
  cluster: LocalCluster,
  { keys, fill, load }: CostsOptions,
  onStep: (text: string) => void,
): Promise<Pick<Costs, 'memory' | 'start'>> {
  const taken: NonNullable<Costs['memory']>[number][] = [];
  const start: NonNullable<Costs['start']>[number][] = [];
  for (const count of keys) {
    onStep(`memory with ${count} keys`);
    const bytesPerNode = await memoryWith(cluster, count, fill);
    if (bytesPerNode !== undefined) taken.push({ keys: count, bytesPerNode });
    onStep(`a start with ${count} keys`);
    start.push({ keys: count, seconds: await startTime(cluster, count, load) });
  }
  return { ...(taken.length === 0 ? {} : { memory: taken }), ...(start.length === 0 ? {} : { start }) };
}

function watching(options: Omit<CostsOptions, 'keys'> & { readonly keys: number }): MemoryOverTimeOptions {
  const { load, keys, watchedS } = options;
  return { load, keys, seconds: watchedS, everyS: Math.max(0.5, watchedS / LOOKS) };
}
