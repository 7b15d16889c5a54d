import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectWritable } from './expect-writable.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a file that is to be written later', () => {
  it('is not there afterwards when it was not there before', async () => {
    await expectWritable(join(folder, 'report.json'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is left as it is', async () => {
    const file = join(folder, 'report.json');
    writeFileSync(file, 'before');
    await expectWritable(file);
    expect(readFileSync(file, 'utf8')).toBe('before');
  });

  it('is refused where there is no such folder, or a folder of its name', async () => {
    await expect(expectWritable(join(folder, 'none', 'report.json'))).rejects.toThrow('ENOENT');
    await expect(expectWritable(folder)).rejects.toThrow('EISDIR');
  });
});
