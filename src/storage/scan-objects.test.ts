import { beforeEach, describe, expect, it } from 'vitest';
import type { StateEntry } from './devices.ts';
import { MemoryStateTable } from './memory-state-table.ts';
import { bytes, checkpointed, key, openTestStore, p1, type TestStore } from './storage-builders.ts';

/** Counts the entries that are read from it. */
class CountedTable extends MemoryStateTable {
  read = 0;

  override *range(start: Uint8Array, end: Uint8Array): Generator<StateEntry, void> {
    for (const entry of super.range(start, end)) {
      this.read++;
      yield entry;
    }
  }
}

const name = (i: number) => key(`k${String(i).padStart(4, '0')}`);

let state: CountedTable;
let test: TestStore;

describe('a step of a scan', () => {
  beforeEach(async () => {
    state = new CountedTable();
    test = await openTestStore({ state });
    for (let i = 0; i < 1000; i++) test.store.apply(p1, name(i), bytes('x'.repeat(100)), []);
    await checkpointed(test.store, test.clock);
    state.read = 0;
  });

  it('reads as many entries of the table as it finds objects', () => {
    expect(test.store.scan(p1, undefined, 10)).toHaveLength(10);
    expect(state.read).toBe(10);
  });

  it('reads no values behind the bytes that it may take', () => {
    expect(test.store.scan(p1, undefined, 500, 1100)).toHaveLength(10);
    expect(state.read).toBeLessThanOrEqual(11);
  });

  it('reads no more for what else was changed lately', () => {
    for (let i = 0; i < 1000; i += 2) test.store.apply(p1, name(i), i % 4 === 0 ? undefined : bytes('new'), []);
    expect(test.store.scan(p1, name(499), 10).map((object) => object.key)).toEqual(
      [501, 502, 503, 505, 506, 507, 509, 510, 511, 513].map(name),
    );
    expect(state.read).toBeLessThanOrEqual(14);
  });
});
