import type { DotSet } from '../core/causality/dot-set.ts';
import type { Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Clock, Sequence, Timer } from '../ports.ts';
import type { Checksum32, StateTable, StateWrite } from './devices.ts';
import type { Memtable, MemtableGeneration } from './memtable.ts';
import {
  clockKey,
  clockValue,
  metaStateKey,
  objectStateKey,
  STORE_KEY,
  stateWrite,
  storeRecord,
} from './state-format.ts';

/**
 * Moves the memtable to the state table, hot keys once, so that the log can be recycled.
 *
 * A generation is written in several transactions, to bound each; the clocks and the completed sequence are in the last one. A
 * crash between two of them leaves objects that are newer than the clocks beside them. That is harmless, because the table then
 * still names the earlier completed sequence: every change after it is read from the log again, in order, before anything is
 * served, and a change carries its whole effect. For that the log must be on disk before the first transaction is, and stay
 * there until after the last one.
 */
export class Checkpointer {
  count = 0;
  bytes = 0;
  /** The state table holds every change up to here. */
  completed: Sequence;
  private readonly options: CheckpointOptions;

  constructor(completed: Sequence, options: CheckpointOptions) {
    this.completed = completed;
    this.options = options;
  }

  /**
   * Writes what is in the memtable now; `through` is the last change that it holds. Only one at a time.
   * Resolves to false when there was nothing to write.
   */
  async run(through: Sequence, flushed: () => Promise<void>): Promise<boolean> {
    const { memtable } = this.options;
    if (through === this.completed) return false;
    const frozen = memtable.freeze();
    const clocks = Array.from(frozen.clocks, (partition) => [partition, this.options.clockOf(partition)] as const);
    await flushed();
    let batch: StateWrite[] = [];
    let encoded = 0;
    for (const write of this.writes(frozen)) {
      batch.push(write);
      if (++encoded % ENTRIES_PER_TURN === 0) await this.turn();
      if (batch.length < this.options.batchEntries) continue;
      await this.commit(batch);
      batch = [];
    }
    await this.commit([...batch, ...this.lastWrites(clocks, through)]);
    memtable.release();
    this.completed = through;
    this.count++;
    return true;
  }

  private *writes(frozen: MemtableGeneration): Generator<StateWrite> {
    const { checksum32 } = this.options;
    for (const [partition, keys] of frozen.objects) {
      for (const [key, { value }] of keys) yield stateWrite(objectStateKey(partition, key), value, checksum32);
    }
    for (const [key, { value }] of frozen.meta) yield stateWrite(metaStateKey(key), value, checksum32);
  }

  private lastWrites(clocks: readonly (readonly [Partition, DotSet])[], through: Sequence): StateWrite[] {
    const { checksum32 } = this.options;
    return [
      ...clocks.map(([partition, clock]) => stateWrite(clockKey(partition), clockValue(clock), checksum32)),
      stateWrite(STORE_KEY, storeRecord(through), checksum32),
    ];
  }

  private async commit(batch: readonly StateWrite[]): Promise<void> {
    const { clock, state, commitTimeoutMs } = this.options;
    for (const { key, value } of batch) this.bytes += key.length + (value?.length ?? 0);
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = clock.after(commitTimeoutMs, () => reject(tookTooLong(commitTimeoutMs)));
    });
    try {
      await Promise.race([state.write(batch), late]);
    } finally {
      timer?.cancel();
    }
  }

  /** Lets requests in between two stretches of encoding. */
  private turn(): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.after(0, resolve);
    });
  }
}

function tookTooLong(commitTimeoutMs: number): StoreError {
  return new StoreError('storage-failed', `A commit of the state table took longer than ${commitTimeoutMs} ms.`);
}

export interface CheckpointOptions {
  readonly memtable: Memtable;
  readonly state: StateTable;
  readonly clock: Clock;
  readonly checksum32: Checksum32;
  readonly clockOf: (partition: Partition) => DotSet;
  /** Entries in one transaction, at most. */
  readonly batchEntries: number;
  /** Commits were seen to hang for ever after a failure of the disk. */
  readonly commitTimeoutMs: number;
}

const ENTRIES_PER_TURN = 256;
