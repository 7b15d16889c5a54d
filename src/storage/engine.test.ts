import { describe, expect, it } from 'vitest';
import { StoreError } from '../errors.ts';
import { MemoryLogDevice } from './memory-log-device.ts';
import { MemoryStateTable } from './memory-state-table.ts';
import { metaStateKey, objectStateKey } from './state-format.ts';
import {
  bytes,
  CHECKPOINT_DELAY_MS,
  checkpointed,
  dot,
  HeldOperations,
  key,
  openTestStore,
  p1,
  type TestStore,
  text,
  turn,
} from './storage-builders.ts';
import { type ContractStore, storeContract } from './store.contract.ts';

function contractStore(world: TestStore): ContractStore {
  const { store, clock, log, state } = world;
  const closed = async (): Promise<void> => {
    let done = false;
    const closing = store.close().then(() => {
      done = true;
    });
    while (!done) {
      await turn();
      clock.advance(0);
    }
    await closing;
  };
  return {
    store,
    settled: () => checkpointed(store, clock),
    async reopened() {
      await closed();
      return contractStore(await openTestStore({ log, state }));
    },
    dispose: closed,
  };
}

storeContract('the engine over memory', async () => contractStore(await openTestStore()));

/** A store whose device operations wait for the test. */
async function heldStore(limits = {}): Promise<TestStore & { readonly held: HeldOperations }> {
  const held = new HeldOperations();
  const opening = openTestStore({
    log: new MemoryLogDevice(1024, held.settle),
    state: new MemoryStateTable(held.settle),
    limits,
  });
  await turn();
  await held.releaseAll();
  const world = await opening;
  await held.releaseAll();
  return { ...world, held };
}

function outcome(promise: Promise<void>): () => string {
  let state = 'pending';
  promise.then(
    () => {
      state = 'done';
    },
    (error: unknown) => {
      state = error instanceof StoreError ? error.code : 'other';
    },
  );
  return () => state;
}

describe('group commit', () => {
  it('writes the changes of one turn as one group with one flush', async () => {
    const { store, held } = await heldStore();
    for (let i = 1; i <= 5; i++) store.apply(p1, key(`k${i}`), bytes('v'), [dot(i)]);
    const all = outcome(store.durable(5, 'flush'));
    await turn();
    expect(held.waiting).toEqual(['write']);
    await held.release();
    expect(held.waiting).toEqual(['sync']);
    expect(all()).toBe('pending');
    await held.release();
    expect(all()).toBe('done');
    expect(store.stats().flushes).toBe(1);
  });

  it('puts what arrives during a flush into the next group, with at most one flush under way', async () => {
    const { store, held } = await heldStore();
    const first = outcome(store.durable(store.apply(p1, key('a'), bytes('1'), []), 'flush'));
    await turn();
    const second = outcome(store.durable(store.apply(p1, key('b'), bytes('2'), []), 'flush'));
    const third = outcome(store.durable(store.apply(p1, key('c'), bytes('3'), []), 'flush'));
    await turn();
    expect(held.waiting).toEqual(['write']);
    await held.release();
    await held.release();
    expect([first(), second(), third()]).toEqual(['done', 'pending', 'pending']);
    await held.release();
    expect(held.waiting).toEqual(['sync']);
    await held.release();
    expect([second(), third()]).toEqual(['done', 'done']);
    expect(store.stats().flushes).toBe(2);
  });

  it('resolves level os before the flush, and flushes only within a second when nobody asks', async () => {
    const { store, held, clock } = await heldStore({ checkpointDelayMs: 60_000 });
    const sequence = store.apply(p1, key('a'), bytes('1'), []);
    const os = outcome(store.durable(sequence, 'os'));
    await turn();
    await held.release();
    expect(os()).toBe('done');
    expect(held.waiting).toEqual([]);
    expect(store.unflushed(p1, key('a'))).toBe(sequence);
    clock.advance(1000);
    await turn();
    expect(held.waiting).toEqual(['sync']);
    await held.release();
    expect(store.unflushed(p1, key('a'))).toBe(0);
  });

  it('flushes what is written already for a waiter who comes later', async () => {
    const { store, held } = await heldStore();
    store.apply(p1, key('a'), bytes('1'), []);
    await turn();
    await held.release();
    const late = outcome(store.durable(1, 'flush'));
    await turn();
    expect(held.waiting).toEqual(['sync']);
    await held.release();
    expect(late()).toBe('done');
  });
});

