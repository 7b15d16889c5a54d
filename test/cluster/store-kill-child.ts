/**
 * A process that is to be killed: opens the store in the folder given, checks that what is in it is exactly the first so many of
 * the changes that {@link change} lists, and goes on with the next ones for ever.
 *
 * Says `found <n>` when it has checked, and `durable <n>` when it knows that change n is durable.
 */
import { writeSync } from 'node:fs';
import { type Actor, actorOf } from '../../src/core/causality/dot.ts';
import { lastCounter, runCount } from '../../src/core/causality/dot-set.ts';
import { logIndex, memberNumber, type ObjectKey, objectKey, type Partition, partition } from '../../src/core/ids.ts';
import { invariant } from '../../src/core/invariant.ts';
import type { Sequence, Store } from '../../src/ports.ts';
import { openStoreFolder } from '../../src/storage/open-store-folder.ts';
import { loadHashes } from '../../src/system/hash.ts';
import { systemClock } from '../../src/system/system-clock.ts';

const PARTITIONS = 4;
const KEYS = 300;
const META_EVERY = 10;
const META_KEYS = 7;
const actor: Actor = actorOf(memberNumber(1), logIndex(1));

interface Change {
  readonly partition: Partition;
  readonly key: ObjectKey;
  /** Undefined: removed. */
  readonly object: Buffer | undefined;
  readonly counter: number;
}

/** The n-th change, from 0, the same in every life. */
function change(n: number): Change {
  const mixed = Math.imul(n ^ (n >>> 7), 0x9e3779b1) >>> 0;
  return {
    partition: partition(n % PARTITIONS),
    key: objectKey('b', `key ${mixed % KEYS}`),
    object: mixed % 11 === 0 ? undefined : Buffer.from(`${n}`.padEnd(mixed % 400, '.')),
    counter: Math.floor(n / PARTITIONS) + 1,
  };
}

function make(store: Store, n: number): Sequence {
  const { partition: where, key, object, counter } = change(n);
  const sequence = store.apply(where, key, object, [{ actor, counter }]);
  if (n % META_EVERY !== 0) return sequence;
  return store.applyMeta([{ key: `meta ${n % META_KEYS}`, value: Buffer.from(`${n}`) }]);
}

/** How many changes the store holds, as its clocks have it; each partition's clock is one run from 1. */
function changesIn(store: Store): number {
  let count = 0;
  for (let p = 0; p < PARTITIONS; p++) {
    const clock = store.clock(partition(p));
    invariant(runCount(clock) <= 1, `partition ${p} has holes in its clock`);
    count += lastCounter(clock, actor);
  }
  for (let n = Math.max(0, count - PARTITIONS); n < count; n++) {
    const { partition: where, counter } = change(n);
    invariant(
      lastCounter(store.clock(where), actor) >= counter,
      `the clocks are not those of the first ${count} changes`,
    );
  }
  return count;
}

/** Every object and record is what the first `count` changes make of it. */
function checkContent(store: Store, count: number): void {
  const objects = new Map<string, { readonly last: Change }>();
  const meta = new Map<string, number>();
  for (let n = 0; n < count; n++) {
    const last = change(n);
    objects.set(`${last.partition} ${last.key}`, { last });
    if (n % META_EVERY === 0) meta.set(`meta ${n % META_KEYS}`, n);
  }
  for (const { last } of objects.values()) {
    const found = store.read(last.partition, last.key);
    const same = found === undefined ? last.object === undefined : last.object?.equals(found) === true;
    invariant(same, `${last.key} of partition ${last.partition} is not as change ${last.counter} left it`);
  }
  const lastMeta = (count - 1) % META_EVERY === 0 ? count - 1 : undefined;
  for (const { key, value } of store.metaWithPrefix('meta ')) {
    const found = Number(Buffer.from(value).toString());
    const wanted = meta.get(key);
    // The very last record is a change of its own behind its object's: it alone may be missing.
    const before =
      wanted !== undefined && wanted === lastMeta && found < wanted && found % META_KEYS === wanted % META_KEYS;
    invariant(found === wanted || before, `${key} is ${found} and not ${wanted}`);
  }
}

async function writeForEver(store: Store, first: number): Promise<never> {
  let next = first;
  for (;;) {
    const burst = 1 + Math.floor(Math.random() * 40);
    let last: Sequence = 0;
    for (let i = 0; i < burst; i++) last = make(store, next++);
    const through = next - 1;
    await store.durable(last, Math.random() < 0.5 ? 'os' : 'flush');
    writeSync(1, `durable ${through}\n`);
  }
}

const { checksum32 } = await loadHashes();
const quiet = (): void => {};
const store = await openStoreFolder({
  folder: process.argv[2] ?? '',
  clock: systemClock,
  checksum32,
  logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  segmentBytes: 1 << 18,
  limits: { checkpointDelayMs: 20, checkpointBytes: 1 << 16, batchEntries: 64 },
  failed: (error) => {
    throw error;
  },
});
const found = changesIn(store);
checkContent(store, found);
writeSync(1, `found ${found}\n`);
await writeForEver(store, found);
