import type { Sequence } from '../ports.ts';
import type { LogDevice, LogSegment } from './devices.ts';

/**
 * The log's segments: one is written, full ones wait for a checkpoint to cover them, spare ones wait to be written again.
 *
 * 1. Numbers ascend in the order in which segments are written: a segment gets a new, higher one when its use begins.
 * 2. A segment is full only once it is flushed, so only the one being written can hold anything that is not.
 * 3. A spare still under its old number holds nothing but changes that a checkpoint covers: replay passes over them.
 */
export class SegmentRing {
  /** Bytes written since the log was opened. */
  written = 0;
  private readonly device: LogDevice;
  private readonly sparesMax: number;
  private current: LogSegment;
  private offset = 0;
  private last: Sequence = 0;
  private nextNumber: number;
  private full: FullSegment[] = [];
  private readonly spares: LogSegment[];
  private making: Promise<void> | undefined;

  private constructor(device: LogDevice, sparesMax: number, spares: LogSegment[], first: LogSegment) {
    this.device = device;
    this.sparesMax = sparesMax;
    this.spares = spares;
    this.current = first;
    this.nextNumber = Math.max(first.number, ...spares.map((spare) => spare.number)) + 1;
  }

  /**
   * Takes over the segments of earlier lives, whose every change a checkpoint covers by now. They are renumbered at once: behind
   * a torn tail there may be whole groups that were never flushed, which must not be met again among new changes.
   */
  static async adopt(device: LogDevice, old: readonly LogSegment[], sparesMax: number): Promise<SegmentRing> {
    let number = Math.max(0, ...old.map((segment) => segment.number));
    const kept: LogSegment[] = [];
    for (const segment of old) {
      if (segment.bytes !== device.segmentBytes || kept.length > sparesMax) continue;
      await segment.renumber(++number);
      kept.push(segment);
    }
    const first = kept.shift() ?? (await device.create(++number, device.segmentBytes));
    // Removed only now: a log that was ever used is never without a segment, so that its loss can be told.
    for (const segment of old) if (segment !== first && !kept.includes(segment)) await segment.remove();
    const ring = new SegmentRing(device, sparesMax, kept, first);
    ring.prepareSpare();
    return ring;
  }

  /** The segment that the next `bytes` go to; begins another one when they do not fit. */
  async room(bytes: number): Promise<LogSegment> {
    if (this.offset + bytes > this.current.bytes) await this.roll(bytes);
    return this.current;
  }

  /** Writes a group behind the last one. There must be {@link room}. */
  async append(group: Uint8Array, last: Sequence): Promise<void> {
    await this.current.write(this.offset, group);
    this.offset += group.length;
    this.written += group.length;
    this.last = last;
  }

  sync(): Promise<void> {
    return this.current.sync();
  }

  /** Everything up to `through` is in the state: full segments that hold nothing later are free. */
  async recycle(through: Sequence): Promise<void> {
    const free = this.full.filter((segment) => segment.last <= through);
    this.full = this.full.filter((segment) => segment.last > through);
    for (const { segment } of free) {
      const spare = segment.bytes === this.device.segmentBytes && this.spares.length < this.sparesMax;
      if (spare) this.spares.push(segment);
      else await segment.remove();
    }
  }

  async close(): Promise<void> {
    await this.making;
    await this.device.close();
  }

  private async roll(bytes: number): Promise<void> {
    await this.current.sync();
    const next = await this.fresh(bytes);
    this.full.push({ segment: this.current, last: this.last });
    this.current = next;
    this.offset = 0;
    this.prepareSpare();
  }

  private async fresh(bytes: number): Promise<LogSegment> {
    if (bytes > this.device.segmentBytes) return this.device.create(this.nextNumber++, bytes);
    await this.making;
    const spare = this.spares.shift();
    if (spare === undefined) return this.device.create(this.nextNumber++, this.device.segmentBytes);
    await spare.renumber(this.nextNumber++);
    return spare;
  }

  /** Writing a segment's zeros takes tens of milliseconds: done before it is needed. If it fails, it is tried again then. */
  private prepareSpare(): void {
    if (this.spares.length > 0 || this.making !== undefined || this.sparesMax === 0) return;
    const made = this.device.create(this.nextNumber++, this.device.segmentBytes).then(
      (segment) => void this.spares.push(segment),
      () => {},
    );
    this.making = made.then(() => {
      this.making = undefined;
    });
  }
}

interface FullSegment {
  readonly segment: LogSegment;
  readonly last: Sequence;
}
