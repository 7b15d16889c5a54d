import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FatalError } from '../errors.ts';
import type { LogDevice, StateTable } from './devices.ts';
import type { StorageEngine } from './engine.ts';
import { FileLogDevice } from './file-log-device.ts';
import { FolderLock } from './folder-lock.ts';
import { LmdbStateTable } from './lmdb-state-table.ts';
import { openStore, type StoreOptions } from './open-store.ts';
import { syncFolder } from './sync-folder.ts';

/**
 * Opens the store in a data folder, which is created when it does not exist: `lock`, `log/` and `state/`.
 *
 * Throws `FatalError`, naming the folder, when it cannot be used: in use by another process, not writable, damaged.
 */
export async function openStoreFolder(options: StoreFolderOptions): Promise<StorageEngine> {
  const { folder, segmentBytes = SEGMENT_BYTES } = options;
  const opened: { log?: LogDevice; state?: StateTable; lock?: FolderLock } = {};
  try {
    await checkWritable(folder);
    const lock = await FolderLock.acquire(folder);
    opened.lock = lock;
    const log = await FileLogDevice.open(join(folder, 'log'), segmentBytes);
    opened.log = log;
    const state = await LmdbStateTable.open(join(folder, 'state'));
    opened.state = state;
    for (const changed of [folder, join(folder, 'state')]) await syncFolder(changed);
    return await openStore({ ...options, log, state, release: () => lock.release() });
  } catch (error) {
    await opened.log?.close();
    await opened.state?.close();
    await opened.lock?.release();
    if (error instanceof FatalError) throw error;
    throw new FatalError(`data folder ${folder}: ${messageOf(error)}`, 1, { cause: error });
  }
}

export interface StoreFolderOptions extends Omit<StoreOptions, 'log' | 'state' | 'release'> {
  readonly folder: string;
  /** Bytes of a log segment. Changing it replaces the segments at the next start. */
  readonly segmentBytes?: number;
}

const SEGMENT_BYTES = 16 << 20;

async function checkWritable(folder: string): Promise<void> {
  const probe = join(folder, `.probe.${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await (await open(probe, 'w')).close();
    await rm(probe);
  } catch (error) {
    throw new FatalError(`data folder ${folder} cannot be written: ${messageOf(error)}`, 1, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
