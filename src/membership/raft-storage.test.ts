import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logIndex, term } from '../core/ids.ts';
import { InvariantViolation } from '../core/invariant.ts';
import {
  type Entry,
  foundingState,
  joiningState,
  raftId,
  type Snapshot,
  type StoredState,
} from '../core/raft/types.ts';
import { openTestStore, type TestStore } from '../storage/storage-builders.ts';
import { RaftStorage } from './raft-storage.ts';

const configuration = { voters: [raftId(1)], outgoing: [], learners: [] };
const founding = foundingState(configuration, new Uint8Array(0));
const entry = (index: number, inTerm: number, data = `${index}.${inTerm}`): Entry => ({
  ...{ index: logIndex(index), term: term(inTerm) },
  data: Uint8Array.from(Buffer.from(data)),
});
const snapshotAt = (index: number, inTerm = 1): Snapshot => ({
  ...{ index: logIndex(index), term: term(inTerm), configuration },
  data: Uint8Array.from(Buffer.from(`state ${index}`)),
});
const hard = (inTerm: number, vote: number | undefined, commit: number) => ({
  ...{ term: term(inTerm), vote: vote === undefined ? undefined : raftId(vote), commit: logIndex(commit) },
});
const nothing = { snapshot: undefined, entries: [], hardState: undefined };

/** What is found after the process has ended and started again. */
async function reloaded(disk: TestStore): Promise<StoredState | undefined> {
  await disk.store.durable(disk.store.applyMeta([]), 'flush');
  const { store } = await openTestStore({ log: disk.log.afterPowerCut(() => 0), state: disk.state.afterPowerCut() });
  const state = new RaftStorage(store).load();
  return state && comparable(state);
}

function comparable({ hardState, snapshot, entries }: StoredState): StoredState {
  return {
    hardState: { ...hardState, vote: hardState.vote },
    snapshot: { ...snapshot, data: Uint8Array.from(snapshot.data) },
    entries: entries.map((each) => ({ ...each, data: Uint8Array.from(each.data) })),
  };
}

async function founded(): Promise<{ disk: TestStore; storage: RaftStorage }> {
  const disk = await openTestStore();
  const storage = new RaftStorage(disk.store);
  expect(storage.load()).toBeUndefined();
  storage.create(founding);
  return { disk, storage };
}

describe('what Raft keeps on disk', () => {
  it('is nothing in a new folder, and the founding state in a founder\u2019s', async () => {
    const { disk } = await founded();
    expect(await reloaded(disk)).toEqual(founding);
  });

  it('is found again by a node that joins with nothing', async () => {
    const disk = await openTestStore();
    new RaftStorage(disk.store).create(joiningState());
    expect(await reloaded(disk)).toEqual(joiningState());
  });

  it('has the latest vote, and none after a new term', async () => {
    const { disk, storage } = await founded();
    storage.save({ ...nothing, hardState: hard(4, 1, 1) });
    expect((await reloaded(disk))?.hardState).toEqual(hard(4, 1, 1));
    storage.save({ ...nothing, hardState: hard(5, undefined, 1) });
    expect((await reloaded(disk))?.hardState).toEqual(hard(5, undefined, 1));
  });

  it('loses what a new leader replaces, and all that followed it', async () => {
    const { disk, storage } = await founded();
    storage.save({ ...nothing, entries: [entry(2, 1), entry(3, 1), entry(4, 1)] });
    storage.save({ ...nothing, entries: [entry(3, 2)] });
    expect((await reloaded(disk))?.entries).toEqual([entry(2, 1), entry(3, 2)]);
  });

  it('is the snapshot alone once one was received', async () => {
    const { disk, storage } = await founded();
    storage.save({ ...nothing, entries: [entry(2, 1), entry(3, 1)] });
    storage.save({ snapshot: snapshotAt(9, 3), entries: [entry(10, 3)], hardState: hard(3, undefined, 9) });
    expect(await reloaded(disk)).toEqual({
      ...{ hardState: hard(3, undefined, 9), snapshot: snapshotAt(9, 3) },
      entries: [entry(10, 3)],
    });
  });

  it('keeps entries from before its own snapshot for those who are a little behind', async () => {
    const { disk, storage } = await founded();
    storage.save({ ...nothing, entries: [2, 3, 4, 5].map((index) => entry(index, 1)) });
    storage.compact(snapshotAt(4), logIndex(3));
    const state = await reloaded(disk);
    expect(state?.snapshot).toEqual(snapshotAt(4));
    expect(state?.entries.map(({ index }) => index)).toEqual([3, 4, 5]);
  });

  it('costs nothing when there is nothing to write', async () => {
    const { storage } = await founded();
    expect(storage.save(nothing)).toBe(0);
  });

  it('has no gaps', async () => {
    const { storage } = await founded();
    expect(() => storage.save({ ...nothing, entries: [entry(3, 1)] })).toThrow(InvariantViolation);
  });

  it('agrees with a plain list of entries, whatever is appended, replaced, received or compacted, and whenever it restarts', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), back: fc.nat(4), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant('snapshot' as const), ahead: fc.nat(5), count: fc.nat(2) }),
      fc.record({ kind: fc.constant('compact' as const), kept: fc.nat(4) }),
      fc.record({ kind: fc.constant('restart' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        let { disk, storage } = await founded();
        let model = { snapshot: founding.snapshot, entries: [] as Entry[] };
        let now = 1;
        const last = () => model.entries.at(-1)?.index ?? model.snapshot.index;
        for (const each of steps) {
          now++;
          if (each.kind === 'append') {
            const from = Math.max(model.snapshot.index + 1, last() + 1 - each.back);
            const entries = Array.from({ length: each.count }, (_, i) => entry(from + i, now));
            storage.save({ ...nothing, entries });
            model.entries = [...model.entries.filter(({ index }) => index < from), ...entries];
          } else if (each.kind === 'snapshot') {
            const snapshot = snapshotAt(last() + 1 + each.ahead, now);
            const entries = Array.from({ length: each.count }, (_, i) => entry(snapshot.index + 1 + i, now));
            storage.save({ snapshot, entries, hardState: undefined });
            model = { snapshot, entries };
          } else if (each.kind === 'compact') {
            if (last() === model.snapshot.index) continue;
            const firstKept = logIndex(Math.max(model.entries[0]?.index ?? 0, last() + 1 - each.kept));
            storage.compact(snapshotAt(last(), now), firstKept);
            model = {
              snapshot: snapshotAt(last(), now),
              entries: model.entries.filter(({ index }) => index >= firstKept),
            };
          } else {
            await disk.store.close();
            disk = await openTestStore({ log: disk.log, state: disk.state });
            storage = new RaftStorage(disk.store);
            storage.load();
          }
        }
        expect(await reloaded(disk)).toEqual({ hardState: founding.hardState, ...model });
      }),
      { numRuns: 60 },
    );
  });
});
