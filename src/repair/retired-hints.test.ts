import { beforeEach, describe, expect, it } from 'vitest';
import { dots } from '../core/causality/causality-builders.ts';
import { dotsIn } from '../core/causality/dot-set.ts';
import { hintedWrites } from '../core/causality/hinted-writes.ts';
import type { Retirement } from '../core/causality/retirement.ts';
import { epoch, logIndex, type MemberNumber, memberNumber, objectKey, partition } from '../core/ids.ts';
import type { Store } from '../ports.ts';
import { HintStore } from '../replica/hint-store.ts';
import { openTestStore, type TestStore } from '../storage/storage-builders.ts';
import { RetiredHints } from './retired-hints.ts';

const first = memberNumber(1);
const retirement: Retirement = { member: first, floor: logIndex(3), entries: new Map([[partition(0), dots('1.3.1')]]) };
const none: ReadonlyMap<MemberNumber, Retirement> = new Map();
const retired: ReadonlyMap<MemberNumber, Retirement> = new Map([[first, retirement]]);

let disk: TestStore;
let hints: HintStore;
let reads: number;
let work: RetiredHints;

/** Hints of so many keys, each of these writes. */
function keep(count: number, texts: readonly string[], valueBytes = 1): void {
  const all = dots(...texts);
  const siblings = Array.from(dotsIn(all), (dot) => ({ dot, version: new Uint8Array(valueBytes) }));
  const writes = hintedWrites({ siblings, context: all }, all);
  for (let i = 0; i < count; i++) {
    const key = objectKey('b', `${texts}/${i}`);
    hints.keep(memberNumber(2), { epoch: epoch(1), partition: partition(0), key }, writes, 'counted');
  }
  reads = 0;
}

beforeEach(async () => {
  disk = await openTestStore();
  reads = 0;
  const store: Store = Object.create(disk.store, {
    meta: {
      value: (name: string) => {
        reads++;
        return disk.store.meta(name);
      },
    },
  });
  hints = new HintStore(store, disk.clock, 1 << 30, disk.logger);
  work = new RetiredHints({ hints, clock: disk.clock, logger: disk.logger });
});

describe('hints of retired writes', () => {
  it('are not looked for where nothing was retired', () => {
    keep(10, ['1.3.1']);
    work.discard(none);
    expect([reads, hints.count]).toEqual([0, 10]);
  });

  it('go once for each retirement, whatever else there is', () => {
    keep(1, ['1.3.1']);
    keep(1, ['1.3.2']);
    keep(1, ['1.4.1']);
    keep(1, ['1.3.1', '2.3.1']);
    work.discard(retired);
    expect(hints.count).toBe(3);
    reads = 0;
    work.discard(retired);
    expect(reads).toBe(0);
  });

  it('go step by step, in the background', () => {
    keep(1000, ['1.3.1']);
    work.discard(retired);
    expect(reads).toBeLessThanOrEqual(200);
    expect(hints.count).toBe(1000 - reads);
    disk.clock.advance(5);
    expect(reads).toBeLessThanOrEqual(400);
    disk.clock.advance(100);
    expect(hints.count).toBe(0);
  });

  it('are read a few at a time where they are large', () => {
    keep(20, ['1.3.1'], 400_000);
    work.discard(retired);
    expect(reads).toBe(3);
    disk.clock.advance(100);
    expect(hints.count).toBe(0);
  });

  it('are looked for anew when there is another retirement meanwhile', () => {
    keep(300, ['1.4.1']);
    work.discard(retired);
    const entries = new Map([[partition(0), dots('1.3.1', '1.4.1')]]);
    work.discard(new Map([[first, { ...retirement, floor: logIndex(4), entries }]]));
    disk.clock.advance(100);
    expect(hints.count).toBe(0);
  });

  it('stay when the node stops', () => {
    keep(300, ['1.3.1']);
    work.discard(retired);
    work.stop();
    disk.clock.advance(100);
    expect(hints.count).toBe(100);
  });
});
