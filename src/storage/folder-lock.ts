import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FatalError } from '../errors.ts';

/**
 * Keeps a second process off a data folder: LMDB alone would let it in.
 *
 * A file `lock` names the holder: process id, and when that process and the machine were started, so that neither a killed
 * process nor another one that got its number since counts as alive. It appears with its content in one step (a hard link), and
 * a dead holder's is moved away before it is replaced, so that of two processes that start at once only one wins.
 *
 * Processes in separate containers do not see each other; giving them one folder is not prevented.
 */
export class FolderLock {
  private readonly path: string;
  private readonly content: string;

  private constructor(path: string, content: string) {
    this.path = path;
    this.content = content;
  }

  /** Throws `FatalError` when another process holds the folder. */
  static async acquire(folder: string): Promise<FolderLock> {
    const path = join(folder, 'lock');
    const lock = new FolderLock(path, await identityOf(process.pid));
    const mine = `${path}.${process.pid}`;
    await writeWhole(mine, lock.content);
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (await linked(mine, path)) return lock;
        await lock.clearDead(folder);
      }
    } finally {
      await rm(mine, { force: true });
    }
    throw new FatalError(`data folder ${folder}: several processes are starting on it`);
  }

  async release(): Promise<void> {
    if ((await contentOf(this.path)) === this.content) await rm(this.path, { force: true });
  }

  private async clearDead(folder: string): Promise<void> {
    const found = await contentOf(this.path);
    if (found === undefined) return;
    const pid = Number.parseInt(found, 10);
    if (Number.isInteger(pid) && pid > 0 && (await identityOf(pid)) === found) {
      throw new FatalError(`data folder ${folder}: process ${pid} is using it`);
    }
    const moved = `${this.path}.dead.${process.pid}`;
    await rename(this.path, moved).catch(ignoreMissing);
    // Between the look and the move another process may have taken the lock: then it gets it back.
    const taken = await contentOf(moved);
    if (taken !== undefined && taken !== found) await linked(moved, this.path);
    await rm(moved, { force: true });
  }
}

const ATTEMPTS = 5;

/** `pid start boot`; where the system does not tell, a dead process is known by its missing number alone. */
async function identityOf(pid: number): Promise<string> {
  const stat = await contentOf(`/proc/${pid}/stat`);
  if (stat === undefined) return isRunning(pid) ? `${pid}` : '';
  // The name, in parentheses, may hold anything; the start time is the 20th field behind it.
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  const boot = (await contentOf('/proc/sys/kernel/random/boot_id')) ?? '';
  return `${pid} ${start} ${boot.trim()}`;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

async function writeWhole(path: string, content: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  // A process that ends while its status is read gives ESRCH.
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return;
  throw error;
}
