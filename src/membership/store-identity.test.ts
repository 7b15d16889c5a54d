import { pack } from 'msgpackr';
import { beforeEach, describe, expect, it } from 'vitest';
import { TestDisk } from '../../test/faulty-ports.ts';
import { applyCommand } from '../core/cluster/apply-command.ts';
import { createCommand, grantCommand, History } from '../core/cluster/cluster-builders.ts';
import { logIndex, nodeId } from '../core/ids.ts';
import { FatalError } from '../errors.ts';
import { openTestStore, type TestStore, turn } from '../storage/storage-builders.ts';
import { systemRandom } from '../system/system-random.ts';
import { claimIdentity, StartRecord } from './store-identity.ts';

const random = systemRandom();
const expected = { cluster: 'test', node: nodeId('n1'), partitions: 8 };

/** The same disk after a power cut. */
const afterPowerCut = ({ log, state }: TestStore): Promise<TestStore> =>
  openTestStore({ log: log.afterPowerCut(() => 0), state: state.afterPowerCut() });

describe('the identity of a data folder', () => {
  it('is drawn once and survives a power cut', async () => {
    const disk = await openTestStore();
    const first = await claimIdentity(disk.store, expected, random);
    expect(first.fresh).toBe(true);
    const again = await claimIdentity((await afterPowerCut(disk)).store, expected, random);
    expect(again).toEqual({ identity: first.identity, fresh: false });
    const other = await claimIdentity((await openTestStore()).store, expected, random);
    expect(other.identity.store).not.toBe(first.identity.store);
  });

  it.each([
    ['cluster', { ...expected, cluster: 'other' }],
    ['node', { ...expected, node: nodeId('n2') }],
    ['partitions', { ...expected, partitions: 16 }],
  ])('keeps a node from starting with the folder of another %s', async (what, others) => {
    const disk = await openTestStore();
    await claimIdentity(disk.store, others, random);
    const refusal = await claimIdentity(disk.store, expected, random).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(FatalError);
    expect(refusal).toMatchObject({ exitCode: 2, message: expect.stringContaining(what) });
  });

  it('keeps a node from starting with a folder of a later format', async () => {
    const { store } = await openTestStore();
    store.applyMeta([{ key: 'identity', value: pack({ ...expected, format: 2, store: 's' }) }]);
    await expect(claimIdentity(store, expected, random)).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('the record of starts', () => {
  let disk: TestStore;
  beforeEach(async () => {
    disk = await openTestStore();
  });
  const begin = () => new StartRecord(disk.store).begin(random);
  const restart = async () => {
    disk = await afterPowerCut(disk);
  };

  it('is on disk before anybody hears of the start', async () => {
    const held = new TestDisk(1024);
    disk = await openTestStore({ log: held.log, state: held.state });
    held.hold();
    let isBegun = false;
    const started = begin().then(() => {
      isBegun = true;
    });
    await turn();
    expect(isBegun).toBe(false);
    held.release();
    await started;
  });

  it('names the start that has the grant, and every attempt since', async () => {
    const first = await begin();
    expect(first.attempts).toEqual([]);
    await new StartRecord(disk.store).granted(first.start, logIndex(3));
    await restart();
    const second = await begin();
    await restart();
    const third = await begin();
    expect(second.attempts).toEqual([first.start]);
    expect(third.attempts).toEqual([first.start, second.start]);
    await new StartRecord(disk.store).granted(third.start, logIndex(4));
    await restart();
    expect((await begin()).attempts).toEqual([third.start]);
  });

  it('is not behind starts of its own that came to nothing, however late a log names one of them', async () => {
    const lost = await begin();
    const second = await begin();
    await new StartRecord(disk.store).granted(second.start, logIndex(3));
    const third = await begin();
    await new StartRecord(disk.store).granted(third.start, logIndex(4));
    await restart();
    const record = new StartRecord(disk.store);
    for (const { start } of [lost, second, third]) expect(record.isBehind(logIndex(9), start)).toBe(false);
    expect(record.isBehind(logIndex(9), 'of another life')).toBe(true);
  });

  it('lets a node in whose grant was committed while it crashed, and an older copy of its folder not', async () => {
    const history = new History(createCommand());
    const ask = ({ start, attempts }: Awaited<ReturnType<typeof begin>>) =>
      history.apply(grantCommand(start, attempts)).kind;
    expect(ask(await begin())).toBe('granted');
    const copy = disk;
    disk = await afterPowerCut(disk);
    expect(ask(await begin())).toBe('granted');
    expect(ask(await begin())).toBe('granted');
    disk = await afterPowerCut(copy);
    expect(ask(await begin())).toBe('refused');
  });

  it('still holds the start that has the grant after a thousand restarts without a metadata leader', async () => {
    const first = await begin();
    await new StartRecord(disk.store).granted(first.start, logIndex(3));
    for (let i = 0; i < 1000; i++) await begin();
    const last = await begin();
    expect(last.attempts.length).toBeLessThanOrEqual(256);
    const { state } = new History(createCommand(), grantCommand(first.start, []));
    const { result } = applyCommand(state, grantCommand(last.start, last.attempts), logIndex(9));
    expect(result.kind).toBe('granted');
  });
});
