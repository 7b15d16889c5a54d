import { addDots, EMPTY_DOTS, union } from '../core/causality/dot-set.ts';
import { FatalError, type StoreError } from '../errors.ts';
import type { Clock, Logger, Sequence } from '../ports.ts';
import { Checkpointer } from './checkpoint.ts';
import type { Checksum32, LogDevice, LogSegment, StateTable } from './devices.ts';
import { StorageEngine } from './engine.ts';
import { Memtable } from './memtable.ts';
import { type ReplayedChanges, replayLog } from './replay.ts';
import { SegmentRing } from './segment-ring.ts';
import { ALL_OBJECTS, completedOf, STORE_KEY, stateValue, stateWrite, storeRecord } from './state-format.ts';
import { clocksInTable } from './state-read.ts';
import { WriteAheadLog } from './write-ahead-log.ts';

/**
 * Opens the store over its devices: brings the state up to the end of the log, then begins an empty log.
 *
 * The log's whole content is in the state before the first new change is taken. So a torn tail is behind us for ever: its sequences
 * are given out again only when no segment can still hold them.
 *
 * Throws `FatalError` when what was durable cannot be had back.
 */
export async function openStore(options: StoreOptions): Promise<StorageEngine> {
  const { log: device, state, checksum32, logger } = options;
  const limits = effectiveLimits(options.limits);
  const segments = await openSegments(device);
  const completed = completedSequence(options);
  if (completed !== undefined && segments.length === 0) throw new FatalError(LOG_MISSING);
  const clocks = clocksInTable(state, checksum32);
  const memtable = new Memtable();
  const checkpointer = new Checkpointer(completed ?? 0, {
    ...limits,
    ...options,
    memtable,
    clockOf: (partition) => clocks.get(partition) ?? EMPTY_DOTS,
  });

  const take = async ({ first, records }: ReplayedChanges): Promise<void> => {
    records.forEach((record, i) => {
      if (record.kind === 'meta') {
        for (const { key, value } of record.changes) memtable.putMeta(key, value, first + i);
        return;
      }
      if (record.kind === 'clock') {
        memtable.putClock(record.partition, first + i);
        clocks.set(record.partition, union(clocks.get(record.partition) ?? EMPTY_DOTS, record.dots));
        return;
      }
      if (record.kind === 'forget') {
        memtable.putClock(record.partition, first + i);
        clocks.set(record.partition, EMPTY_DOTS);
        return;
      }
      const { partition, key, object, dots } = record;
      memtable.putObject(partition, key, object, first + i);
      clocks.set(partition, addDots(clocks.get(partition) ?? EMPTY_DOTS, dots));
    });
    if (memtable.bytes >= limits.checkpointBytes) await checkpointer.run(first + records.length - 1, onDisk);
  };
  const last = await replayLog({ segments, completed: completed ?? 0, checksum32, logger, changes: take });
  await checkpointer.run(last, onDisk);

  const ring = await SegmentRing.adopt(device, segments, limits.spareSegments);
  if (completed === undefined) await state.write([stateWrite(STORE_KEY, storeRecord(0), checksum32)]);
  const log = new WriteAheadLog({ ...options, segments: ring, last, failed: (error) => engine.fail(error) });
  const engine: StorageEngine = new StorageEngine({
    ...limits,
    ...options,
    log,
    memtable,
    checkpointer,
    clocks,
    objects: state.count(...ALL_OBJECTS),
    release: options.release ?? (async () => {}),
  });
  return engine;
}

export interface StoreOptions {
  readonly log: LogDevice;
  readonly state: StateTable;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly checksum32: Checksum32;
  readonly limits?: Partial<StoreLimits>;
  /** Called once when a write failed: nothing further becomes durable, and the process must end. */
  readonly failed: (error: StoreError) => void;
  /** Runs last when the store closes. */
  readonly release?: () => Promise<void>;
}

export interface StoreLimits {
  /** A checkpoint begins when the memtable holds this much, or half of `memtableBytesMax` ... */
  readonly checkpointBytes: number;
  /**
   * ... or its first change is this old. The rarer they are, the more changes of a page of the state are written at once: of random
   * writes to 100,000 keys, 3,600 a second on three nodes, one in 10 s instead of one in 0.5 s left 1.12x as many.
   */
  readonly checkpointDelayMs: number;
  /** Entries in one transaction of a checkpoint. */
  readonly batchEntries: number;
  readonly commitTimeoutMs: number;
  /** Above this the store calls itself overloaded. */
  readonly memtableBytesMax: number;
  /** Free segments kept for the log to go on with. */
  readonly spareSegments: number;
}

const STORE_LIMITS: StoreLimits = {
  checkpointBytes: 16 << 20,
  checkpointDelayMs: 10_000,
  batchEntries: 4096,
  commitTimeoutMs: 30_000,
  memtableBytesMax: 64 << 20,
  spareSegments: 4,
};

function effectiveLimits(own: Partial<StoreLimits> | undefined): StoreLimits {
  const limits = { ...STORE_LIMITS, ...own };
  // A small memtable must not be full before its checkpoint is due.
  return { ...limits, checkpointBytes: Math.min(limits.checkpointBytes, limits.memtableBytesMax / 2) };
}

const LOG_MISSING =
  'The log is missing from the data folder, though the folder has been in use: changes may be lost. ' +
  'Put back the missing files, or empty the folder: the node then fetches everything from the other owners.';

/** What is replayed was flushed when its segment was opened. */
const onDisk = (): Promise<void> => Promise.resolve();

/**
 * Opens all segments and flushes them: after a crash of the process alone they may hold what only the system's memory has, and the
 * state must not run ahead of the log on disk.
 */
async function openSegments(device: LogDevice): Promise<LogSegment[]> {
  const segments: LogSegment[] = [];
  for (const number of await device.list()) {
    const segment = await device.open(number);
    await segment.sync();
    segments.push(segment);
  }
  return segments;
}

/** Undefined in a new store. */
function completedSequence({ state, checksum32 }: StoreOptions): Sequence | undefined {
  const value = state.get(STORE_KEY);
  if (value === undefined) return undefined;
  const completed = completedOf(stateValue({ key: STORE_KEY, value }, checksum32, "the store's own record"));
  if (completed === undefined) throw new FatalError('The data folder was written by another version of Quorate.');
  return completed;
}
