import type { Dot } from '../core/causality/dot.ts';
import { addDots, type DotSet, EMPTY_DOTS, union } from '../core/causality/dot-set.ts';
import { compareKeys, type ObjectKey, type Partition } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import { StoreError } from '../errors.ts';
import type { Durability, MetaChange, Sequence, Store, StoredObject, StoreStats, Timer } from '../ports.ts';
import { checkKey } from './check-key.ts';
import type { EngineParts } from './engine-parts.ts';
import { scanObjects } from './scan-objects.ts';
import { damaged, metaStateKey, objectStateKey, stateValue } from './state-format.ts';
import { metaInTable } from './state-read.ts';

/**
 * The store: a change goes to the log and to the memtable in one turn, and to the state table with the next checkpoint. Reads see the
 * memtable first. Clocks are all in memory.
 *
 * Made by `openStore`.
 */
export class StorageEngine implements Store {
  private readonly parts: EngineParts;
  private readonly clocks: Map<Partition, DotSet>;
  private objects: number;
  /** The key that was read or changed last, and whether there is an object: whoever changes one has read it just before. */
  private last: { readonly partition: Partition; readonly key: ObjectKey; readonly isThere: boolean } | undefined;
  private failure: StoreError | undefined;
  private closing: Promise<void> | undefined;
  private timer: Timer | undefined;
  private checkpointing: Promise<void> | undefined;

  constructor(parts: EngineParts) {
    this.parts = parts;
    this.clocks = parts.clocks;
    this.objects = parts.objects;
  }

  /** The memtable is at its limit: the disk is slower than the writers. They should be refused until it has caught up. */
  get overloaded(): boolean {
    return this.parts.memtable.bytes > this.parts.memtableBytesMax;
  }

  read(partition: Partition, key: ObjectKey): Uint8Array | undefined {
    const recent = this.parts.memtable.object(partition, key);
    const value =
      recent === undefined
        ? this.stored(objectStateKey(partition, key), `an object of partition ${partition}`)
        : recent.value;
    this.last = { partition, key, isThere: value !== undefined };
    return value;
  }

  unflushed(partition: Partition, key: ObjectKey): Sequence {
    const sequence = this.parts.memtable.sequenceOf(partition, key);
    return sequence > this.parts.log.flushedThrough ? sequence : 0;
  }

  clock(partition: Partition): DotSet {
    return this.clocks.get(partition) ?? EMPTY_DOTS;
  }

  apply(partition: Partition, key: ObjectKey, object: Uint8Array | undefined, dots: readonly Dot[]): Sequence {
    this.checkWritable();
    checkKey(key);
    this.count(partition, key, object !== undefined);
    const sequence = this.parts.log.appendObject(partition, key, object, dots);
    this.parts.memtable.putObject(partition, key, object, sequence);
    if (dots.length > 0) this.clocks.set(partition, addDots(this.clock(partition), dots));
    this.changed();
    return sequence;
  }

  applyClock(partition: Partition, dots: DotSet): Sequence {
    this.checkWritable();
    const sequence = this.parts.log.appendClock(partition, dots);
    this.parts.memtable.putClock(partition, sequence);
    this.clocks.set(partition, union(this.clock(partition), dots));
    this.changed();
    return sequence;
  }

  forgetClock(partition: Partition): Sequence {
    this.checkWritable();
    const sequence = this.parts.log.appendForget(partition);
    this.parts.memtable.putClock(partition, sequence);
    this.clocks.set(partition, EMPTY_DOTS);
    this.changed();
    return sequence;
  }

  get lastSequence(): Sequence {
    return this.parts.log.lastSequence;
  }

  scan(
    partition: Partition,
    after: ObjectKey | undefined,
    limit: number,
    bytesMax = Infinity,
  ): readonly StoredObject[] {
    const { state, checksum32, memtable } = this.parts;
    return this.reading(
      () => scanObjects({ state, checksum32, memtable, partition, after, limit, bytesMax }),
      `partition ${partition}`,
    );
  }

  meta(key: string): Uint8Array | undefined {
    const recent = this.parts.memtable.meta(key);
    if (recent !== undefined) return recent.value;
    return this.stored(metaStateKey(key), `record ${key}`);
  }

  metaWithPrefix(prefix: string): readonly { readonly key: string; readonly value: Uint8Array }[] {
    const records: { readonly key: string; readonly value: Uint8Array }[] = [];
    this.visitMeta(prefix, (key, value) => {
      if (value === undefined) throw damaged(`record ${key}`);
      records.push({ key, value });
    });
    return records.sort((a, b) => compareKeys(a.key, b.key));
  }

