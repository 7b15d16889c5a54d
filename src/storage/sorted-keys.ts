import { compareKeys, type ObjectKey } from '../core/ids.ts';

/**
 * The keys of a map in byte order. The map must never lose a key: then those that have come since the last question are the last of it,
 * and only they are put in their place. Nothing is done for a map of which nobody asks.
 *
 * They are kept in runs, each in order and more than twice as long as the next one. So a key is moved about log2(n) times in all, however
 * many questions come between n keys; in a single run, every question would move all of them.
 */
export class SortedKeys {
  private readonly map: ReadonlyMap<ObjectKey, unknown>;
  /** Stands before the first key that is not among the sorted ones. It must not run to the end: it would not see what comes then. */
  private readonly fresh: Iterator<ObjectKey>;
  private runs: readonly Run[] = [];
  private sorted = 0;

  constructor(map: ReadonlyMap<ObjectKey, unknown>) {
    this.map = map;
    this.fresh = map.keys();
  }

  /** Those behind `after`, or all; as of now, whatever comes while they are being taken. */
  *behind(after: ObjectKey | undefined): Generator<ObjectKey, void> {
    const cursors = this.upToDate().map((run) => ({ run, at: after === undefined ? 0 : firstBehind(run, after) }));
    for (;;) {
      let least: ObjectKey | undefined;
      let from: Cursor | undefined;
      for (const cursor of cursors) {
        const key = cursor.run[cursor.at];
        if (key === undefined || (least !== undefined && compareKeys(key, least) > 0)) continue;
        least = key;
        from = cursor;
      }
      if (least === undefined || from === undefined) return;
      from.at++;
      yield least;
    }
  }

  private upToDate(): readonly Run[] {
    const added: ObjectKey[] = [];
    while (this.sorted + added.length < this.map.size) {
      const { value, done } = this.fresh.next();
      if (done === true) break;
      added.push(value);
    }
    if (added.length > 0) this.runs = joined(this.runs, added.sort(compareKeys));
    this.sorted += added.length;
    return this.runs;
  }
}

type Run = readonly ObjectKey[];

/** Keys before `at` have been taken. */
interface Cursor {
  readonly run: Run;
  at: number;
}

function joined(runs: readonly Run[], added: Run): readonly Run[] {
  const kept = [...runs];
  let last = added;
  for (let run = kept.at(-1); run !== undefined && run.length <= 2 * last.length; run = kept.at(-1)) {
    kept.pop();
    // The sort finds the two runs and merges them: two comparisons for each key.
    last = [...run, ...last].sort(compareKeys);
  }
  return [...kept, last];
}

/** Index of the first key that is behind `after`. */
function firstBehind(keys: Run, after: ObjectKey): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const key = keys[middle];
    if (key !== undefined && compareKeys(key, after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