describe('checkpoints', () => {
  it('wait for the log to be flushed before they touch the state', async () => {
    const { store, held, clock } = await heldStore();
    store.apply(p1, key('a'), bytes('1'), [dot(1)]);
    await turn();
    await held.release();
    clock.advance(CHECKPOINT_DELAY_MS);
    await turn();
    expect(held.waiting).toEqual(['sync']);
    await held.release();
    expect(held.waiting).toEqual(['commit']);
  });

  it('keep changes readable while they are being written, the newest first', async () => {
    const { store, held, clock } = await heldStore();
    store.apply(p1, key('a'), bytes('1'), [dot(1)]);
    await turn();
    clock.advance(CHECKPOINT_DELAY_MS);
    await held.release();
    await held.release();
    expect(held.waiting).toEqual(['commit']);
    expect(text(store.read(p1, key('a')))).toBe('1');
    store.apply(p1, key('a'), bytes('2'), [dot(2)]);
    await held.releaseAll();
    expect(text(store.read(p1, key('a')))).toBe('2');
    expect(store.stats().memtableEntries).toBe(1);
  });

  it('begin before a small memtable is at its limit', async () => {
    const { store, held } = await heldStore({ memtableBytesMax: 2000 });
    while (store.stats().memtableBytes < 1000) {
      store.apply(p1, key(`k${store.stats().memtableEntries}`), Buffer.alloc(100, 1), []);
    }
    expect(store.overloaded).toBe(false);
    await turn();
    await held.release();
    await held.release();
    expect(held.waiting).toEqual(['commit']);
  });

  it('begin at once when the memtable is large, and say so when it is too large', async () => {
    const { store, held } = await heldStore({ checkpointBytes: 500, memtableBytesMax: 2000 });
    expect(store.overloaded).toBe(false);
    for (let i = 0; i < 20; i++) store.apply(p1, key(`k${i}`), Buffer.alloc(100), []);
    expect(store.overloaded).toBe(true);
    await turn();
    await held.releaseAll();
    await turn();
    await held.releaseAll();
    expect(store.stats().checkpoints).toBeGreaterThan(0);
    expect(store.overloaded).toBe(false);
  });

  it('recycle the log: the segments stay few however much is written', async () => {
    const { store, clock, log } = await openTestStore({ limits: { spareSegments: 1 } });
    for (let i = 0; i < 50; i++) {
      store.apply(p1, key('a'), Buffer.alloc(300), []);
      await checkpointed(store, clock);
    }
    const numbers = await log.list();
    expect(numbers.length).toBeLessThanOrEqual(3);
    expect(Math.max(...numbers)).toBeGreaterThan(10);
  });

  it('find the next log segment made before it is needed', async () => {
    const { store, held } = await heldStore();
    for (const name of ['a', 'b']) {
      store.apply(p1, key(name), Buffer.alloc(700), []);
      await turn();
      while (held.waiting.some((operation) => operation !== 'create')) {
        await held.release(held.waiting.findIndex((operation) => operation !== 'create'));
      }
    }
    expect(held.waiting).toEqual(['create']);
    await store.durable(2, 'os');
  });

  it('take a change that is larger than a segment', async () => {
    const { store, log, state } = await openTestStore();
    await store.durable(store.apply(p1, key('a'), Buffer.alloc(5000, 1), []), 'flush');
    await store.durable(store.apply(p1, key('b'), bytes('after'), []), 'flush');
    const again = await openTestStore({ log: log.afterPowerCut(() => 0), state: state.afterPowerCut() });
    expect(again.store.read(p1, key('a'))).toHaveLength(5000);
    expect(text(again.store.read(p1, key('b')))).toBe('after');
  });
});

