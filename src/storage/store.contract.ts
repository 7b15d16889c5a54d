import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dotSetOf, EMPTY_DOTS } from '../core/causality/dot-set.ts';
import type { Partition } from '../core/ids.ts';
import type { Store, StoredObject } from '../ports.ts';
import { bytes, dot, key, p1, p2, text } from './storage-builders.ts';

/** A store with what the contract needs around it. */
export interface ContractStore {
  readonly store: Store;
  /** Moves everything out of the memory that recent changes are kept in. */
  settled(): Promise<void>;
  /** Closes the store and opens it again over the same data. */
  reopened(): Promise<ContractStore>;
  dispose(): Promise<void>;
}

/** What every {@link Store} promises, whatever it is made of. */
export function storeContract(name: string, open: () => Promise<ContractStore>): void {
  describe(`${name} as a store`, () => {
    let world: ContractStore;
    let store: Store;
    const use = (next: ContractStore): void => {
      world = next;
      store = next.store;
    };
    beforeEach(async () => use(await open()));
    afterEach(() => world.dispose());

    it('shows a change to the next read in the same turn', () => {
      store.apply(p1, key('a'), bytes('one'), [dot(1)]);
      expect(text(store.read(p1, key('a')))).toBe('one');
      expect(store.clock(p1)).toEqual(dotSetOf([dot(1)]));
    });

    it('keeps partitions apart', () => {
      store.apply(p1, key('a'), bytes('one'), [dot(1)]);
      expect(store.read(p2, key('a'))).toBeUndefined();
      expect(store.clock(p2)).toEqual([]);
    });

    it('copies the object it is given', () => {
      const object = Buffer.from('mine');
      store.apply(p1, key('a'), object, []);
      object.fill(0);
      expect(text(store.read(p1, key('a')))).toBe('mine');
    });

    it('removes an object and keeps its dots', async () => {
      store.apply(p1, key('a'), bytes('one'), [dot(1)]);
      await world.settled();
      store.apply(p1, key('a'), undefined, [dot(2)]);
      expect(store.read(p1, key('a'))).toBeUndefined();
      await world.settled();
      expect(store.read(p1, key('a'))).toBeUndefined();
      use(await world.reopened());
      expect(store.read(p1, key('a'))).toBeUndefined();
      expect(store.clock(p1)).toEqual(dotSetOf([dot(1), dot(2)]));
    });

    it('keeps an empty object apart from none', async () => {
      store.apply(p1, key('a'), bytes(''), []);
      use(await world.reopened());
      expect(store.read(p1, key('a'))).toHaveLength(0);
    });

    it('adds dots to a clock without an object, for good', async () => {
      store.apply(p1, key('a'), bytes('one'), [dot(1)]);
      const sequence = store.applyClock(p1, dotSetOf([dot(1), dot(2), dot(4)]));
      expect(store.lastSequence).toBe(sequence);
      expect(store.clock(p1)).toEqual(dotSetOf([dot(1), dot(2), dot(4)]));
      use(await world.reopened());
      expect(store.clock(p1)).toEqual(dotSetOf([dot(1), dot(2), dot(4)]));
      store.applyClock(p2, dotSetOf([dot(7)]));
      await world.settled();
      use(await world.reopened());
      expect(store.clock(p2)).toEqual(dotSetOf([dot(7)]));
    });

    it('forgets a clock for good, and takes in dots anew afterwards', async () => {
      store.apply(p1, key('a'), bytes('one'), [dot(1)]);
      store.applyClock(p1, dotSetOf([dot(4)]));
      store.apply(p2, key('b'), bytes('two'), [dot(2)]);
      await world.settled();
      store.apply(p1, key('a'), undefined, []);
      const sequence = store.forgetClock(p1);
      expect(store.lastSequence).toBe(sequence);
      expect(store.clock(p1)).toEqual(EMPTY_DOTS);
      expect(store.unflushed(p1, key('a'))).toBe(sequence);
      use(await world.reopened());
      expect(store.clock(p1)).toEqual(EMPTY_DOTS);
      expect(store.clock(p2)).toEqual(dotSetOf([dot(2)]));
      store.apply(p1, key('a'), bytes('three'), [dot(3)]);
      await world.settled();
      use(await world.reopened());
      expect(store.clock(p1)).toEqual(dotSetOf([dot(3)]));
      store.forgetClock(p1);
      await world.settled();
      use(await world.reopened());
      expect(store.clock(p1)).toEqual(EMPTY_DOTS);
    });

    it('scans a partition in byte order, settled or not, in steps that lose nothing', async () => {
      const names = ['b', 'a', 'é', 'ab', '\uffee', '😀', 'c'];
      for (const name of names.slice(0, 4)) store.apply(p1, key(name), bytes(`old ${name}`), []);
      store.apply(p2, key('other'), bytes('elsewhere'), []);
      await world.settled();
      for (const name of names.slice(2)) store.apply(p1, key(name), bytes(`new ${name}`), []);
      store.apply(p1, key('a'), undefined, []);
      const expected = ['ab', 'b', 'c', 'é', '\uffee', '😀'];
      for (const limit of [1, 2, 3, 100]) {
        const seen: StoredObject[] = [];
        for (let more = store.scan(p1, undefined, limit); more.length > 0; ) {
          expect(more.length).toBeLessThanOrEqual(limit);
          seen.push(...more);
          more = store.scan(p1, more.at(-1)?.key, limit);
        }
        expect(seen.map((object) => object.key)).toEqual(expected.map(key));
        expect(seen.map(({ object }) => text(object))).toEqual(
          expected.map((name) => (names.indexOf(name) < 2 ? `old ${name}` : `new ${name}`)),
        );
      }
    });

    it('scans no more bytes at a time than it is asked for, but one object at least', async () => {
      const value = 'x'.repeat(997);
      for (const name of ['a', 'b', 'c', 'd', 'e']) store.apply(p1, key(name), bytes(value), []);
      await world.settled();
      for (const name of ['f', 'g']) store.apply(p1, key(name), bytes(value), []);
      store.apply(p1, key('b'), undefined, []);
      const all = ['a', 'c', 'd', 'e', 'f', 'g'];
      const steps = (bytesMax: number): readonly number[] => {
        const seen: StoredObject[] = [];
        const counts: number[] = [];
        for (let more = store.scan(p1, undefined, 4, bytesMax); more.length > 0; ) {
          seen.push(...more);
          counts.push(more.length);
          more = store.scan(p1, more.at(-1)?.key, 4, bytesMax);
        }
        expect(seen.map((object) => object.key)).toEqual(all.map(key));
        return counts;
      };
      expect(steps(1)).toEqual([1, 1, 1, 1, 1, 1]);
      expect(steps(1999)).toEqual([1, 1, 1, 1, 1, 1]);
      expect(steps(2000)).toEqual([2, 2, 2]);
      expect(steps(100_000)).toEqual([4, 2]);
    });

    it('gives each change the next sequence, also after it was opened again', async () => {
      expect(store.apply(p1, key('a'), bytes('1'), [])).toBe(1);
      expect(store.applyMeta([{ key: 'm', value: bytes('2') }])).toBe(2);
      use(await world.reopened());
      expect(store.apply(p1, key('a'), bytes('3'), [])).toBe(3);
    });

    it('makes changes durable at both levels, and has nothing to wait for at 0', async () => {
      await store.durable(0, 'flush');
      const sequence = store.apply(p1, key('a'), bytes('1'), []);
      await store.durable(sequence, 'os');
      await store.durable(sequence, 'flush');
      await store.durable(sequence - 1, 'flush');
    });

    it('names the last change of a key until it is on disk, removals included', async () => {
      const put = store.apply(p1, key('a'), bytes('1'), []);
      expect(store.unflushed(p1, key('a'))).toBe(put);
      const removed = store.apply(p1, key('a'), undefined, []);
      expect(store.unflushed(p1, key('a'))).toBe(removed);
      await store.durable(removed, 'flush');
      expect(store.unflushed(p1, key('a'))).toBe(0);
      expect(store.unflushed(p1, key('other'))).toBe(0);
    });

    it('counts what the clock took in beside the objects as a change of every key of the partition (C7)', async () => {
      const absorbed = store.applyClock(p1, dotSetOf([dot(1)]));
      expect(store.unflushed(p1, key('a'))).toBe(absorbed);
      expect(store.unflushed(p2, key('a'))).toBe(0);
      const put = store.apply(p1, key('a'), bytes('v'), [dot(2)]);
      expect(store.unflushed(p1, key('a'))).toBe(put);
      expect(store.unflushed(p1, key('b'))).toBe(absorbed);
      await store.durable(put, 'flush');
      expect(store.unflushed(p1, key('b'))).toBe(0);
    });

    it('reads the same from recent memory, from the state and after it was opened again', async () => {
      const large = 'x'.repeat(100_000);
      const check = (): void => {
        expect(text(store.read(p1, key('é\u{1f600}')))).toBe('small');
        expect(text(store.read(p1, key('k'.repeat(1024))))).toBe(large);
        expect(store.clock(p1)).toEqual(dotSetOf([dot(1), dot(3)]));
      };
      store.apply(p1, key('é\u{1f600}'), bytes('small'), [dot(1)]);
      store.apply(p1, key('k'.repeat(1024)), bytes(large), [dot(3)]);
      check();
      await world.settled();
      check();
      use(await world.reopened());
      check();
    });

    it('hands out objects that stay as they are', async () => {
      store.apply(p1, key('a'), bytes('aaaa'), []);
      store.apply(p1, key('b'), bytes('bbbb'), []);
      await world.settled();
      const a = store.read(p1, key('a'));
      store.read(p1, key('b'));
      expect(text(a)).toBe('aaaa');
    });

    it('lists meta records by prefix in byte order, recent changes over older ones', async () => {
      const put = (name: string, value: string | undefined) => ({
        key: name,
        value: value === undefined ? value : bytes(value),
      });
      store.applyMeta([
        put('r/1', 'old'),
        put('r/2', 'gone'),
        put('r/\u{ffff}', 'before'),
        put('s', 'no'),
        put('q', 'no'),
      ]);
      await world.settled();
      store.applyMeta([put('r/1', 'new'), put('r/2', undefined), put('r/\u{1f600}', 'after')]);
      const expected = [put('r/1', 'new'), put('r/\u{ffff}', 'before'), put('r/\u{1f600}', 'after')];
      const listed = () => {
        const records = store.metaWithPrefix('r/').map((record) => put(record.key, text(record.value)));
        const visited: typeof records = [];
        store.visitMeta('r/', (key, value) => void visited.push(put(key, text(value))));
        expect(visited).toHaveLength(records.length);
        expect(visited).toEqual(expect.arrayContaining(records));
        return records;
      };
      expect(listed()).toEqual(expected);
      await world.settled();
      expect(listed()).toEqual(expected);
      expect(store.metaWithPrefix('nothing')).toEqual([]);
      use(await world.reopened());
      expect(listed()).toEqual(expected);
      expect(store.meta('r/2')).toBeUndefined();
      expect(text(store.meta('r/1'))).toBe('new');
    });

    it('counts what it does', async () => {
      const idle = store.stats();
      await store.durable(store.apply(p1, key('a'), bytes('one'), [dot(1)]), 'flush');
      const written = store.stats();
      expect(written.flushes).toBe(idle.flushes + 1);
      expect(written.logBytes).toBeGreaterThan(idle.logBytes);
      expect(written.memtableEntries).toBe(1);
      expect(written.memtableBytes).toBeGreaterThan(0);
      await world.settled();
      const settled = store.stats();
      expect(settled.checkpoints).toBe(idle.checkpoints + 1);
      expect(settled.checkpointBytes).toBeGreaterThan(0);
      expect(settled.stateBytes).toBeGreaterThan(0);
      expect(settled.memtableBytes).toBe(0);
    });

    it('counts the objects, wherever they are and whatever becomes of them', async () => {
      const put = (partition: Partition, name: string, object: Uint8Array | undefined): void => {
        store.apply(partition, key(name), object, []);
      };
      for (const name of ['a', 'b', 'c']) put(p1, name, bytes('one'));
      put(p2, 'a', bytes('one'));
      store.applyMeta([{ key: 'no object', value: bytes('x') }]);
      expect(store.stats().objects).toBe(4);
      await world.settled();
      expect(store.stats().objects).toBe(4);
      // Removed, not there to be removed, overwritten, removed and put again; read before it is changed, and not.
      put(p1, 'a', undefined);
      put(p1, 'a', undefined);
      put(p1, 'none', undefined);
      put(p1, 'b', bytes('two'));
      store.read(p2, key('a'));
      put(p1, 'c', undefined);
      put(p1, 'c', bytes('three'));
      store.read(p2, key('a'));
      put(p2, 'a', undefined);
      expect(store.stats().objects).toBe(2);
      use(await world.reopened());
      expect(store.stats().objects).toBe(2);
    });

    it('puts everything on disk when it closes', async () => {
      for (let i = 0; i < 1000; i++) store.apply(p1, key(`k${i}`), bytes(`v${i}`), [dot(i + 1)]);
      use(await world.reopened());
      for (let i = 0; i < 1000; i++) expect(text(store.read(p1, key(`k${i}`)))).toBe(`v${i}`);
      expect(store.clock(p1)).toEqual([{ actor: dot(1).actor, runs: [1, 1000] }]);
    });
  });
}
