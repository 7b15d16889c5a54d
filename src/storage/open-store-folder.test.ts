import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FatalError } from '../errors.ts';
import { loadHashes } from '../system/hash.ts';
import { ManualClock } from '../system/manual-clock.ts';
import type { StorageEngine } from './engine.ts';
import { openStoreFolder } from './open-store-folder.ts';
import { bytes, checkpointed, dot, key, p1, TestLogger, text } from './storage-builders.ts';
import { type ContractStore, storeContract } from './store.contract.ts';

const { checksum32 } = await loadHashes();
let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'quorate-store-'));
});
afterEach(() => rm(base, { recursive: true, force: true }));

function openFolder(folder: string, clock = new ManualClock()): Promise<StorageEngine> {
  const failed = (error: Error): void => {
    throw error;
  };
  return openStoreFolder({ folder, clock, checksum32, failed, logger: new TestLogger(), segmentBytes: 1 << 20 });
}

async function contractStore(folder: string): Promise<ContractStore> {
  const clock = new ManualClock();
  const store = await openFolder(folder, clock);
  const closed = async (): Promise<void> => {
    await checkpointed(store, clock);
    await store.close();
  };
  return {
    store,
    settled: () => checkpointed(store, clock),
    async reopened() {
      await closed();
      return contractStore(folder);
    },
    dispose: closed,
  };
}

storeContract('the engine over files and LMDB', () => contractStore(join(base, 'data')));

async function refusal(opening: Promise<StorageEngine>): Promise<FatalError> {
  const reason = await opening.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(reason instanceof FatalError)) throw new Error(`not refused: ${String(reason)}`);
  return reason;
}

describe('a data folder', () => {
  it('is created with all that is above it', async () => {
    const folder = join(base, 'a', 'b');
    const store = await openFolder(folder);
    expect((await readdir(folder)).sort()).toEqual(['lock', 'log', 'state']);
    await store.close();
    expect((await readdir(folder)).sort()).toEqual(['log', 'state']);
  });

  it('serves one store at a time', async () => {
    const store = await openFolder(base);
    const error = await refusal(openFolder(base));
    expect(error.exitCode).toBe(1);
    expect(error.message).toBe(`data folder ${base}: process ${process.pid} is using it`);
    await store.durable(store.apply(p1, key('a'), bytes('still works'), []), 'flush');
    await store.close();
    const next = await openFolder(base);
    expect(text(next.read(p1, key('a')))).toBe('still works');
    await next.close();
  });

  it('is free again when its holder was killed, or another process has got the holder’s number since', async () => {
    const holder = spawn('sleep', ['60']);
    const [, start = '', boot = ''] = (await lockOfThisProcess()).split(' ');
    await writeFile(join(base, 'lock'), `${holder.pid} ${start} ${boot}`);
    await (await openFolder(base)).close();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await writeFile(join(base, 'lock'), `${holder.pid} 12345 ${boot}`);
    await (await openFolder(base)).close();
    await writeFile(join(base, 'lock'), '');
    await (await openFolder(base)).close();
    expect((await readdir(base)).sort()).toEqual(['log', 'state']);
  });

  async function lockOfThisProcess(): Promise<string> {
    const folder = join(base, 'other');
    const store = await openFolder(folder);
    const content = await readFile(join(folder, 'lock'), 'utf8');
    await store.close();
    await rm(folder, { recursive: true });
    return content;
  }

  it('that cannot be written is refused with its path and the reason', async () => {
    await writeFile(join(base, 'file'), '');
    const folder = join(base, 'file', 'data');
    const error = await refusal(openFolder(folder));
    expect(error.exitCode).toBe(1);
    expect(error.message).toContain(`data folder ${folder} cannot be written: ENOTDIR`);
  });

  it.skipIf(process.getuid?.() === 0)('without write permission is refused', async () => {
    await chmod(base, 0o500);
    expect((await refusal(openFolder(base))).message).toContain('EACCES');
    await chmod(base, 0o700);
  });

  it('with a state file that is not one is refused, and left unlocked', async () => {
    const store = await openFolder(base);
    await store.durable(store.apply(p1, key('a'), bytes('x'), [dot(1)]), 'flush');
    await store.close();
    const path = join(base, 'state', 'state.mdb');
    const whole = await readFile(path);
    for (const broken of [
      Buffer.alloc(16384, 0x5a),
      Buffer.alloc(8192),
      whole.subarray(0, 5000),
      whole.subarray(0, 8192),
    ]) {
      await writeFile(path, broken);
      expect((await refusal(openFolder(base))).message).toBe(`data folder ${base}: ${path} is damaged or cut short`);
      expect((await readdir(base)).sort()).toEqual(['log', 'state']);
    }
    await writeFile(path, whole);
    await (await openFolder(base)).close();
  });

  it('holds log segments whose blocks are all there from the start', async () => {
    const store = await openFolder(base);
    const [name = ''] = (await readdir(join(base, 'log'))).sort();
    const { size, blocks } = await stat(join(base, 'log', name));
    expect(size).toBe(1 << 20);
    expect(blocks * 512).toBeGreaterThanOrEqual(size);
    await store.close();
  });

  it('forgets a segment whose creation was cut short', async () => {
    await (await openFolder(base)).close();
    const left = join(base, 'log', '0000000000000099.log.new');
    await writeFile(left, 'part');
    const store = await openFolder(base);
    expect(await readdir(join(base, 'log'))).not.toContain('0000000000000099.log.new');
    await store.close();
  });
});
