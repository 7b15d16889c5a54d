import type { ObjectKey, Partition } from '../core/ids.ts';

export interface IncompleteKey {
  readonly partition: Partition;
  readonly key: ObjectKey;
}

/**
 * Keys whose record lacks something that the partition's clock has, or was about to take in: it was lost, and had again from some of the
 * others only. They are served, each by its own context, until what is lacking has been found, or nobody has it.
 *
 * The record itself says what it lacks; this is where to find those records.
 */
export class IncompleteKeys {
  private readonly partitions = new Map<Partition, Set<ObjectKey>>();
  private readonly looked = new Set<Partition>();

  get count(): number {
    let count = 0;
    for (const keys of this.partitions.values()) count += keys.size;
    return count;
  }

  /** Of each record that is stored or found. */
  note(partition: Partition, key: ObjectKey, isIncomplete: boolean): void {
    const keys = this.partitions.get(partition);
    if (!isIncomplete) keys?.delete(key);
    else if (keys !== undefined) keys.add(key);
    else this.partitions.set(partition, new Set([key]));
  }

  /** Every record of the partition that can be read has been found. */
  lookedThrough(partition: Partition): void {
    this.looked.add(partition);
  }

  hasSome(partition: Partition): boolean {
    return (this.partitions.get(partition)?.size ?? 0) > 0;
  }

  /** Whether the clock speaks for every key of the partition. Not known, and not so, before it was looked through. */
  isNone(partition: Partition): boolean {
    return this.looked.has(partition) && !this.hasSome(partition);
  }

  list(): readonly IncompleteKey[] {
    return Array.from(this.partitions, ([partition, keys]) => Array.from(keys, (key) => ({ partition, key }))).flat();
  }
}
