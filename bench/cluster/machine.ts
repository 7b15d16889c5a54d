import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { Machine } from '../report/bench-report.ts';
import { removedAtTheEnd } from './removed-at-the-end.ts';

/**
 * This machine, with the disk of `folder`, where the nodes keep their data: not measured when it is undefined. Takes up to 3 s, longer
 * on a slow disk.
 */
export async function machine(folder: string | undefined): Promise<Machine> {
  const load = loadavg()[0] ?? 0;
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    flush: folder === undefined ? undefined : await flushTimes(folder),
    isDiskInMemory: folder !== undefined && IN_MEMORY.includes(statfsSync(folder).type),
    load: Math.round(load * 100) / 100,
  };
}

/** File systems that keep files in memory alone, as statfs(2) numbers them on Linux: tmpfs and ramfs. */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6];

const PAGE_BYTES = 4096;
const PAGES = 256;
/** Enough for a p99, unless the disk is so slow that it would take minutes. */
const FLUSHES = 300;
const FLUSHES_MIN = 20;
const WITHIN_MS = 3000;

/**
 * Times of a page's write and its fdatasync, each over a part of the file that was written before, as in the store's log: the file
 * does not grow, so that nothing but data is flushed. Signals are taken between two flushes.
 */
async function flushTimes(folder: string): Promise<NonNullable<Machine['flush']>> {
  const scratch = mkdtempSync(join(folder, 'quorate-flush-'));
  const removeNow = (): void => rmSync(scratch, { recursive: true, force: true });
  const forget = removedAtTheEnd({ removeNow });
  const file = openSync(join(scratch, 'flushed'), 'w');
  const page = Buffer.alloc(PAGE_BYTES, 1);
  try {
    for (let i = 0; i < PAGES; i++) writeSync(file, page, 0, PAGE_BYTES, i * PAGE_BYTES);
    fdatasyncSync(file);
    const times: number[] = [];
    const endMs = performance.now() + WITHIN_MS;
    while (times.length < FLUSHES_MIN || (times.length < FLUSHES && performance.now() < endMs)) {
      const startMs = performance.now();
      writeSync(file, page, 0, PAGE_BYTES, (times.length % PAGES) * PAGE_BYTES);
      fdatasyncSync(file);
      times.push(performance.now() - startMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) };
  } finally {
    closeSync(file);
    removeNow();
    forget();
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return Math.round(value * 1000) / 1000;
}
