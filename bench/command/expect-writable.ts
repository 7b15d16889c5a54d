import { open, unlink } from 'node:fs/promises';

/** Rejects when the file cannot be written: better before a measurement than after it. What is in it stays; a file that is not there is not left there. */
export async function expectWritable(file: string): Promise<void> {
  try {
    await (await open(file, 'r+')).close();
  } catch (error) {
    if (!isMissing(error)) throw error;
    await (await open(file, 'wx')).close();
    await unlink(file);
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