  visitMeta(prefix: string, visit: (key: string, value: Uint8Array | undefined) => void): void {
    const recent = new Map(this.parts.memtable.metaWithPrefix(prefix));
    for (const [key, { value }] of recent) if (value !== undefined) visit(key, value);
    const stored = metaInTable(this.parts.state, this.parts.checksum32, prefix);
    for (;;) {
      const next = this.reading(() => stored.next(), `records ${prefix}*`);
      if (next.done) return;
      const [key, value] = next.value;
      if (!recent.has(key)) visit(key, value);
    }
  }

  applyMeta(changes: readonly MetaChange[]): Sequence {
    this.checkWritable();
    for (const { key } of changes) checkKey(key);
    const sequence = this.parts.log.appendMeta(changes);
    for (const { key, value } of changes) this.parts.memtable.putMeta(key, value, sequence);
    this.changed();
    return sequence;
  }

  durable(sequence: Sequence, level: Durability): Promise<void> {
    invariant(sequence <= this.parts.log.lastSequence, `change ${sequence} has not been made`);
    return this.parts.log.durable(sequence, level);
  }

  stats(): StoreStats {
    const { log, memtable, checkpointer, state } = this.parts;
    return {
      objects: this.objects,
      flushes: log.flushes,
      logBytes: log.bytes,
      checkpoints: checkpointer.count,
      checkpointBytes: checkpointer.bytes,
      memtableBytes: memtable.bytes,
      memtableEntries: memtable.entries,
      stateBytes: state.bytes(),
    };
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.timer?.cancel();
    this.parts.log.hurry();
    try {
      await this.checkpointing;
      if (this.failure === undefined) await this.checkpoint();
    } finally {
      await this.parts.log.close();
      await this.closeState();
      await this.parts.release();
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** After a failure the table may never close, and the process has to end all the same. */
  private async closeState(): Promise<void> {
    const { state, clock } = this.parts;
    if (this.failure === undefined) return state.close();
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.after(CLOSE_AFTER_FAILURE_MS, resolve);
    });
    await Promise.race([state.close(), late]);
    timer?.cancel();
  }

  /** A device failed. What is not durable now never will be. */
  fail(cause: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = storageFailure(cause);
    this.timer?.cancel();
    this.parts.log.fail(this.failure);
    this.parts.logger.error({ err: cause }, 'storage failed');
    this.parts.failed(this.failure);
  }

  private isThere(partition: Partition, key: ObjectKey): boolean {
    const recent = this.parts.memtable.object(partition, key);
    if (recent !== undefined) return recent.value !== undefined;
    const place = objectStateKey(partition, key);
    return this.reading(() => this.parts.state.get(place), `partition ${partition}`) !== undefined;
  }

  private count(partition: Partition, key: ObjectKey, isThere: boolean): void {
    const { last } = this;
    const isKnown = last?.partition === partition && last.key === key;
    const wasThere = isKnown ? last.isThere : this.isThere(partition, key);
    this.objects += Number(isThere) - Number(wasThere);
    this.last = { partition, key, isThere };
  }

  private changed(): void {
    if (this.checkpointing !== undefined) return;
    if (this.parts.memtable.activeBytes >= this.parts.checkpointBytes) this.startCheckpoint();
    else this.timer ??= this.parts.clock.after(this.parts.checkpointDelayMs, () => this.startCheckpoint());
  }

  private startCheckpoint(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.checkpointing = this.checkpoint().finally(() => {
      this.checkpointing = undefined;
      const done = this.parts.checkpointer.completed === this.parts.log.lastSequence;
      if (!done && this.failure === undefined && this.closing === undefined) this.changed();
    });
  }

  private async checkpoint(): Promise<void> {
    const { checkpointer, log } = this.parts;
    const through = log.lastSequence;
    try {
      if (await checkpointer.run(through, () => log.durable(through, 'flush'))) await log.recycle(through);
    } catch (error) {
      this.fail(error);
    }
  }

  private stored(key: Uint8Array, where: string): Uint8Array | undefined {
    return this.reading(() => {
      const value = this.parts.state.get(key);
      return value === undefined ? undefined : stateValue({ key, value }, this.parts.checksum32, where);
    }, where);
  }

  private reading<T>(read: () => T, where: string): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw new StoreError('storage-failed', `Stored data cannot be read (${where}).`, {}, { cause: error });
    }
  }

  private checkWritable(): void {
    invariant(this.closing === undefined, 'a closed store takes no changes');
    if (this.failure !== undefined) throw this.failure;
  }
}

const CLOSE_AFTER_FAILURE_MS = 2000;
function storageFailure(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(
    'storage-failed',
    `The data could not be written: ${reason}`,
    { outcome: 'unknown' },
    { cause },
  );
}
