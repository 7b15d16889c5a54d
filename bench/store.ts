/**
 * What the store does on this machine's disk: `node dist/bench/store.js [seconds] [folder] [limits as JSON]`.
 *
 * Random overwrites of 100,000 objects of 150 bytes in 64 partitions, checkpoints running: appends a second and the time until
 * they are durable, with 1, 16 and 64 of them in flight; then reads.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Actor, actorOf } from '../src/core/causality/dot.ts';
import { logIndex, memberNumber, type ObjectKey, objectKey, type Partition, partition } from '../src/core/ids.ts';
import type { Durability } from '../src/ports.ts';
import type { StorageEngine } from '../src/storage/engine.ts';
import type { StoreLimits } from '../src/storage/open-store.ts';
import { openStoreFolder } from '../src/storage/open-store-folder.ts';
import { loadHashes } from '../src/system/hash.ts';
import { systemClock } from '../src/system/system-clock.ts';

const KEYS = 100_000;
const OBJECT_BYTES = 150;
const PARTITIONS = 64;
const actor: Actor = actorOf(memberNumber(1), logIndex(1));
const keys: readonly ObjectKey[] = Array.from({ length: KEYS }, (_, i) => objectKey('bench', `key-${i}`));
const object = Buffer.alloc(OBJECT_BYTES, 7);
const counters = new Array<number>(PARTITIONS).fill(0);

function place(i: number): readonly [Partition, ObjectKey] {
  return [partition(i % PARTITIONS), keys[i] ?? objectKey('bench', 'none')];
}

function applyRandom(store: StorageEngine): number {
  const [where, key] = place(Math.floor(Math.random() * KEYS));
  const counter = (counters[where] ?? 0) + 1;
  counters[where] = counter;
  return store.apply(where, key, object, [{ actor, counter }]);
}

async function appends(store: StorageEngine, inFlight: number, level: Durability, seconds: number): Promise<void> {
  const latencies: number[] = [];
  const before = store.stats();
  const start = performance.now();
  const end = start + seconds * 1000;
  let stallMs = 0;
  let memtableMax = 0;
  let last = start;
  const watch = setInterval(() => {
    const now = performance.now();
    stallMs = Math.max(stallMs, now - last - 5);
    last = now;
    memtableMax = Math.max(memtableMax, store.stats().memtableBytes);
  }, 5);
  const writer = async (): Promise<void> => {
    for (;;) {
      const began = performance.now();
      if (began >= end) return;
      await store.durable(applyRandom(store), level);
      latencies.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, writer));
  clearInterval(watch);
  const after = store.stats();
  const puts = latencies.length;
  const perPut = (bytes: number): number => Math.round(bytes / puts);
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): string => (sorted[Math.floor((puts - 1) * share)] ?? 0).toFixed(2);
  console.log(
    `${level} ${String(inFlight).padStart(3)} in flight: ${Math.round(puts / seconds)}/s, durable ms p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)}, ` +
      `loop stall ${stallMs.toFixed(1)} ms, flushes ${after.flushes - before.flushes}, checkpoints ${after.checkpoints - before.checkpoints}, ` +
      `bytes/put log ${perPut(after.logBytes - before.logBytes)} state ${perPut(after.checkpointBytes - before.checkpointBytes)}, ` +
      `memtable max ${(memtableMax / 2 ** 20).toFixed(1)} MiB, state ${(after.stateBytes / 2 ** 20).toFixed(0)} MiB`,
  );
}

function reads(store: StorageEngine, what: string, span: number): void {
  const count = 300_000;
  const start = performance.now();
  let found = 0;
  for (let i = 0; i < count; i++) {
    const [where, key] = place((i * 7919) % span);
    if (store.read(where, key) !== undefined) found++;
  }
  console.log(`reads from ${what}: ${Math.round((count / (performance.now() - start)) * 1000)}/s (${found} found)`);
}

const seconds = Number(process.argv[2] ?? 10);
const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), 'quorate-bench-'));
const limits: Partial<StoreLimits> = JSON.parse(process.argv[4] ?? '{}');
const { checksum32 } = await loadHashes();
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };
const store = await openStoreFolder({
  folder,
  clock: systemClock,
  checksum32,
  logger: quiet,
  failed: (error) => console.error(error),
  limits,
});
try {
  for (const inFlight of [1, 16, 64]) await appends(store, inFlight, 'flush', seconds);
  await appends(store, 64, 'os', seconds);
  while (store.stats().memtableEntries > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  reads(store, 'LMDB', KEYS);
  for (let i = 0; i < 1000; i++) store.apply(...place(i), object, []);
  reads(store, 'the memtable', 1000);
} finally {
  await store.close();
  await rm(folder, { recursive: true });
}
