import { keyOf, type ObjectKey, type Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Clock, Logger, Store } from '../ports.ts';
import type { Replica } from '../replica/replica.ts';

export interface InventoryOptions {
  readonly store: Store;
  readonly replica: Replica;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Keys that are looked at in one step. */
  readonly keys: number;
}

/** Beyond so many bytes a step takes no more keys. */
const STEP_BYTES = 1 << 20;
/** Between two steps: requests come first. */
const PAUSE_MS = 2;
/** After so long the exchanges with other owners come first, and the rest waits for the next round, from the middle of a partition as well. */
const TURN_MS = 1000;
/** Between two partitions that are counted anew, each in its turn: what has vanished from the disk while the node ran is found so. */
const RECOUNT_MS = 600_000;

/** As the log says it. */
export const CONTENT_SURPRISES = 'what is stored of a partition is not what was written';

/** A count that has not come to its end. What is stored up to `passed` has been looked at. */
interface Walk {
  readonly partition: Partition;
  passed: ObjectKey | undefined;
  isWhole: boolean;
}

/** Looks through what is stored, partition by partition: which keys have a context, and what the hash of the contents is. */
export class Inventory {
  private readonly options: InventoryOptions;
  private readonly taken = new Set<Partition>();
  /** Goes on in the next round. Until then it is as between any two steps: what changes is in its hash or still before it. */
  private interrupted: Walk | undefined;
  private isStopped = false;
  private recountAtMs: number;
  private recounts = 0;

  constructor(options: InventoryOptions) {
    this.options = options;
    this.recountAtMs = options.clock.monotonicMs() + RECOUNT_MS;
  }

  stop(): void {
    this.isStopped = true;
  }

  /** Counts the partitions that were not counted before, once, as far as its time goes; and now and then one of the others. */
  async take(partitions: readonly Partition[]): Promise<void> {
    const { clock } = this.options;
    const endMs = clock.monotonicMs() + TURN_MS;
    while (!this.isStopped && clock.monotonicMs() < endMs) {
      const walk = this.interrupted ?? this.beginNext(partitions);
      if (walk === undefined) return;
      await this.goOn(walk, endMs);
    }
  }

  /**
   * From the first key to the last, whatever time it takes; a count of it that was interrupted is done with. Writes may go on meanwhile. A
   * partition that cannot be read is reported, and its hash stays what it is: it must not hold up the rest.
   */
  async count(partition: Partition): Promise<void> {
    await this.goOn(this.begin(partition), Infinity);
  }

  private beginNext(partitions: readonly Partition[]): Walk | undefined {
    const next = partitions.find((partition) => !this.taken.has(partition)) ?? this.dueAgain(partitions);
    return next === undefined ? undefined : this.begin(next);
  }

  private dueAgain(partitions: readonly Partition[]): Partition | undefined {
    const nowMs = this.options.clock.monotonicMs();
    if (nowMs < this.recountAtMs || partitions.length === 0) return undefined;
    this.recountAtMs = nowMs + RECOUNT_MS;
    return partitions[this.recounts++ % partitions.length];
  }

  private begin(partition: Partition): Walk {
    this.taken.add(partition);
    this.options.replica.content.beginCount(partition);
    // Its hash is gone: the rest of it would be looked at for nothing.
    if (this.interrupted?.partition === partition) this.interrupted = undefined;
    return { partition, passed: undefined, isWhole: true };
  }

  private async goOn(walk: Walk, endMs: number): Promise<void> {
    const { partition } = walk;
    if (this.interrupted === walk) this.interrupted = undefined;
    try {
      if (!(await this.hasEnded(walk, endMs))) this.interrupted = walk;
    } catch (error) {
      this.options.replica.content.breakOffCount(partition);
      if (!(error instanceof StoreError)) throw error;
      this.options.logger.error({ partition, reason: error.message }, 'a partition cannot be looked through');
    }
  }

  /** False when its time is up. The look that finds no more and the end are one step: a key written between them would not be in the hash. */
  private async hasEnded(walk: Walk, endMs: number): Promise<boolean> {
    const { store, clock, keys, replica } = this.options;
    const { partition } = walk;
    for (;;) {
      const found = store.scan(partition, walk.passed, keys, STEP_BYTES);
      if (found.length === 0) break;
      for (const { key, object } of found) walk.isWhole = this.find(partition, key, object) && walk.isWhole;
      walk.passed = found.at(-1)?.key;
      await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
      if (this.isStopped) {
        replica.content.breakOffCount(partition);
        return true;
      }
      if (clock.monotonicMs() >= endMs) return false;
    }
    this.end(walk);
    return true;
  }

  private end({ partition, isWhole }: Walk): void {
    const { replica, logger } = this.options;
    replica.incomplete.lookedThrough(partition);
    if (!isWhole) replica.content.breakOffCount(partition);
    else if (!replica.content.endCount(partition)) logger.error({ partition }, CONTENT_SURPRISES);
  }

  /** One damaged record must not keep those behind it from being found. */
  private find(partition: Partition, key: ObjectKey, object: Uint8Array | undefined): boolean {
    try {
      this.options.replica.found(partition, key, object);
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.options.logger.error({ partition, key: keyOf(key), reason: error.message }, 'a damaged record');
      return false;
    }
  }
}
