import type { ObjectKey, Partition } from '../core/ids.ts';
import type { StoredObject } from '../ports.ts';
import type { Checksum32, StateEntry, StateTable } from './devices.ts';
import type { Memtable } from './memtable.ts';
import { overlaid } from './overlaid.ts';
import { objectBounds, objectKeyText, wholeStateValue } from './state-format.ts';

export interface ScanOptions {
  readonly state: StateTable;
  readonly checksum32: Checksum32;
  readonly memtable: Memtable;
  readonly partition: Partition;
  /** Undefined: from the first object on. */
  readonly after: ObjectKey | undefined;
  readonly limit: number;
  readonly bytesMax: number;
}

/**
 * At most `limit` objects of the partition behind `after`, in byte order of their keys, and of at most `bytesMax` together with their
 * keys, but one at least: those of the table with what the memtable knows better. What is behind them is not looked at.
 */
export function scanObjects(options: ScanOptions): readonly StoredObject[] {
  const { checksum32, memtable, partition, after, limit, bytesMax } = options;
  const found: StoredObject[] = [];
  let bytes = 0;
  for (const one of overlaid(memtable.objectsBehind(partition, after), tableObjects(options))) {
    if ('recent' in one && one.recent.value === undefined) continue;
    const object = 'recent' in one ? one.recent.value : wholeStateValue(one.entry, checksum32);
    bytes += one.key.length + (object?.length ?? 0);
    if (found.length > 0 && bytes > bytesMax) break;
    found.push({ key: one.key, object });
    if (found.length >= limit) break;
  }
  return found;
}

function* tableObjects({ state, partition, after }: ScanOptions): Generator<{
  readonly key: ObjectKey;
  readonly entry: StateEntry;
}> {
  for (const entry of state.range(...objectBounds(partition, after))) yield { key: objectKeyText(entry.key), entry };
}
