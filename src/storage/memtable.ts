import type { ObjectKey, Partition } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import type { Sequence } from '../ports.ts';
import { overlaid } from './overlaid.ts';
import { SortedKeys } from './sorted-keys.ts';

/**
 * The changes that are in the log and not yet in the state table, the last of each key.
 *
 * Two generations: `active` takes changes; `frozen` is being written by a checkpoint and no longer changes. Reads look at the
 * active one first, then at the frozen one, then at the state table.
 */
export class Memtable {
  private active = new MemtableGeneration();
  private frozen: MemtableGeneration | undefined;

  /** Memory held, also by changes that were overwritten since. */
  get bytes(): number {
    return this.active.bytes + (this.frozen?.bytes ?? 0);
  }

  get entries(): number {
    return this.active.entries + (this.frozen?.entries ?? 0);
  }

  /** What the next checkpoint would write. */
  get activeBytes(): number {
    return this.active.bytes;
  }

  object(partition: Partition, key: ObjectKey): MemtableEntry | undefined {
    return this.active.objects.get(partition)?.get(key) ?? this.frozen?.objects.get(partition)?.get(key);
  }

  meta(key: string): MemtableEntry | undefined {
    return this.active.meta.get(key) ?? this.frozen?.meta.get(key);
  }

  /** The records whose key starts with `prefix`, removals included. */
  *metaWithPrefix(prefix: string): Generator<readonly [string, MemtableEntry]> {
    for (const generation of this.frozen === undefined ? [this.active] : [this.frozen, this.active]) {
      for (const record of generation.meta) if (record[0].startsWith(prefix)) yield record;
    }
  }

  putObject(partition: Partition, key: ObjectKey, object: Uint8Array | undefined, sequence: Sequence): void {
    this.active.putObject(partition, key, object, sequence);
  }

  /** The partition's clock has grown, beside its objects: the next checkpoint writes it. */
  putClock(partition: Partition, sequence: Sequence): void {
    this.active.clocks.add(partition);
    this.active.absorbed.set(partition, sequence);
  }

  /** Of the last change here that bears on the key: its own, or a growth of the clock beside the objects; 0 when there is none. */
  sequenceOf(partition: Partition, key: ObjectKey): Sequence {
    const absorbed = this.active.absorbed.get(partition) ?? this.frozen?.absorbed.get(partition) ?? 0;
    return Math.max(this.object(partition, key)?.sequence ?? 0, absorbed);
  }

  /** The partition's objects behind the key `after`, or all, the newest state of each, in byte order; removals included. */
  objectsBehind(partition: Partition, after: ObjectKey | undefined): Iterable<RecentObject> {
    const active = this.active.objectsBehind(partition, after);
    return this.frozen === undefined ? active : overlaid(active, this.frozen.objectsBehind(partition, after));
  }

  putMeta(key: string, value: Uint8Array | undefined, sequence: Sequence): void {
    this.active.putMeta(key, value, sequence);
  }

  /** Begins a new generation and returns the one that ends. */
  freeze(): MemtableGeneration {
    invariant(this.frozen === undefined, 'one checkpoint at a time');
    this.frozen = this.active;
    this.active = new MemtableGeneration();
    return this.frozen;
  }

  /** The frozen generation is in the state table. */
  release(): void {
    this.frozen = undefined;
  }
}

export interface MemtableEntry {
  readonly sequence: Sequence;
  /** Undefined: removed. */
  readonly value: Uint8Array | undefined;
}

/** A {@link MemtableEntry} under its key. */
export interface RecentObject {
  readonly key: ObjectKey;
  readonly recent: MemtableEntry;
}

export class MemtableGeneration {
  readonly objects = new Map<Partition, Map<ObjectKey, MemtableEntry>>();
  readonly meta = new Map<string, MemtableEntry>();
  /** Partitions whose clock has grown. */
  readonly clocks = new Set<Partition>();
  /** When one grew last beside its objects. */
  readonly absorbed = new Map<Partition, Sequence>();
  bytes = 0;
  entries = 0;
  private readonly order = new Map<Partition, SortedKeys>();
  private slab: Buffer = NO_SLAB;
  private slabUsed = 0;

  putObject(partition: Partition, key: ObjectKey, object: Uint8Array | undefined, sequence: Sequence): void {
    let keys = this.objects.get(partition);
    if (keys === undefined) {
      keys = new Map();
      this.objects.set(partition, keys);
      this.clocks.add(partition);
    }
    this.put(keys, key, object, sequence);
  }

  putMeta(key: string, value: Uint8Array | undefined, sequence: Sequence): void {
    this.put(this.meta, key, value, sequence);
  }

  *objectsBehind(partition: Partition, after: ObjectKey | undefined): Generator<RecentObject, void> {
    const entries = this.objects.get(partition);
    if (entries === undefined) return;
    const keys = this.order.get(partition) ?? new SortedKeys(entries);
    this.order.set(partition, keys);
    for (const key of keys.behind(after)) {
      const recent = entries.get(key);
      if (recent !== undefined) yield { key, recent };
    }
  }

  private put<K extends string>(
    into: Map<K, MemtableEntry>,
    key: K,
    value: Uint8Array | undefined,
    sequence: Sequence,
  ): void {
    const before = into.size;
    into.set(key, { sequence, value: value === undefined ? undefined : this.copy(value) });
    this.bytes += value?.length ?? 0;
    if (into.size === before) return;
    this.entries++;
    this.bytes += key.length + ENTRY_BYTES;
  }

  /** Small values share a slab that goes with the generation: an array of its own for each costs more than the copy. */
  private copy(value: Uint8Array): Uint8Array {
    if (value.length > SLAB_BYTES / 4) {
      const copy = Buffer.allocUnsafeSlow(value.length);
      copy.set(value);
      return copy;
    }
    if (this.slabUsed + value.length > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.slabUsed = 0;
    }
    const copy = this.slab.subarray(this.slabUsed, this.slabUsed + value.length);
    copy.set(value);
    this.slabUsed += value.length;
    return copy;
  }
}

const NO_SLAB = Buffer.alloc(0);
const SLAB_BYTES = 1 << 16;
/** What an entry takes beside its key and value, roughly. */
const ENTRY_BYTES = 120;
