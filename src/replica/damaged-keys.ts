import type { ObjectKey, Partition } from '../core/ids.ts';

/** Beyond that they are found again when those before them are mended. */
const KEYS_MAX = 10_000;

export interface DamagedKey {
  readonly partition: Partition;
  readonly key: ObjectKey;
}

/** Keys whose record could not be read. Until it is mended from the other owners this replica is out of service for them: every use is an error. */
export class DamagedKeys {
  private readonly partitions = new Map<Partition, Set<ObjectKey>>();
  private size = 0;

  get count(): number {
    return this.size;
  }

  note(partition: Partition, key: ObjectKey): void {
    const keys = this.partitions.get(partition) ?? new Set();
    if (keys.has(key) || this.size >= KEYS_MAX) return;
    this.partitions.set(partition, keys.add(key));
    this.size++;
  }

  mended(partition: Partition, key: ObjectKey): void {
    if (this.partitions.get(partition)?.delete(key) === true) this.size--;
  }

  list(): readonly DamagedKey[] {
    return Array.from(this.partitions, ([partition, keys]) => Array.from(keys, (key) => ({ partition, key }))).flat();
  }
}
