import { crc32 } from './crc32.ts';

/**
 * Messages on a byte stream: `[u32 LE length][u32 LE crc32 of the payload][payload]`, any number of them per chunk, cut anywhere.
 *
 * Laws, for every list of messages and every way of cutting the stream into chunks:
 * 1. What {@link FrameQueue} takes, {@link FrameReader} hands on: the same messages, in the same order.
 * 2. A payload byte is copied at most once when writing and at most once when reading (only frames cut by a chunk's end).
 * 3. A payload that is not what was sent is not handed on, and stops the reader: TCP's own sum lets one damaged segment in many
 *    thousands pass, and a value that was damaged on its way would be stored, checksummed and spread as if it were the client's.
 * 4. A length above the limit stops the reader before any memory is set aside for it.
 */

/** Bytes that a frame adds to its payload. */
export const FRAME_HEADER_BYTES = 8;
const CHECKSUM_AT = 4;

/** Takes frames out of the chunks of a stream. */
export class FrameReader {
  private bytesMax: number;
  private readonly onFrame: (payload: Buffer) => void;
  private closed = false;
  private isBad = false;
  private readonly header: Buffer = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES);
  private headerBytes = 0;
  /** The payload of a frame that a chunk's end has cut, its checksum, and how much of it is there. */
  private partial: Buffer | undefined;
  private partialBytes = 0;
  private partialChecksum = 0;

  /** `onFrame` gets a view into the chunk, or a buffer of its own. Nothing here writes to either afterwards. */
  constructor(bytesMax: number, onFrame: (payload: Buffer) => void) {
    this.bytesMax = bytesMax;
    this.onFrame = onFrame;
  }

  /** From the next frame on; used when a peer has proved who it is. */
  setLimit(bytesMax: number): void {
    this.bytesMax = bytesMax;
  }

  /** No further frame is handed on, not even from the chunk being read. */
  close(): void {
    this.closed = true;
    this.partial = undefined;
  }

  /** False when a frame is larger than allowed or damaged: the stream is of no further use, and the reader is closed. */
  push(chunk: Buffer): boolean {
    if (this.closed) return !this.isBad;
    let at = this.partial === undefined && this.headerBytes === 0 ? 0 : this.resume(chunk);
    while (!this.closed && at + FRAME_HEADER_BYTES <= chunk.length) {
      const length = chunk.readUInt32LE(at);
      const start = at + FRAME_HEADER_BYTES;
      at = start + length;
      const checksum = chunk.readUInt32LE(start - CHECKSUM_AT);
      if (at <= chunk.length && length <= this.bytesMax) this.handOn(chunk.subarray(start, at), checksum);
      else if (this.begin(length, checksum)) at = this.fill(chunk, start);
    }
    if (!this.closed && at < chunk.length) this.headerBytes += chunk.copy(this.header, this.headerBytes, at);
    return !this.isBad;
  }

  private handOn(payload: Buffer, checksum: number): void {
    if (crc32(payload) === checksum) this.onFrame(payload);
    else this.refuse();
  }

  private refuse(): void {
    this.isBad = true;
    this.close();
  }

  /** Goes on with the frame that the chunk before left unfinished; returns where the next one starts. */
  private resume(chunk: Buffer): number {
    if (this.partial !== undefined) return this.fill(chunk, 0);
    const copied = chunk.copy(this.header, this.headerBytes);
    this.headerBytes += copied;
    if (this.headerBytes < FRAME_HEADER_BYTES) return copied;
    this.headerBytes = 0;
    const checksum = this.header.readUInt32LE(CHECKSUM_AT);
    return this.begin(this.header.readUInt32LE(0), checksum) ? this.fill(chunk, copied) : copied;
  }

  private begin(length: number, checksum: number): boolean {
    if (length > this.bytesMax) {
      this.refuse();
      return false;
    }
    this.partialChecksum = checksum;
    this.partial = Buffer.allocUnsafeSlow(length);
    this.partialBytes = 0;
    return true;
  }

  private fill(chunk: Buffer, start: number): number {
    const frame = this.partial;
    if (frame === undefined) return start;
    const copied = chunk.copy(frame, this.partialBytes, start);
    this.partialBytes += copied;
    if (this.partialBytes === frame.length) {
      this.partial = undefined;
      this.handOn(frame, this.partialChecksum);
    }
    return start + copied;
  }
}

const BLOCK_BYTES = 64 * 1024;
const SPARE_BLOCKS_MAX = 4;

/**
 * Gathers frames until they are written together. Small ones share blocks that are used again after
 * {@link FrameQueue.recycle}; one larger than a block gets memory of its own, so that nothing is ever copied to grow.
 */
export class FrameQueue {
  /** Headers included. */
  bytes = 0;
  private full: Buffer[] = [];
  private block: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  private position = 0;
  private readonly spare: Buffer[] = [];

  append(payload: Uint8Array): void {
    const size = FRAME_HEADER_BYTES + payload.length;
    this.bytes += size;
    if (size > BLOCK_BYTES) {
      this.seal();
      this.full.push(writeFrame(Buffer.allocUnsafeSlow(size), 0, payload));
      return;
    }
    if (this.position + size > BLOCK_BYTES) this.seal();
    writeFrame(this.block, this.position, payload);
    this.position += size;
  }

  /** All that was gathered, in order. The queue is empty afterwards and does not touch these until they are recycled. */
  take(): readonly Buffer[] {
    this.seal();
    const blocks = this.full;
    this.full = [];
    this.bytes = 0;
    return blocks;
  }

  /** Gives blocks back that {@link FrameQueue.take} returned and the system no longer reads. */
  recycle(blocks: readonly Buffer[]): void {
    for (const block of blocks) {
      if (this.spare.length === SPARE_BLOCKS_MAX) return;
      if (block.buffer.byteLength === BLOCK_BYTES) this.spare.push(block);
    }
  }

  private seal(): void {
    if (this.position === 0) return;
    this.full.push(this.block.subarray(0, this.position));
    const spare = this.spare.pop();
    this.block = spare === undefined ? Buffer.allocUnsafeSlow(BLOCK_BYTES) : Buffer.from(spare.buffer, 0, BLOCK_BYTES);
    this.position = 0;
  }
}

/** One frame in memory of its own, for what is sent rarely. */
export function encodeFrame(payload: Uint8Array): Buffer {
  return writeFrame(Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + payload.length), 0, payload);
}

function writeFrame(target: Buffer, at: number, payload: Uint8Array): Buffer {
  target.writeUInt32LE(payload.length, at);
  target.writeUInt32LE(crc32(payload), at + CHECKSUM_AT);
  target.set(payload, at + FRAME_HEADER_BYTES);
  return target;
}
