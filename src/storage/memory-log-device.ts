import type { LogDevice, LogSegment } from './devices.ts';

/**
 * A log in memory that knows which of its bytes would survive a power cut.
 *
 * `settle` is awaited by every operation before it takes effect, so that a test or a simulator decides when, and in which order,
 * things happen; it may reject, and the operation fails.
 */
export class MemoryLogDevice implements LogDevice {
  readonly segmentBytes: number;
  private readonly settle: Settle;
  private readonly segments = new Map<number, MemorySegment>();

  constructor(segmentBytes: number, settle: Settle = atOnce) {
    this.segmentBytes = segmentBytes;
    this.settle = settle;
  }

  async list(): Promise<readonly number[]> {
    return [...this.segments.keys()].sort((a, b) => a - b);
  }

  async create(number: number, bytes: number): Promise<LogSegment> {
    await this.settle('create');
    return this.add(number, Buffer.alloc(bytes));
  }

  async open(number: number): Promise<LogSegment> {
    const segment = this.segments.get(number);
    if (segment === undefined) throw new Error(`there is no segment ${number}`);
    return segment;
  }

  async close(): Promise<void> {}

  /**
   * The device as a power cut at this moment leaves it. Of each write that was not flushed, begun or finished, `kept` says how
   * many of its bytes made it to the disk. Nothing that happens to this device later shows in the new one.
   */
  afterPowerCut(kept: (writeBytes: number) => number, settle?: Settle): MemoryLogDevice {
    const device = new MemoryLogDevice(this.segmentBytes, settle);
    for (const [number, segment] of this.segments) device.add(number, segment.survivor(kept));
    return device;
  }

  /** The device as the next process finds it: what was written is there, flushed or not, and a power cut may still take it. */
  afterProcessCrash(settle?: Settle): MemoryLogDevice {
    const device = new MemoryLogDevice(this.segmentBytes, settle);
    for (const [number, segment] of this.segments)
      segment.copyTo(
        device.add(
          number,
          segment.survivor(() => 0),
        ),
      );
    return device;
  }

  /** The bytes of a segment as the system has them; for tests that damage them. */
  bytesOf(number: number): Buffer {
    const segment = this.segments.get(number);
    if (segment === undefined) throw new Error(`there is no segment ${number}`);
    return segment.present;
  }

  private add(number: number, content: Buffer): MemorySegment {
    const segment = new MemorySegment(number, content, this.segments, this.settle);
    this.segments.set(number, segment);
    return segment;
  }
}

export type DeviceOperation = 'create' | 'write' | 'sync' | 'renumber' | 'remove' | 'commit';
export type Settle = (operation: DeviceOperation) => Promise<void>;

const atOnce: Settle = () => Promise.resolve();

interface UnflushedWrite {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

class MemorySegment implements LogSegment {
  number: number;
  /** As the system has it: what a process sees. */
  readonly present: Buffer;
  private readonly flushed: Buffer;
  private unflushed: UnflushedWrite[] = [];
  private readonly siblings: Map<number, MemorySegment>;
  private readonly settle: Settle;

  constructor(number: number, content: Buffer, siblings: Map<number, MemorySegment>, settle: Settle) {
    this.number = number;
    this.flushed = content;
    this.present = Buffer.from(content);
    this.siblings = siblings;
    this.settle = settle;
  }

  get bytes(): number {
    return this.present.length;
  }

  get name(): string {
    return `segment ${this.number}`;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return Uint8Array.prototype.slice.call(this.present, offset, offset + length);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const copy = Uint8Array.from(bytes);
    // A write that is under way may be on the disk in part.
    this.unflushed.push({ offset, bytes: copy });
    await this.settle('write');
    this.present.set(copy, offset);
  }

  async sync(): Promise<void> {
    const covered = new Set(this.unflushed);
    await this.settle('sync');
    for (const { offset, bytes } of covered) this.flushed.set(bytes, offset);
    this.unflushed = this.unflushed.filter((write) => !covered.has(write));
  }

  async renumber(number: number): Promise<void> {
    await this.settle('renumber');
    this.siblings.delete(this.number);
    this.number = number;
    this.siblings.set(number, this);
  }

  async remove(): Promise<void> {
    await this.settle('remove');
    this.siblings.delete(this.number);
  }

  copyTo(next: MemorySegment): void {
    next.unflushed = [...this.unflushed];
    for (const { offset, bytes } of next.unflushed) next.present.set(bytes, offset);
  }

  survivor(kept: (writeBytes: number) => number): Buffer {
    const content = Buffer.from(this.flushed);
    for (const { offset, bytes } of this.unflushed) content.set(bytes.subarray(0, kept(bytes.length)), offset);
    return content;
  }
}
