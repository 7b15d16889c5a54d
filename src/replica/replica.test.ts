import { beforeEach, describe, expect, it } from 'vitest';
import { DecodeError } from '../core/bytes.ts';
import { decodeContainer, fill } from '../core/causality/container.ts';
import { actorOf } from '../core/causality/dot.ts';
import { dotSetOf, EMPTY_DOTS } from '../core/causality/dot-set.ts';
import { createCommand, History } from '../core/cluster/cluster-builders.ts';
import { epoch, logIndex, memberNumber, nodeId, objectKey, partition } from '../core/ids.ts';
import { ClusterView } from '../membership/cluster-view.ts';
import type { KeyAddress } from '../protocol.ts';
import { openTestStore, type TestStore } from '../storage/storage-builders.ts';
import { loadHashes } from '../system/hash.ts';
import { siblingHash } from './content-hashes.ts';
import { Replica } from './replica.ts';

const self = nodeId('n1');
const address: KeyAddress = { epoch: epoch(1), partition: partition(1), key: objectKey('b', 'k') };
const mine = actorOf(memberNumber(1), logIndex(5));
const theirs = actorOf(memberNumber(2), logIndex(6));
const value = (text: string) => Buffer.from(text);
const hashOf = siblingHash((await loadHashes()).checksum32);
const limits = { siblings: 3, objectBytes: 100 };

let disk: TestStore;
let replica: Replica;
let view: ClusterView | undefined;

beforeEach(async () => {
  disk = await openTestStore();
  view = new ClusterView(new History(createCommand()).present);
  replica = new Replica({
    ...{ self, limits, hashOf, store: disk.store, currentView: () => view },
    ownActor: () => undefined,
    forgot: () => {},
  });
});

const siblings = () => {
  const { stored } = replica.read(address);
  return stored === undefined
    ? []
    : decodeContainer(stored).siblings.map(({ version }) => Buffer.from(version).toString());
};

describe('a replica is asked', () => {
  it('only when it knows the cluster; who does not yet is not like one that is catching up', () => {
    view = undefined;
    expect(() => replica.ownership.check(address)).toThrow(expect.objectContaining({ code: 'conflict' }));
  });

  it('only on a view that is no older than the partition\u2019s latest change (H22)', () => {
    const { state } = new ClusterView(new History(createCommand()).present);
    const ownership = state.ownership.map((each) => ({ ...each, since: epoch(4) }));
    view = new ClusterView({ ...state, epoch: epoch(7), ownership });
    expect(() => replica.ownership.check({ ...address, epoch: epoch(3) })).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
    for (const version of [4, 7, 9])
      expect(() => replica.ownership.check({ ...address, epoch: epoch(version) })).not.toThrow();
  });

  it('only for partitions that it owns, and that there are', () => {
    const numbers = [2, 3].map(memberNumber);
    view = new ClusterView(new History(createCommand({ n: 2, ownership: [numbers, numbers] })).present);
    expect(() => replica.ownership.check(address)).toThrow(expect.objectContaining({ code: 'conflict' }));
    expect(() => replica.ownership.check({ ...address, partition: partition(2) })).toThrow(DecodeError);
  });
});

