import { compareKeys, type ObjectKey, type Partition } from '../core/ids.ts';
import type { StoredObject } from '../ports.ts';
import type { Checksum32, StateTable } from './devices.ts';
import type { Memtable } from './memtable.ts';
import { objectBounds, objectKeyText, wholeStateValue } from './state-format.ts';

export interface ScanOptions {
  readonly state: StateTable;
  readonly checksum32: Checksum32;
  readonly memtable: Memtable;
  readonly partition: Partition;
  /** Undefined: from the first object on. */
  readonly after: ObjectKey | undefined;
  readonly limit: number;
}

/**
 * At most `limit` objects of the partition behind `after`, in byte order of their keys: those of the table with what the memtable
 * knows better. The memtable is looked through whole, since it keeps no order: scan in large steps.
 */
export function scanObjects(options: ScanOptions): readonly StoredObject[] {
  const { state, checksum32, memtable, partition, after, limit } = options;
  const recent = new Map<ObjectKey, Uint8Array | undefined>();
  for (const [key, { value }] of memtable.objectsOf(partition)) {
    if (after === undefined || compareKeys(after, key) < 0) recent.set(key, value);
  }
  const [start, end] = objectBounds(partition, after);
  // What the memtable removes may fill the limit: so many more are read.
  const entries = state.range(start, end, limit + recent.size);
  const found: StoredObject[] = [];
  for (const entry of entries) {
    const key = objectKeyText(entry.key);
    if (!recent.has(key)) found.push({ key, object: wholeStateValue(entry, checksum32) });
  }
  for (const [key, object] of recent) if (object !== undefined) found.push({ key, object });
  return found.sort((a, b) => compareKeys(a.key, b.key)).slice(0, limit);
}