describe('failures', () => {
  for (const operation of ['write', 'sync'] as const) {
    it(`of a ${operation} are final and reported once`, async () => {
      const { store, held, failures } = await heldStore();
      const first = outcome(store.durable(store.apply(p1, key('a'), bytes('1'), []), 'flush'));
      await turn();
      const second = outcome(store.durable(store.apply(p1, key('b'), bytes('2'), []), 'flush'));
      if (operation === 'sync') await held.release();
      await held.failNext(new Error('EIO'));
      expect([first(), second()]).toEqual(['storage-failed', 'storage-failed']);
      expect(failures.map(({ code }) => code)).toEqual(['storage-failed']);
      const later = outcome(store.durable(2, 'flush'));
      await turn();
      expect(later()).toBe('storage-failed');
      expect(() => store.apply(p1, key('c'), bytes('3'), [])).toThrow(StoreError);
      expect(held.waiting).toEqual([]);
      await expect(store.close()).rejects.toThrow('EIO');
      expect(failures).toHaveLength(1);
    });
  }

  it('of a read refuse the change that needed it, and nothing else', async () => {
    const { store, state } = await openTestStore();
    const { get } = state;
    state.get = () => {
      throw new Error('EIO');
    };
    expect(() => store.apply(p1, key('a'), bytes('1'), [])).toThrow(StoreError);
    state.get = get;
    await store.durable(store.apply(p1, key('a'), bytes('1'), []), 'flush');
    expect(store.stats().objects).toBe(1);
  });

  it('of a commit are final, and what is in the log is not lost', async () => {
    const { store, held, clock, failures, log, state } = await heldStore();
    store.apply(p1, key('a'), bytes('1'), [dot(1)]);
    const written = outcome(store.durable(1, 'flush'));
    await turn();
    await held.release();
    await held.release();
    clock.advance(CHECKPOINT_DELAY_MS);
    await turn();
    await held.failNext(new Error('EIO'));
    expect(written()).toBe('done');
    expect(failures).toHaveLength(1);
    const again = await openTestStore({ log: log.afterPowerCut(() => 0), state: state.afterPowerCut() });
    expect(text(again.store.read(p1, key('a')))).toBe('1');
  });

  it('are reported once even when the log and the state fail one after the other', async () => {
    const { store, held, clock, failures } = await heldStore();
    store.apply(p1, key('a'), bytes('1'), []);
    await turn();
    clock.advance(CHECKPOINT_DELAY_MS);
    await held.release();
    await held.release();
    store.apply(p1, key('b'), bytes('2'), []);
    await turn();
    expect(held.waiting).toEqual(['commit', 'write']);
    await held.failNext(new Error('first'));
    await held.failNext(new Error('second'));
    expect(failures.map(({ message }) => message)).toEqual(['The data could not be written: first']);
  });

  it('include a commit that never ends', async () => {
    const { store, held, clock, failures } = await heldStore({ commitTimeoutMs: 30_000 });
    store.apply(p1, key('a'), bytes('1'), []);
    await turn();
    clock.advance(CHECKPOINT_DELAY_MS);
    await held.release();
    await held.release();
    expect(held.waiting).toEqual(['commit']);
    clock.advance(29_999);
    await turn();
    expect(failures).toEqual([]);
    clock.advance(1);
    await turn();
    expect(failures.map(({ message }) => message)).toEqual(['A commit of the state table took longer than 30000 ms.']);
  });

  it('include stored bytes that do not match their checksum: an error that names the partition, not an absence', async () => {
    const { store, clock, state } = await openTestStore();
    store.apply(p1, key('a'), bytes('one'), []);
    await checkpointed(store, clock);
    const stateKey = objectStateKey(p1, key('a'));
    const stored = Buffer.from(state.get(stateKey) ?? []);
    stored[0] = (stored[0] ?? 0) ^ 1;
    await state.write([{ key: stateKey, value: stored }]);
    expect(() => store.read(p1, key('a'))).toThrow(/damaged.*partition 1/);
    await state.write([{ key: stateKey, value: Buffer.of(1) }]);
    expect(() => store.read(p1, key('a'))).toThrow(StoreError);
  });

  it('hold up no other record when one of them is damaged', async () => {
    const { store, clock, state } = await openTestStore();
    store.applyMeta(['m/1', 'm/2', 'm/3'].map((name) => ({ key: name, value: bytes(name) })));
    await checkpointed(store, clock);
    state.spoil(metaStateKey('m/2'), Buffer.of(1, 2, 3, 4, 5));
    const visited: unknown[] = [];
    store.visitMeta('m/', (name, value) => visited.push([name, text(value)]));
    expect(visited).toEqual([
      ['m/1', 'm/1'],
      ['m/2', undefined],
      ['m/3', 'm/3'],
    ]);
    expect(() => store.metaWithPrefix('m/')).toThrow(/damaged.*m\/2/);
    expect(() => store.meta('m/2')).toThrow(StoreError);
  });

  it('do not include a key that the state could not take: it is refused before it is logged', async () => {
    const { store } = await openTestStore();
    expect(() => store.apply(p1, key('k'.repeat(1900)), bytes('1'), [])).toThrow(/key/);
    expect(() => store.applyMeta([{ key: 'é'.repeat(951), value: bytes('1') }])).toThrow(/key/);
    expect(store.applyMeta([{ key: 'é'.repeat(950), value: bytes('1') }])).toBe(1);
  });

  it('include a whole value that belongs to another key', async () => {
    const { store, clock, state } = await openTestStore();
    store.apply(p1, key('a'), bytes('one'), []);
    store.apply(p1, key('b'), bytes('two'), []);
    await checkpointed(store, clock);
    await state.write([{ key: objectStateKey(p1, key('a')), value: state.get(objectStateKey(p1, key('b'))) }]);
    expect(() => store.read(p1, key('a'))).toThrow(StoreError);
  });
});
