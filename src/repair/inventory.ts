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
/** After so long the exchanges with other owners come first, and the rest waits for the next round. */
const TURN_MS = 1000;
/** Between two partitions that are counted anew, each in its turn: what has vanished from the disk while the node ran is found so. */
const RECOUNT_MS = 600_000;

/** As the log says it. */
export const CONTENT_SURPRISES = 'what is stored of a partition is not what was written';

/** Looks through what is stored, partition by partition: which keys have a context, and what the hash of the contents is. */
export class Inventory {
  private readonly options: InventoryOptions;
  private readonly taken = new Set<Partition>();
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
    for (const partition of partitions) {
      if (this.taken.has(partition)) continue;
      if (this.isStopped || clock.monotonicMs() >= endMs) return;
      await this.count(partition);
    }
    const nowMs = clock.monotonicMs();
    if (nowMs < this.recountAtMs || partitions.length === 0) return;
    const next = partitions[this.recounts++ % partitions.length];
    this.recountAtMs = nowMs + RECOUNT_MS;
    if (next !== undefined) await this.count(next);
  }

  /** Writes may go on meanwhile. A partition that cannot be read is reported, and its hash stays what it is: it must not hold up the rest. */
  async count(partition: Partition): Promise<void> {
    const { content } = this.options.replica;
    this.taken.add(partition);
    content.beginCount(partition);
    try {
      await this.walk(partition);
    } catch (error) {
      content.breakOffCount(partition);
      if (!(error instanceof StoreError)) throw error;
      this.options.logger.error({ partition, reason: error.message }, 'a partition cannot be looked through');
    }
  }

  /** The look that finds no more and the end are one step: a key written between them would not be in the hash. */
  private async walk(partition: Partition): Promise<void> {
    const { store, clock, keys } = this.options;
    let isWhole = true;
    for (let found = store.scan(partition, undefined, keys, STEP_BYTES); found.length > 0; ) {
      for (const { key, object } of found) isWhole = this.find(partition, key, object) && isWhole;
      await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
      if (this.isStopped) return this.options.replica.content.breakOffCount(partition);
      found = store.scan(partition, found.at(-1)?.key, keys, STEP_BYTES);
    }
    this.end(partition, isWhole);
  }

  private end(partition: Partition, isWhole: boolean): void {
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