describe('a write at its coordinating owner', () => {
  it('mints the next dot of the partition, and is stored stripped of the clock', () => {
    const first = replica.coordinate(address, mine, value('one'), undefined);
    const other = replica.coordinate({ ...address, key: objectKey('b', 'other') }, mine, value('two'), undefined);
    expect([first.dot.counter, other.dot.counter]).toEqual([1, 2]);
    const { clock, stored, sequence } = replica.read(address);
    expect(clock).toEqual(dotSetOf([first.dot, other.dot]));
    expect(stored && decodeContainer(stored).context).toEqual(EMPTY_DOTS);
    expect(sequence).toBe(first.sequence);
  });

  it('replaces what its context covers; without a context, all there is', () => {
    const one = replica.coordinate(address, mine, value('one'), undefined);
    replica.coordinate(address, mine, value('beside'), EMPTY_DOTS);
    expect(siblings()).toEqual(['one', 'beside']);
    replica.coordinate(address, mine, value('two'), dotSetOf([one.dot]));
    expect(siblings()).toEqual(['beside', 'two']);
    replica.coordinate(address, mine, value('three'), undefined);
    expect(siblings()).toEqual(['three']);
  });

  it('that deletes leaves no record behind', () => {
    replica.coordinate(address, mine, value('one'), undefined);
    replica.coordinate(address, mine, undefined, undefined);
    expect(replica.read(address).stored).toBeUndefined();
  });

  it('is refused, and changes nothing, when the key would have too many siblings or too many bytes of them', async () => {
    for (const text of ['1', '2', '3']) replica.coordinate(address, mine, value(text), EMPTY_DOTS);
    const before = replica.read(address);
    const refusal = expect.objectContaining({
      code: 'sibling-limit',
      details: { outcome: 'not_applied', retryable: false },
    });
    expect(() => replica.coordinate(address, mine, value('4'), EMPTY_DOTS)).toThrow(refusal);
    expect(replica.read(address)).toEqual(before);
    replica.coordinate(address, mine, value('x'.repeat(500)), undefined);
    expect(() => replica.coordinate(address, mine, value('4'), EMPTY_DOTS)).toThrow(refusal);
    expect(siblings()).toEqual(['x'.repeat(500)]);
  });

  it('may always delete, however many siblings there are', () => {
    for (const text of ['1', '2', '3']) replica.coordinate(address, mine, value(text), EMPTY_DOTS);
    expect(() => replica.coordinate(address, mine, undefined, EMPTY_DOTS)).not.toThrow();
  });
});

describe('a write from another owner', () => {
  const remote = (texts: readonly string[], context = EMPTY_DOTS) => {
    const named = texts.map((text, i) => ({ dot: { actor: theirs, counter: i + 1 }, version: value(text) }));
    const dots = named.map(({ dot }) => dot);
    return { ...address, dots, container: fill({ siblings: named, context }, dotSetOf(dots)) };
  };

  it('is merged, however many siblings that makes: a replica refuses no acknowledged write', () => {
    replica.coordinate(address, mine, value('own'), undefined);
    replica.merge(remote(['1', '2', '3', '4']));
    expect(siblings()).toEqual(['own', '1', '2', '3', '4']);
  });

  it('changes nothing when it comes again, and is then acknowledged when its first coming is on disk', async () => {
    const sequence = replica.merge(remote(['1']));
    expect(sequence).toBeGreaterThan(0);
    expect(replica.merge(remote(['1']))).toBe(sequence);
    await disk.store.durable(sequence, 'flush');
    expect(replica.merge(remote(['1']))).toBe(0);
    expect(siblings()).toEqual(['1']);
  });

  it('adds to the clock the dots that it names, and none that its context only covers', () => {
    const elsewhere = { actor: theirs, counter: 9 };
    replica.merge(remote(['1'], dotSetOf([elsewhere])));
    expect(replica.read(address).clock).toEqual(dotSetOf([{ actor: theirs, counter: 1 }]));
  });
});

