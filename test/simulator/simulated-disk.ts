import type { StateEntry, StateTable, StateWrite } from '../../src/storage/devices.ts';
import { type DeviceOperation, MemoryLogDevice, type Settle } from '../../src/storage/memory-log-device.ts';
import { MemoryStateTable } from '../../src/storage/memory-state-table.ts';
import { ALL_OBJECTS } from '../../src/storage/state-format.ts';
import { roll } from './chance.ts';
import { LABEL } from './labels.ts';
import type { NodeLife } from './node-life.ts';
import type { World } from './world.ts';

/** Small, so that segments are used again within a run. */
const SEGMENT_BYTES = 8 * 1024;

/** How the disk fares. */
export interface DiskWeather {
  /** Times as slow as usual. */
  readonly slowness: number;
  readonly isFull: boolean;
  /** Of a read of the state, to fail. */
  readonly readErrors: number;
}

export const HEALTHY: DiskWeather = { slowness: 1, isFull: false, readErrors: 0 };

/** Typical times of a disk's operations, in ms. */
const OPERATION_MS: Readonly<Record<DeviceOperation, number>> = {
  create: 0.2,
  write: 0.05,
  sync: 0.4,
  renumber: 0.2,
  remove: 0.2,
  commit: 1.5,
};

/**
 * A machine's disk: what a process sees of it, and what is left of that after a crash. It outlives processes; a folder can be
 * emptied, and an older image of it put back.
 */
export class SimulatedDisk {
  weather: DiskWeather = HEALTHY;
  private readonly world: World;
  private readonly machine: number;
  private log: MemoryLogDevice | undefined;
  private state: MemoryStateTable | undefined;
  private operations = 0;
  private reads = 0;
  private writes = 0;
  private flushedWrites = 0;
  private readonly noted: (what: string) => void;
  private duringFlush: (() => void) | undefined;

  constructor(world: World, machine: number, noted: (what: string) => void) {
    this.world = world;
    this.machine = machine;
    this.noted = noted;
  }

  get isEmpty(): boolean {
    return this.log === undefined;
  }

  /** A power cut would lose something. */
  get isDirty(): boolean {
    return this.writes > this.flushedWrites;
  }

  /** The devices as the next process finds them. */
  devices(life: NodeLife): { readonly log: MemoryLogDevice; readonly state: StateTable } {
    const settle = this.settle(life);
    this.flushedWrites = this.writes;
    this.log =
      this.log?.afterPowerCut(() => Number.POSITIVE_INFINITY, settle) ?? new MemoryLogDevice(SEGMENT_BYTES, settle);
    this.state = this.state?.afterPowerCut(settle) ?? new MemoryStateTable(settle);
    return { log: this.log, state: new FaultyReads(this.state, () => this.failsRead()) };
  }

  /** The process is gone, the machine is not: the system still writes what it was given. */
  processEnded(): void {
    this.survive(() => Number.POSITIVE_INFINITY);
  }

  /** The machine loses power: of each write that was not flushed some part is there. */
  powerCut(): void {
    const cut = this.operations++;
    let write = 0;
    this.survive((bytes) => {
      if (write === 0) this.noted('a power cut came during a write');
      const luck = roll(this.world.seed, this.machine, cut, write++, 3);
      if (luck < 0.3) return 0;
      return luck < 0.6 ? bytes : Math.floor(bytes * roll(this.world.seed, this.machine, cut, write, 4));
    });
  }

  /** Calls the task while the next flush of the log is under way. Undefined: never mind. */
  atNextFlush(task: (() => void) | undefined): void {
    this.duringFlush = task;
  }

  wipe(): void {
    this.log = undefined;
    this.state = undefined;
  }

  /** A copy of the folder, taken while no process runs on it. */
  image(): () => void {
    const log = this.log?.afterPowerCut(() => Number.POSITIVE_INFINITY);
    const state = this.state?.afterPowerCut();
    return () => {
      this.log = log?.afterPowerCut(() => Number.POSITIVE_INFINITY);
      this.state = state?.afterPowerCut();
    };
  }

  /** The objects of the state table as they lie there, each under its key of the table. */
  objects(): readonly StateEntry[] {
    return this.state === undefined ? [] : [...this.state.range(...ALL_OBJECTS)];
  }

  /** A byte of the record is another one from now on. Returns the record as it is then. */
  rot({ key, value }: StateEntry): StateEntry {
    const id = this.operations++;
    const at = Math.floor(value.length * roll(this.world.seed, this.machine, id, 5));
    const flipped = 1 + Math.floor(255 * roll(this.world.seed, this.machine, id, 6));
    const rotten = Uint8Array.from(value).with(at, (value[at] ?? 0) ^ flipped);
    this.state?.spoil(key, rotten);
    return { key, value: rotten };
  }

  /** Whether the table holds exactly that. */
  holds({ key, value }: StateEntry): boolean {
    const present = this.state?.get(key);
    return present !== undefined && Buffer.compare(present, value) === 0;
  }

  private survive(kept: (bytes: number) => number): void {
    this.log = this.log?.afterPowerCut(kept);
    this.state = this.state?.afterPowerCut();
  }

  private settle(life: NodeLife): Settle {
    return (operation) => {
      const id = this.operations++;
      if (operation === 'write') this.writes++;
      const { writes } = this;
      const usualMs = OPERATION_MS[operation] * (0.5 + 3 * roll(this.world.seed, this.machine, id, 1) ** 4);
      if (operation === 'sync') this.flushing(usualMs * this.weather.slowness * 0.9);
      return new Promise((resolve, reject) => {
        this.world.schedule(usualMs * this.weather.slowness, LABEL.disk, () => {
          // A process that has ended waits for nothing; its half-done operations are dealt with in `survive`.
          if (life.isOver) return;
          life.run(() => {
            if (operation === 'sync') this.flushedWrites = Math.max(writes, this.flushedWrites);
            if (!this.weather.isFull || !grows(operation)) return resolve();
            this.noted('a disk was full');
            reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
          });
        });
      });
    };
  }

  private flushing(forMs: number): void {
    const task = this.duringFlush;
    this.duringFlush = undefined;
    if (task !== undefined) this.world.schedule(forMs, LABEL.fault, task);
  }

  private failsRead(): boolean {
    const { readErrors } = this.weather;
    const fails = readErrors > 0 && roll(this.world.seed, this.machine, this.reads++, 2) < readErrors;
    if (fails) this.noted('a disk read failed');
    return fails;
  }
}

function grows(operation: DeviceOperation): boolean {
  return operation === 'create' || operation === 'commit';
}

class FaultyReads implements StateTable {
  private readonly inner: StateTable;
  private readonly fails: () => boolean;

  constructor(inner: StateTable, fails: () => boolean) {
    this.inner = inner;
    this.fails = fails;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (this.fails()) throw new Error('input/output error');
    return this.inner.get(key);
  }

  range(start: Uint8Array, end: Uint8Array): Iterable<StateEntry> {
    return this.inner.range(start, end);
  }

  count(start: Uint8Array, end: Uint8Array): number {
    return this.inner.count(start, end);
  }

  write(batch: readonly StateWrite[]): Promise<void> {
    return this.inner.write(batch);
  }

  bytes(): number {
    return this.inner.bytes();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
