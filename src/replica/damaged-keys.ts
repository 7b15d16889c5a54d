import type { MemberNumber, ObjectKey, Partition } from '../core/ids.ts';

/** Beyond that they are found again when those before them are mended. */
const KEYS_MAX = 10_000;

export interface DamagedKey {
  readonly partition: Partition;
  readonly key: ObjectKey;
  /** Of this finding: the key may have been written anew and found damaged again since. */
  readonly finding: number;
}

/** Keys whose record could not be read. Until it is mended from the other owners this replica is out of service for them: every use is an error. */
export class DamagedKeys {
  private readonly partitions = new Map<Partition, Map<ObjectKey, number>>();
  /** Owners that an operator has said not to wait for, until nothing is damaged any more. */
  readonly excepted = new Set<MemberNumber>();
  private size = 0;
  private findings = 0;

  get count(): number {
    return this.size;
  }

  note(partition: Partition, key: ObjectKey): void {
    const keys = this.partitions.get(partition) ?? new Map<ObjectKey, number>();
    if (keys.has(key) || this.size >= KEYS_MAX) return;
    this.partitions.set(partition, keys.set(key, ++this.findings));
    this.size++;
  }

  has(partition: Partition, key: ObjectKey): boolean {
    return this.partitions.get(partition)?.has(key) === true;
  }

  hasSome(partition: Partition): boolean {
    return (this.partitions.get(partition)?.size ?? 0) > 0;
  }

  mended(partition: Partition, key: ObjectKey): void {
    if (this.partitions.get(partition)?.delete(key) !== true) return;
    if (--this.size === 0) this.excepted.clear();
  }

  isStill({ partition, key, finding }: DamagedKey): boolean {
    return this.partitions.get(partition)?.get(key) === finding;
  }

  list(): readonly DamagedKey[] {
    return Array.from(this.partitions, ([partition, keys]) =>
      Array.from(keys, ([key, finding]) => ({ partition, key, finding })),
    ).flat();
  }
}
