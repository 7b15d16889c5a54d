import type { Dot } from '../core/causality/dot.ts';
import type { DotSet } from '../core/causality/dot-set.ts';
import type { ObjectKey, Partition } from '../core/ids.ts';
import type { Clock, Durability, MetaChange, Sequence, Timer } from '../ports.ts';
import type { Checksum32 } from './devices.ts';
import { DurabilityLine } from './durability-line.ts';
import { GroupBuffer } from './log-format.ts';
import type { SegmentRing } from './segment-ring.ts';

/**
 * The log that makes changes durable in groups: what arrives while one step is under way shares the next.
 *
 * A step writes all that is pending, and flushes it if anyone waits for a flush; at most one step is under way. When nobody
 * does (a cluster that acknowledges from the system's memory), the flush comes at latest {@link LAZY_SYNC_MS} later.
 */
export class WriteAheadLog {
  flushes = 0;
  private readonly segments: SegmentRing;
  private readonly clock: Clock;
  private readonly checksum32: Checksum32;
  private readonly failed: (error: unknown) => void;
  private readonly os: DurabilityLine;
  private readonly flush: DurabilityLine;
  private last: Sequence;
  private pending: GroupBuffer[] = [];
  private readonly idleBuffers: GroupBuffer[] = [];
  private stepping = false;
  private lazySync: Timer | undefined;
  private isHurried = false;
  private endGathering = (): void => {};
  private broken = false;

  constructor(options: WriteAheadLogOptions) {
    this.segments = options.segments;
    this.clock = options.clock;
    this.checksum32 = options.checksum32;
    this.failed = options.failed;
    this.last = options.last;
    this.os = new DurabilityLine(options.last);
    this.flush = new DurabilityLine(options.last);
  }

  /** The sequence of the last change. */
  get lastSequence(): Sequence {
    return this.last;
  }

  /** Every change up to here survives a power cut. */
  get flushedThrough(): Sequence {
    return this.flush.through;
  }

  get bytes(): number {
    return this.segments.written;
  }

  appendObject(partition: Partition, key: ObjectKey, object: Uint8Array | undefined, dots: readonly Dot[]): Sequence {
    this.group().addObject(partition, key, object, dots);
    return this.appended();
  }

  appendClock(partition: Partition, dots: DotSet): Sequence {
    this.group().addClock(partition, dots);
    return this.appended();
  }

  appendForget(partition: Partition): Sequence {
    this.group().addForget(partition);
    return this.appended();
  }

  appendMeta(changes: readonly MetaChange[]): Sequence {
    this.group().addMeta(changes);
    return this.appended();
  }

  durable(sequence: Sequence, level: Durability): Promise<void> {
    if (level === 'os') return this.os.wait(sequence);
    const flushed = this.flush.wait(sequence);
    if (this.flush.waited) this.step();
    return flushed;
  }

  recycle(through: Sequence): Promise<void> {
    return this.segments.recycle(through);
  }

  /** No more waiting for company: the store closes. */
  hurry(): void {
    this.isHurried = true;
    this.endGathering();
  }

  /** Nothing further becomes durable. */
  fail(error: Error): void {
    this.broken = true;
    this.hurry();
    this.lazySync?.cancel();
    this.os.fail(error);
    this.flush.fail(error);
  }

  async close(): Promise<void> {
    this.lazySync?.cancel();
    await this.segments.close();
  }

  private group(): GroupBuffer {
    const open = this.pending.at(-1);
    if (open !== undefined && open.length < GROUP_BYTES) return open;
    const group = (this.idleBuffers.pop() ?? new GroupBuffer()).restart(this.last + 1);
    this.pending.push(group);
    return group;
  }

  private appended(): Sequence {
    this.last++;
    this.step();
    return this.last;
  }

  /** The step begins at the end of the turn: the writes of one turn are one group. */
  private step(): void {
    if (this.stepping || this.broken) return;
    this.stepping = true;
    queueMicrotask(() => void this.steps());
  }

  private async steps(): Promise<void> {
    try {
      while (!this.broken && (this.pending.length > 0 || this.flush.waited)) {
        const before = this.os.through;
        await this.oneStep();
        if (this.os.through - before >= BUSY_CHANGES && !this.isHurried) await this.gather();
      }
    } catch (error) {
      this.failed(error);
    } finally {
      this.stepping = false;
    }
  }

  /** Where many write at once, a moment's wait makes the next group larger: a flush takes about 80 us of processor time, whatever it holds. */
  private gather(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.after(GATHER_MS, resolve);
      this.endGathering = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  private async oneStep(): Promise<void> {
    const groups = this.pending;
    this.pending = [];
    const flushing = this.flush.waited;
    this.os.begin(this.last);
    if (flushing) this.flush.begin(this.last);
    for (const group of groups) await this.write(group);
    if (this.broken) return;
    this.os.finish();
    if (!flushing) return this.syncLater();
    await this.segments.sync();
    if (this.broken) return;
    this.flushes++;
    this.flush.finish();
  }

  private async write(group: GroupBuffer): Promise<void> {
    const segment = await this.segments.room(group.length);
    await this.segments.append(group.seal(segment.number, this.flush.through, this.checksum32), group.last);
    if (this.idleBuffers.length < IDLE_BUFFERS && group.length <= 2 * GROUP_BYTES) this.idleBuffers.push(group);
  }

  private syncLater(): void {
    this.lazySync ??= this.clock.after(LAZY_SYNC_MS, () => {
      this.lazySync = undefined;
      // Whoever shares this promise hears of a failure through the log's own report of it.
      this.durable(this.last, 'flush').catch(() => {});
    });
  }
}

export interface WriteAheadLogOptions {
  readonly segments: SegmentRing;
  readonly clock: Clock;
  readonly checksum32: Checksum32;
  /** The last sequence of earlier lives. */
  readonly last: Sequence;
  /** A write or a flush failed. */
  readonly failed: (error: unknown) => void;
}

/** A group takes records until it is this long, so that a burst does not become one huge write. */
const GROUP_BYTES = 1 << 20;
const IDLE_BUFFERS = 3;
const LAZY_SYNC_MS = 1000;
/** A group of so many changes comes of several writers. */
const BUSY_CHANGES = 4;
const GATHER_MS = 1;
