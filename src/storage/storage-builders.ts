/** What the storage tests are built of: a store over memory devices whose every operation the test settles. */
import { type Actor, actorOf, type Dot } from '../core/causality/dot.ts';
import { logIndex, memberNumber, type ObjectKey, objectKey, type Partition, partition } from '../core/ids.ts';
import type { StoreError } from '../errors.ts';
import type { Logger } from '../ports.ts';
import { ManualClock } from '../system/manual-clock.ts';
import type { StorageEngine } from './engine.ts';
import { type DeviceOperation, MemoryLogDevice, type Settle } from './memory-log-device.ts';
import { MemoryStateTable } from './memory-state-table.ts';
import { openStore, type StoreLimits } from './open-store.ts';

export const p1: Partition = partition(1);
export const p2: Partition = partition(2);
const actor: Actor = actorOf(memberNumber(1), logIndex(1));
export const dot = (counter: number): Dot => ({ actor, counter });
export const key = (name: string): ObjectKey => objectKey('b', name);
export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

/** FNV-1a: any good hash will do for tests, and this one needs no loading. */
function checksum32(source: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of source) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Keeps what was logged. */
export class TestLogger implements Logger {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  debug = (fields: object, message: string): void => void this.lines.push({ level: 'debug', fields, message });
  info = (fields: object, message: string): void => void this.lines.push({ level: 'info', fields, message });
  warn = (fields: object, message: string): void => void this.lines.push({ level: 'warn', fields, message });
  error = (fields: object, message: string): void => void this.lines.push({ level: 'error', fields, message });
}

/** Lets everything run that can run without a device or a timer. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Holds back device operations until the test lets them go on. */
export class HeldOperations {
  private pending: {
    readonly operation: DeviceOperation;
    readonly go: () => void;
    readonly fail: (e: Error) => void;
  }[] = [];

  readonly settle: Settle = (operation) =>
    new Promise((go, fail) => {
      this.pending.push({ operation, go, fail });
    });

  get waiting(): readonly DeviceOperation[] {
    return this.pending.map(({ operation }) => operation);
  }

  /** Lets the operation at `index`, counted round, take effect. */
  async release(index = 0): Promise<void> {
    const [held] = this.pending.splice(this.pending.length === 0 ? 0 : index % this.pending.length, 1);
    held?.go();
    await turn();
  }

  async failNext(error: Error): Promise<void> {
    this.pending.shift()?.fail(error);
    await turn();
  }

  /** Lets go on all there is and all that follows from it. */
  async releaseAll(): Promise<void> {
    while (this.pending.length > 0) await this.release();
  }
}

export const SMALL_LIMITS: Partial<StoreLimits> = { checkpointBytes: 900, batchEntries: 2, spareSegments: 1 };

export interface TestStore {
  readonly store: StorageEngine;
  readonly log: MemoryLogDevice;
  readonly state: MemoryStateTable;
  readonly clock: ManualClock;
  readonly logger: TestLogger;
  readonly failures: StoreError[];
}

export interface TestStoreOptions {
  readonly log?: MemoryLogDevice;
  readonly state?: MemoryStateTable;
  readonly limits?: Partial<StoreLimits>;
}

/** A store over the given devices, or over fresh ones that settle at once. */
export async function openTestStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const log = options.log ?? new MemoryLogDevice(1024);
  const state = options.state ?? new MemoryStateTable();
  const clock = new ManualClock();
  const logger = new TestLogger();
  const failures: StoreError[] = [];
  const limits = options.limits ?? {};
  const failed = (error: StoreError): void => void failures.push(error);
  const store = await openStore({ log, state, clock, logger, checksum32, failed, limits });
  return { store, log, state, clock, logger, failures };
}

/** When a change of the default settings is checkpointed at latest. */
export const CHECKPOINT_DELAY_MS = 10_000;

/** Waits until a checkpoint has moved everything to the state table. */
export async function checkpointed(store: StorageEngine, clock: ManualClock): Promise<void> {
  clock.advance(CHECKPOINT_DELAY_MS);
  while (store.stats().memtableEntries > 0) {
    await turn();
    clock.advance(0);
  }
}