describe('a full comparison', () => {
  const late = { actor: theirs, counter: 1 };
  const successor = { actor: theirs, counter: 2 };
  const seen = dotSetOf([late, successor]);

  it.each([
    ['before it began', seen],
    ['meanwhile', EMPTY_DOTS],
  ])('takes in a write of %s with all that it overwrote, though that was not known here', (_, startClock) => {
    const comparison = replica.beginComparison(address.partition, startClock);
    const there = { siblings: [{ dot: successor, version: value('new') }], context: EMPTY_DOTS };
    replica.absorb(address, there, seen, []);
    replica.endComparison(address.partition, comparison);
    expect(replica.contentHash(address.partition)).toBeUndefined();
    const container = { siblings: [{ dot: late, version: value('old') }], context: dotSetOf([late]) };
    replica.merge({ ...address, dots: [late], container });
    expect(siblings()).toEqual(['new']);
  });

  it('stores little more than the value, in whatever order of the keys the writes were made', () => {
    const keys = 1000;
    const clock = dotSetOf(Array.from({ length: keys }, (_, i) => ({ actor: theirs, counter: i + 1 })));
    const comparison = replica.beginComparison(address.partition, clock);
    for (let i = 0; i < keys; i++) {
      // 7 and 1000 have no common factor: every counter comes once, with holes on both sides until the end.
      const dot = { actor: theirs, counter: ((7 * i) % keys) + 1 };
      const key = objectKey('b', `key ${i}`);
      replica.absorb({ ...address, key }, { siblings: [{ dot, version: value('v') }], context: EMPTY_DOTS }, clock, []);
      expect(disk.store.read(address.partition, key)?.length).toBeLessThan(100);
    }
    replica.endComparison(address.partition, comparison);
    replica.strip(address.partition, keys);
    expect(replica.residueCount).toBe(0);
  });

  it('stores nothing anew of a key that is the same on both sides, however far the other clock is ahead', () => {
    replica.merge({
      ...address,
      dots: [late],
      container: { siblings: [{ dot: late, version: value('old') }], context: dotSetOf([late]) },
    });
    const before = disk.store.lastSequence;
    const comparison = replica.beginComparison(address.partition, seen);
    replica.absorb(address, { siblings: [{ dot: late, version: value('old') }], context: EMPTY_DOTS }, seen, []);
    replica.endComparison(address.partition, comparison);
    expect(disk.store.lastSequence).toBe(before);
  });
});

describe('mending', () => {
  const lost = { dot: { actor: theirs, counter: 1 }, version: value('lost') };
  const theirCopy = { siblings: [lost], context: EMPTY_DOTS };

  it('takes in what the clock says was there, and tells whether there was anything', () => {
    disk.store.applyClock(address.partition, dotSetOf([lost.dot]));
    expect(replica.mend(address, theirCopy, dotSetOf([lost.dot]))).toBe(true);
    expect(siblings()).toEqual(['lost']);
    expect(replica.mend(address, theirCopy, dotSetOf([lost.dot]))).toBe(false);
  });

  it('knows which keys of the partition have changed since it began', () => {
    const mending = replica.content.beginMending(address.partition);
    replica.coordinate(address, mine, value('one'), undefined);
    replica.coordinate({ ...address, partition: partition(2) }, mine, value('elsewhere'), undefined);
    expect([...mending.changed]).toEqual([address.key]);
    replica.content.endMending(mending);
    replica.coordinate({ ...address, key: objectKey('b', 'later') }, mine, value('one'), undefined);
    expect(mending.changed.size).toBe(1);
  });
});

describe('keys that are stored with a context', () => {
  const at = address.partition;
  const ahead = dotSetOf([{ actor: theirs, counter: 9 }]);

  it('are stored anew when the clock has caught up with it, though one of them cannot be read', () => {
    const keys = ['damaged', 'one', 'two'].map((name) => objectKey('b', name));
    for (const key of keys) replica.merge({ ...address, key, dots: [], container: { siblings: [], context: ahead } });
    const [damaged] = keys;
    if (damaged === undefined) throw new Error('a key');
    disk.store.apply(at, damaged, Uint8Array.of(9, 9, 9), []);
    disk.store.applyClock(at, ahead);
    expect(() => replica.strip(at, 10)).toThrow(expect.objectContaining({ code: 'storage-failed' }));
    replica.strip(at, 10);
    expect(disk.store.scan(at, undefined, 10).map(({ key }) => key)).toEqual([damaged]);
  });
});

describe('a damaged record', () => {
  it('is an error, never an absence (H1)', () => {
    disk.store.apply(address.partition, address.key, Uint8Array.of(9, 9, 9), []);
    expect(() => replica.coordinate(address, mine, value('v'), undefined)).toThrow(
      expect.objectContaining({ code: 'storage-failed' }),
    );
    const dots = [{ actor: theirs, counter: 1 }];
    expect(() => replica.merge({ ...address, dots, container: { siblings: [], context: [] } })).toThrow(
      expect.objectContaining({ code: 'storage-failed' }),
    );
    expect(replica.read(address).clock).toEqual(EMPTY_DOTS);
  });
});
