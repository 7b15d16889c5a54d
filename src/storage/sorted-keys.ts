import { compareKeys, type ObjectKey } from '../core/ids.ts';

/**
 * The keys of a map in byte order. The map must never lose a key: then those that have come since the last question are the last of it,
 * and only they are put in their place. Nothing is done for a map of which nobody asks.
 */
export class SortedKeys {
  private readonly map: ReadonlyMap<ObjectKey, unknown>;
  /** Stands before the first key that is not among the sorted ones. It must not run to the end: it would not see what comes then. */
  private readonly fresh: Iterator<ObjectKey>;
  private sorted: readonly ObjectKey[] = [];

  constructor(map: ReadonlyMap<ObjectKey, unknown>) {
    this.map = map;
    this.fresh = map.keys();
  }

  /** Those behind `after`, or all; as of now, whatever comes while they are being taken. */
  *behind(after: ObjectKey | undefined): Generator<ObjectKey, void> {
    const keys = this.upToDate();
    for (let at = after === undefined ? 0 : firstBehind(keys, after, 0); at < keys.length; at++) {
      const key = keys[at];
      if (key !== undefined) yield key;
    }
  }

  private upToDate(): readonly ObjectKey[] {
    const added: ObjectKey[] = [];
    while (this.sorted.length + added.length < this.map.size) {
      const { value, done } = this.fresh.next();
      if (done === true) break;
      added.push(value);
    }
    if (added.length > 0) this.sorted = merged(this.sorted, added.sort(compareKeys));
    return this.sorted;
  }
}

/** Few new keys among many: most are only copied, not compared. */
function merged(keys: readonly ObjectKey[], added: readonly ObjectKey[]): readonly ObjectKey[] {
  const all: ObjectKey[] = [];
  let from = 0;
  for (const key of added) {
    const to = firstBehind(keys, key, from);
    for (const before of keys.slice(from, to)) all.push(before);
    all.push(key);
    from = to;
  }
  for (const behind of keys.slice(from)) all.push(behind);
  return all;
}

/** Index of the first key, from `from` on, that is behind `after`. */
function firstBehind(keys: readonly ObjectKey[], after: ObjectKey, from: number): number {
  let low = from;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const key = keys[middle];
    if (key !== undefined && compareKeys(key, after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
