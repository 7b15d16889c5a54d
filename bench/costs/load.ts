import { fill } from '../load/fill.ts';
import { measure } from '../load/measure.ts';
import { PUT } from '../load/mix.ts';
import type { Store, Way } from '../stores/store.ts';

/**
 * Puts in a closed loop for so long, of keys that are drawn uniformly from the first `keys`, all of them there. `operations` are all that was sent between the call and its answer, with no warm-up left out,
 * since what nodes used meanwhile is divided by them. `clientCpuUs` is of the load generator, an operation.
 */
export type Load = (
  urls: readonly string[],
  keys: number,
  seconds: number,
) => Promise<{ readonly operations: number; readonly clientCpuUs: number }>;

/** Writes the first `keys` keys once each, and resolves when all are acknowledged. */
export type Fill = (urls: readonly string[], keys: number) => Promise<void>;

export interface PutOptions {
  readonly store: Store;
  readonly write: Way;
  readonly valueBytes: number;
  readonly connections: number;
}

/** Rejects when a put does not succeed: what it costs would be unknown. */
export function putLoad(options: PutOptions): Load {
  const [read] = options.store.reads;
  if (read === undefined) throw new Error(`${options.store.name} has no way to read`);
  const question = { ...options, read, mix: PUT, distribution: PUT.distribution, loop: { kind: 'closed' } } as const;
  return async (urls, keys, seconds) => {
    const { sample, latencies } = await measure({ ...question, addresses: urls, keys, seconds, warmupS: 0 });
    const failed = Object.values(sample.errors).reduce((sum, count) => sum + count, 0);
    if (failed > 0) throw new Error(`${failed} puts did not succeed: ${JSON.stringify(sample.errors)}`);
    // Those that were under way at the end are among these, and not among the rate.
    return { operations: latencies.totalCount, clientCpuUs: sample.clientCpuUs };
  };
}

/** Rejects when a put does not succeed, however often it is tried. */
export function putFill(options: PutOptions): Fill {
  return (urls, keys) => fill({ ...options, addresses: urls, keys });
}
