import { beforeEach, describe, expect, it } from 'vitest';
import { containerOf, dot, dots, floor } from '../core/causality/causality-builders.ts';
import { type DotSet, dotSetOf, EMPTY_DOTS } from '../core/causality/dot-set.ts';
import { hintedWrites } from '../core/causality/hinted-writes.ts';
import type { Retirement } from '../core/causality/retirement.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import { epoch, logIndex, type MemberNumber, memberNumber, nodeId, objectKey, partition } from '../core/ids.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import { openTestStore, type TestStore } from '../storage/storage-builders.ts';
import { EndedActors } from './ended-actors.ts';
import { foldRetired } from './fold-retired.ts';
import { HintStore } from './hint-store.ts';
import { discardRetired, hintedDots } from './hinted-dots.ts';

const first = memberNumber(1);
const p0 = partition(0);
const key = objectKey('b', 'k');
const refused = expect.objectContaining({ code: 'conflict' });
const entries = dots('1.3.1', '1.3.2');
const retirement = (to: number, set: DotSet): Retirement => ({
  ...{ member: first, floor: logIndex(to) },
  entries: new Map(set.length === 0 ? [] : [[p0, set]]),
});

let disk: TestStore;
let retirements: Map<MemberNumber, Retirement>;
let ended: EndedActors;
/** As after a restart. */
const open = (): EndedActors => new EndedActors(disk.store, () => retirements);

beforeEach(async () => {
  disk = await openTestStore();
  retirements = new Map();
  ended = open();
});

/** A message that brings the write; beside it, what else is there of the key. */
const message = (text: string, ...siblings: string[]) => ({
  ...{ epoch: epoch(1), partition: p0, key, dots: [dot(text)] },
  container: containerOf([text, ...siblings].map(dot)),
});
const check = (text: string, ...siblings: string[]) => ended.check(message(text, ...siblings));

describe('after a promise', () => {
  beforeEach(() => {
    ended.promise(retirement(3, entries));
  });

  it('writes of ended actors are refused unless they are among the entries', () => {
    check('1.3.2');
    check('1.4.1');
    check('2.3.3');
    expect(() => check('1.3.3')).toThrow(refused);
    expect(() => check('1.1.1')).toThrow(refused);
    expect(() => check('2.9.1', '1.3.3')).toThrow(refused);
    expect(ended.refused).toBe(3);
  });

  it('what the clock has is a repetition, and harmless', () => {
    disk.store.apply(p0, key, undefined, [dot('1.3.3')]);
    check('1.3.3');
  });

  it('what only a floor of the clock says is none', () => {
    disk.store.applyClock(p0, floor(1, 3));
    expect(() => check('1.3.3')).toThrow(refused);
  });

  it('hints still come to their owners', () => {
    ended.check({ ...message('1.3.3'), delivery: true });
  });

  it('it holds after a restart too', () => {
    ended = open();
    expect(() => check('1.3.3')).toThrow(refused);
    check('1.3.2');
  });

  it('one about fewer actors takes nothing back', () => {
    ended.promise(retirement(2, EMPTY_DOTS));
    expect(() => check('1.3.3')).toThrow(refused);
    check('1.3.2');
  });

  it('one about more actors takes its place', () => {
    ended.promise(retirement(5, dots('1.3.1', '1.3.2', '1.5.1')));
    check('1.5.1');
    expect(() => check('1.5.2')).toThrow(refused);
  });
});

describe('after a retirement', () => {
  beforeEach(() => {
    retirements.set(first, retirement(3, entries));
  });

  it('nothing but its entries comes in, whoever brings it, promise or not', () => {
    check('1.3.2');
    check('1.4.1');
    expect(() => check('1.3.3')).toThrow(refused);
    expect(() => ended.check({ ...message('1.3.3'), delivery: true })).toThrow(refused);
    disk.store.applyClock(p0, floor(1, 3));
    expect(() => check('1.3.3')).toThrow(refused);
  });

  it('a late promise with fewer entries changes nothing', () => {
    ended.promise(retirement(3, dots('1.3.1')));
    check('1.3.2');
  });
});

describe('folding in the store', () => {
  const view = (): ClusterView => {
    const { present } = new History(createCommand());
    return new ClusterView({ ...present, retirements });
  };

  it('takes the place of the entries that it stands for, durably, in every partition that covers them', () => {
    disk.store.apply(p0, key, undefined, [dot('1.3.1'), dot('1.3.2'), dot('2.1.1')]);
    retirements.set(first, retirement(3, entries));
    expect(foldRetired(disk.store, view(), nodeId('n2'))).toBe(1);
    expect(disk.store.clock(p0)).toEqual([...floor(1, 3), ...dots('2.1.1')]);
    expect(disk.store.clock(partition(3))).toEqual(floor(1, 3));
    expect(foldRetired(disk.store, view(), nodeId('n2'))).toBe(0);
  });

  it('goes on where it ended', () => {
    retirements.set(first, retirement(3, EMPTY_DOTS));
    for (let i = 0; i < 2; i++) foldRetired(disk.store, view(), nodeId('n2'), 2);
    expect([0, 1, 2, 3].map((at) => disk.store.clock(partition(at)))).toEqual(Array(4).fill(floor(1, 3)));
  });

  it('waits for what is missing', () => {
    disk.store.apply(p0, key, undefined, [dot('1.3.1')]);
    retirements.set(first, retirement(3, entries));
    expect(foldRetired(disk.store, view(), nodeId('n2'))).toBe(0);
    expect(disk.store.clock(p0)).toEqual(dots('1.3.1'));
  });
});

describe('hints', () => {
  const target = memberNumber(2);
  let hints: HintStore;
  const keep = (name: string, ...texts: string[]) => {
    const writes = hintedWrites(containerOf(texts.map(dot)), dotSetOf(texts.map(dot)));
    hints.keep(target, { epoch: epoch(1), partition: p0, key: objectKey('b', name) }, writes, 'counted');
  };
  beforeEach(() => {
    hints = new HintStore(disk.store, disk.clock, 100_000, disk.logger);
    keep('old', '1.3.1', '1.3.2');
    keep('both', '1.3.2', '1.4.1');
    keep('new', '1.4.2', '2.1.1');
  });

  it('tell which writes of ended actors they hold', () => {
    expect(hintedDots(hints, first, logIndex(3))).toEqual(new Map([[p0, entries]]));
    expect(hintedDots(hints, memberNumber(3), logIndex(3))).toEqual(new Map());
  });

  it('go when all their writes are retired, and only then', () => {
    const discard = (set: DotSet) => [...discardRetired(hints, new Map([[first, retirement(3, set)]]))];
    discard(dots('1.3.1'));
    expect(hints.count).toBe(3);
    discard(entries);
    expect([...hints.keysFor(target)]).toEqual(['both', 'new'].map((name) => objectKey('b', name)));
  });
});
