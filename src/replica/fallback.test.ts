import { beforeEach, describe, expect, it } from 'vitest';
import { actor, bytesOf, containerOf, dot, dots, textsOf } from '../core/causality/causality-builders.ts';
import { dotsOf } from '../core/causality/container.ts';
import type { DotSet } from '../core/causality/dot-set.ts';
import { dotsIn } from '../core/causality/dot-set.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import { epoch, memberNumber, nodeId, objectKey, partition } from '../core/ids.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import { openTestStore, type TestStore } from '../storage/storage-builders.ts';
import { Fallback } from './fallback.ts';
import { HintStore } from './hint-store.ts';
import { Replica } from './replica.ts';

const [first, second, third] = [1, 2, 3].map(memberNumber);
const self = nodeId('n3');
const mine = actor(3, 9);
const address = { epoch: epoch(1), partition: partition(0), key: objectKey('b', 'k') };
const refused = (code: string) => expect.objectContaining({ code });

let disk: TestStore;
let hints: HintStore;
let fallback: Fallback;

/** Partition 0 belongs to the first two, partition 1 to the last two. */
function open(hintBytes = 100_000): void {
  const ownership = [
    [first, second],
    [second, third],
  ].map((owners) => owners.map((number) => memberNumber(Number(number))));
  const view = new ClusterView(new History(createCommand({ n: 2, ownership })).present);
  const replica = new Replica({
    ...{ self, store: disk.store, limits: { siblings: 3, objectBytes: 100 }, currentView: () => view },
    hashOf: () => 0,
    ownActor: () => undefined,
    forgot: () => {},
  });
  hints = new HintStore(disk.store, disk.clock, hintBytes, disk.logger);
  fallback = new Fallback({ store: disk.store, hints, replica });
}

beforeEach(async () => {
  disk = await openTestStore();
  open();
});

const put = (name: string, context?: DotSet, by = mine) =>
  fallback.coordinate(address, memberNumber(1), by, bytesOf(name), context);
const held = (): string[] => textsOf(dotsIn(dotsOf(hints.held(address.key)?.container ?? containerOf([]))));
const hintFor = (target: number, more = {}) => ({
  ...{ ...address, target: memberNumber(target), dots: [dot('1.1.1')], container: containerOf([dot('1.1.1')]) },
  ...more,
});

describe('a fallback', () => {
  it('keeps writes for owners of partitions that it does not own', () => {
    expect(fallback.keep(hintFor(1))).toBeGreaterThan(0);
    expect(hints.totals()).toMatchObject([{ target: 1, count: 1 }]);
    const own = { partition: partition(1) };
    expect(() => fallback.keep(hintFor(2, own))).toThrow(refused('conflict'));
    expect(() => fallback.check({ ...address, ...own })).toThrow(refused('conflict'));
    expect(() => fallback.keep(hintFor(3))).toThrow(refused('conflict'));
    expect(() => fallback.keep(hintFor(1, { epoch: epoch(0) }))).toThrow(refused('conflict'));
    expect(hints.count).toBe(1);
  });

  it('refuses what it has no room for, so that the write fails rather than be lost', () => {
    open(100);
    expect(() => fallback.keep(hintFor(1))).toThrow(refused('overloaded'));
    expect(() => put('v')).toThrow(refused('overloaded'));
    expect(disk.store.metaWithPrefix('hint')).toEqual([]);
  });

  it('replaces with a blind write what its hints hold, and nothing else', () => {
    fallback.keep(hintFor(2));
    const { dot: minted, covered, filled } = put('v');
    expect([textsOf([minted]), covered]).toEqual([['3.9.1'], dots('1.1.1')]);
    expect(filled.context).toEqual(dots('1.1.1', '3.9.1'));
    expect(held()).toEqual(['3.9.1']);
  });

  it('replaces with a context what that covers', () => {
    fallback.keep(hintFor(2));
    put('v', dots('2.2.2'));
    expect(held()).toEqual(['1.1.1', '3.9.1']);
    put('w', dots('1.1.1', '3.9.1'));
    expect(held()).toEqual(['3.9.2']);
  });

  it('mints a dot once, also when its hints have long been delivered and the store was opened again (C6)', () => {
    put('v');
    for (const hint of hints.hintsOf(address.key)) hints.delivered(hint);
    open();
    const { dot: minted, filled } = put('w');
    expect(textsOf([minted])).toEqual(['3.9.2']);
    // It may not cover its own first write: an owner may have that, and this fallback no longer knows for which key it was.
    expect(filled.context).toEqual(dots('3.9.2'));
    expect(textsOf([put('x', undefined, actor(3, 12)).dot])).toEqual(['3.12.1']);
  });

  it('counts on from what it minted as an owner in the same life', () => {
    disk.store.apply(address.partition, objectKey('b', 'other'), undefined, [{ actor: mine, counter: 5 }]);
    expect(textsOf([put('v').dot])).toEqual(['3.9.6']);
  });

  it('bounds the siblings of a key as an owner does', () => {
    for (let i = 0; i < 3; i++) put(`v${i}`, []);
    expect(() => put('one too many', [])).toThrow(refused('sibling-limit'));
    expect(held()).toEqual(['3.9.1', '3.9.2', '3.9.3']);
    expect(textsOf([fallback.coordinate(address, memberNumber(1), mine, undefined, undefined).dot])).toEqual(['3.9.4']);
    expect(held()).toEqual([]);
  });
});
