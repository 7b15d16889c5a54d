import { describe, expect, it } from 'vitest';
import { FatalError } from '../errors.ts';
import type { MemoryLogDevice } from './memory-log-device.ts';
import { bytes, dot, key, openTestStore, p1, type TestStore, text } from './storage-builders.ts';

const all = (length: number): number => length;

/** A store that was killed with these changes in its log, each flushed in a group of its own. */
async function killedAfter(values: readonly string[]): Promise<TestStore> {
  const world = await openTestStore();
  for (const [i, value] of values.entries()) {
    await world.store.durable(world.store.apply(p1, key(`k${i}`), bytes(value), [dot(i + 1)]), 'flush');
  }
  return world;
}

/** Starts again over what the killed store left; `damage` may change its first segment before. */
function startedAgain(
  killed: TestStore,
  damage: (segment: Buffer, log: MemoryLogDevice) => void = () => {},
): Promise<TestStore> {
  const log = killed.log.afterPowerCut(all);
  damage(log.bytesOf(1), log);
  return openTestStore({ log, state: killed.state.afterPowerCut() });
}

/** Where the n-th group starts. */
function groupOffset(segment: Buffer, n: number): number {
  let offset = -1;
  for (let i = 0; i <= n; i++) offset = segment.indexOf('QRL1', offset + 1);
  return offset;
}

function held(world: TestStore, count: number): (string | undefined)[] {
  return Array.from({ length: count }, (_, i) => text(world.store.read(p1, key(`k${i}`))));
}

describe('a log after a crash', () => {
  it('gives back every change', async () => {
    const again = await startedAgain(await killedAfter(['a', 'b', 'c']));
    expect(held(again, 3)).toEqual(['a', 'b', 'c']);
    expect(again.store.clock(p1)).toEqual([{ actor: dot(1).actor, runs: [1, 3] }]);
    expect(again.logger.lines).toEqual([]);
  });

  it('drops a torn tail, says so, and goes on with the sequence after the last whole group (R12)', async () => {
    const killed = await killedAfter(['a', 'b', 'c']);
    const again = await startedAgain(killed, (segment) => segment.fill(0, groupOffset(segment, 2) + 40));
    expect(held(again, 3)).toEqual(['a', 'b', undefined]);
    expect(again.store.clock(p1)).toEqual([{ actor: dot(1).actor, runs: [1, 2] }]);
    expect(again.logger.lines.map(({ level }) => level)).toEqual(['warn']);
    expect(again.logger.lines[0]?.fields).toMatchObject({ segment: 'segment 1', lastChange: 2 });
    expect(again.store.applyMeta([])).toBe(3);
  });

  it('is not confused by whole groups behind a torn one, however often it starts', async () => {
    const first = await openTestStore();
    for (let i = 0; i < 4; i++) {
      await first.store.durable(
        first.store.apply(p1, key(`k${i}`), bytes(`old${i}`), [dot(i + 1)]),
        i < 1 ? 'flush' : 'os',
      );
    }
    const second = await startedAgain(first, (segment) =>
      segment.fill(0xff, groupOffset(segment, 1) + 36, groupOffset(segment, 1) + 40),
    );
    expect(held(second, 4)).toEqual(['old0', undefined, undefined, undefined]);
    for (let i = 1; i < 3; i++) {
      await second.store.durable(second.store.apply(p1, key(`k${i}`), bytes(`new${i}`), [dot(10 + i)]), 'flush');
    }
    const third = await openTestStore({ log: second.log.afterPowerCut(all), state: second.state.afterPowerCut() });
    expect(held(third, 4)).toEqual(['old0', 'new1', 'new2', undefined]);
  });

  it('refuses to start when a change that had been flushed is damaged, and says where and what to do (R12)', async () => {
    const killed = await killedAfter(['a', 'b', 'c']);
    let offset = -1;
    const starting = startedAgain(killed, (segment) => {
      offset = groupOffset(segment, 1);
      segment[offset + 45] = (segment[offset + 45] ?? 0) ^ 1;
    });
    const error = await starting.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FatalError);
    expect(error).toMatchObject({ exitCode: 1 });
    expect(String(error)).toContain(`damaged in segment 1 at offset ${offset}: change 2 is missing`);
    expect(String(error)).toContain('Set the folder aside and start with an empty one');
  });

  it('refuses to start when a whole stretch of flushed changes was wiped', async () => {
    const killed = await killedAfter(['a', 'b', 'c', 'd']);
    await expect(
      startedAgain(killed, (segment) => segment.fill(0, groupOffset(segment, 0), groupOffset(segment, 2))),
    ).rejects.toThrow('change 1 is missing');
  });

  it('refuses to start when the log is gone though the store had been in use', async () => {
    const { state } = await killedAfter(['a']);
    await expect(openTestStore({ state: state.afterPowerCut() })).rejects.toThrow('The log is missing');
  });

  it('does not mind damage to what is in the state already', async () => {
    const world = await openTestStore();
    await world.store.durable(world.store.apply(p1, key('k0'), bytes('a'), []), 'flush');
    await world.store.durable(world.store.apply(p1, key('k1'), bytes('b'), []), 'flush');
    await world.store.close();
    await expect(startedAgain(world, (segment) => segment.fill(0, 0, groupOffset(segment, 1)))).resolves.toBeDefined();
    const again = await startedAgain(world, (segment) => segment.fill(0, 0, groupOffset(segment, 1)));
    expect(held(again, 2)).toEqual(['a', 'b']);
    expect(again.store.applyMeta([])).toBe(3);
  });

  it('never takes the groups of a recycled segment for its own', async () => {
    const killed = await killedAfter(['a', 'b']);
    const stale = Buffer.from(killed.log.bytesOf(1));
    const again = await startedAgain(killed);
    const number = Math.min(...(await again.log.list()));
    expect(number).toBeGreaterThan(1);
    expect(again.log.bytesOf(number).indexOf(stale.subarray(0, 100))).toBe(0);
    const third = await openTestStore({ log: again.log.afterPowerCut(all), state: again.state.afterPowerCut() });
    expect(third.store.applyMeta([])).toBe(3);
  });

  it('starts with the rest of a group in whose middle a checkpoint ended', async () => {
    const world = await openTestStore({ limits: { checkpointBytes: 200 } });
    const { store } = world;
    store.apply(p1, key('k0'), Buffer.from('x'.repeat(200)), [dot(1)]);
    store.apply(p1, key('k0'), undefined, [dot(2)]);
    await store.durable(2, 'flush');
    const again = await openTestStore({ log: world.log.afterPowerCut(all), state: world.state.afterPowerCut() });
    expect(held(again, 1)).toEqual([undefined]);
    expect(again.store.clock(p1)).toEqual([{ actor: dot(1).actor, runs: [1, 2] }]);
  });

  it('keeps checkpointing while it replays more than a memtable should hold', async () => {
    const world = await openTestStore({ limits: { checkpointDelayMs: 1e9, checkpointBytes: 1e9 } });
    for (let i = 0; i < 40; i++)
      await world.store.durable(world.store.apply(p1, key(`k${i}`), Buffer.alloc(100, i), [dot(i + 1)]), 'flush');
    const log = world.log.afterPowerCut(all);
    const again = await openTestStore({ log, state: world.state.afterPowerCut(), limits: { checkpointBytes: 1000 } });
    expect(again.store.stats().checkpoints).toBeGreaterThan(3);
    expect(again.store.stats().memtableEntries).toBe(0);
    for (let i = 0; i < 40; i++) expect(again.store.read(p1, key(`k${i}`))).toEqual(Buffer.alloc(100, i));
  });
});
