import { beforeEach, describe, expect, it } from 'vitest';
import { containerOf, dot, dots, floor } from '../core/causality/causality-builders.ts';
import { encodeContainer } from '../core/causality/container.ts';
import { type DotSet, dotSetOf, EMPTY_DOTS, union } from '../core/causality/dot-set.ts';
import { hintedWrites } from '../core/causality/hinted-writes.ts';
import { createCommand, History, n1 } from '../core/cluster/cluster-builders.ts';
import type { ClusterState } from '../core/cluster/cluster-state.ts';
import { epoch, logIndex, memberNumber, objectKey, type Partition, partition } from '../core/ids.ts';
import { CatchUp } from '../membership/catch-up.ts';
import { openTestStore, type TestStore, turn } from '../storage/storage-builders.ts';
import { HintStore } from './hint-store.ts';
import { examineOlderFolder } from './older-folder.ts';

const [p0, p1] = [partition(0), partition(1)];
const [first, second] = [memberNumber(1), memberNumber(2)];
const entries = dots('1.3.1', '1.3.2');

let test: TestStore;
let catchUp: CatchUp;
let hints: HintStore;
let isStopped: boolean;

/** The first member's actors up to grant 5 are retired, with the same entries in both partitions. */
function stateWith(agreed: DotSet): ClusterState {
  const retirement = { member: first, floor: logIndex(5), entries: new Map([p0, p1].map((at) => [at, agreed])) };
  return { ...new History(createCommand()).present, retirements: new Map([[first, retirement]]) };
}

function store(at: Partition, name: string, text: string): void {
  const object = encodeContainer({ siblings: containerOf([dot(text)]).siblings, context: [] });
  test.store.apply(at, objectKey('b', name), object, [dot(text)]);
}

const keysOf = (at: Partition): number => test.store.scan(at, undefined, 1000).length;

/** How many steps it took. */
async function examine(state = stateWith(entries)): Promise<number> {
  const needs = { self: n1, ...test, hints, catchUp, isStopped: () => isStopped };
  let isOver = false;
  const over = examineOlderFolder(needs, state).finally(() => {
    isOver = true;
  });
  let steps = 0;
  for (; !isOver; steps++) {
    await turn();
    test.clock.advance(2);
  }
  await over;
  return steps;
}

/** As the process finds it after its end. */
async function again(): Promise<void> {
  await test.store.durable(test.store.lastSequence, 'flush');
  test = await openTestStore(test);
  hints = new HintStore(test.store, test.clock, 1 << 20, test.logger);
  catchUp = new CatchUp(test.store);
}

beforeEach(async () => {
  isStopped = false;
  test = await openTestStore();
  test.store.applyMeta([CatchUp.ofWholeFolder(true)]);
  hints = new HintStore(test.store, test.clock, 1 << 20, test.logger);
  catchUp = new CatchUp(test.store);
  store(p0, 'agreed', '1.3.1');
  store(p1, 'agreed', '1.3.1');
});

describe('a folder that is put back', () => {
  it('gives up the partitions with writes that were retired as lost, objects and clock, and no other', async () => {
    store(p0, 'lost', '1.3.3');
    await examine();
    await again();
    expect([keysOf(p0), test.store.clock(p0)]).toEqual([0, EMPTY_DOTS]);
    expect([keysOf(p1), test.store.clock(p1)]).toEqual([1, dots('1.3.1')]);
    expect([catchUp.isOpen(p0), catchUp.isOpen(p1), catchUp.isUnexamined]).toEqual([true, true, false]);
  });

  it('keeps what was agreed on, and writes of actors that are not retired', async () => {
    for (const text of ['1.3.2', '1.6.9', '2.3.7']) store(p0, text, text);
    await examine();
    expect(keysOf(p0)).toBe(4);
    expect(test.store.clock(p0)).toEqual(dots('1.3.1', '1.3.2', '1.6.9', '2.3.7'));
  });

  it('keeps what its own floor stands for, which it had agreed to', async () => {
    test.store.applyClock(p0, floor(1, 3));
    await examine(stateWith(union(floor(1, 3), dots('1.5.1'))));
    expect(test.store.clock(p0)).toEqual(floor(1, 3));
  });

  it('gives up what nobody can tell any more, since only a floor is left of what was agreed on', async () => {
    await examine(stateWith(floor(1, 3)));
    expect(test.store.clock(p0)).toEqual(EMPTY_DOTS);
  });

  it('loses the hints of such writes, which say what they have overwritten, and no other', async () => {
    const address = (name: string) => ({ epoch: epoch(1), partition: p1, key: objectKey('b', name) });
    const hint = (text: string) => hintedWrites(containerOf([dot(text)], dots('1.3.1')), dots(text));
    hints.keep(second, address('agreed'), hint('1.3.2'), 'counted');
    hints.keep(second, address('lost'), hint('1.3.3'), 'counted');
    await examine();
    await again();
    expect([...hints.keysFor(second)]).toEqual([objectKey('b', 'agreed')]);
  });

  it('is looked through in steps, each small', async () => {
    for (let i = 0; i < 250; i++) store(p0, `lost ${i}`, `1.4.${i + 1}`);
    expect(await examine()).toBeGreaterThanOrEqual(3);
    expect([keysOf(p0), test.store.stats().objects]).toEqual([0, 1]);
  });

  it('goes on after an end in between, which left it knowing why', async () => {
    for (let i = 0; i < 250; i++) store(p0, `lost ${i}`, `1.4.${i + 1}`);
    isStopped = true;
    await examine();
    await again();
    expect(keysOf(p0)).toBe(151);
    expect(test.store.clock(p0)).toEqual(union(dots('1.3.1'), dotsOfActor(250)));
    expect(catchUp.isUnexamined).toBe(true);
    isStopped = false;
    await examine();
    expect([keysOf(p0), test.store.clock(p0), catchUp.isUnexamined]).toEqual([0, EMPTY_DOTS, false]);
  });
});

const dotsOfActor = (count: number): DotSet => dotSetOf(Array.from({ length: count }, (_, i) => dot(`1.4.${i + 1}`)));
