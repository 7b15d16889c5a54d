import { fdatasync, write, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogDevice, LogSegment } from './devices.ts';
import { syncFolder } from './sync-folder.ts';

/** The log as files of one folder: `0000000000000001.log` and so on. What is being created ends in `.new` until it is whole. */
export class FileLogDevice implements LogDevice {
  readonly segmentBytes: number;
  private readonly folder: string;
  private readonly opened = new Set<FileLogSegment>();

  private constructor(folder: string, segmentBytes: number) {
    this.folder = folder;
    this.segmentBytes = segmentBytes;
  }

  static async open(folder: string, segmentBytes: number): Promise<FileLogDevice> {
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder)) if (name.endsWith(NEW)) await rm(join(folder, name));
    return new FileLogDevice(folder, segmentBytes);
  }

  async list(): Promise<readonly number[]> {
    const names = await readdir(this.folder);
    return names
      .filter((name) => SEGMENT_NAME.test(name))
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
  }

  async create(number: number, bytes: number): Promise<LogSegment> {
    const path = segmentPath(this.folder, number);
    const file = await open(path + NEW, 'w+');
    try {
      await writeZeros(file, bytes);
      await file.sync();
      await rename(path + NEW, path);
      await syncFolder(this.folder);
    } catch (error) {
      await file.close();
      throw error;
    }
    return this.keep(new FileLogSegment(this.folder, number, bytes, file, this.opened));
  }

  async open(number: number): Promise<LogSegment> {
    const file = await open(segmentPath(this.folder, number), 'r+');
    const { size } = await file.stat();
    return this.keep(new FileLogSegment(this.folder, number, size, file, this.opened));
  }

  async close(): Promise<void> {
    for (const segment of this.opened) await segment.close();
  }

  private keep(segment: FileLogSegment): FileLogSegment {
    this.opened.add(segment);
    return segment;
  }
}

class FileLogSegment implements LogSegment {
  number: number;
  readonly bytes: number;
  private readonly folder: string;
  private readonly file: FileHandle;
  private readonly opened: Set<FileLogSegment>;

  constructor(folder: string, number: number, bytes: number, file: FileHandle, opened: Set<FileLogSegment>) {
    this.folder = folder;
    this.number = number;
    this.bytes = bytes;
    this.file = file;
    this.opened = opened;
  }

  get name(): string {
    return segmentPath(this.folder, this.number);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.file.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw new Error(`${this.name} ends at ${offset + done}`);
      done += bytesRead;
    }
    return bytes;
  }

  /**
   * A small group is copied to the system's memory at once: that takes 3 us, where handing it to another thread and back takes 50 us
   * of processor time, as much as the flush. The callback API, since a file handle's promises cost about as much again.
   */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    let done = bytes.length <= SYNCHRONOUS_BYTES ? writeSync(this.file.fd, bytes, 0, bytes.length, offset) : 0;
    while (done < bytes.length) done += await this.writeSome(offset + done, bytes.subarray(done));
  }

  private writeSome(offset: number, bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.file.fd, bytes, 0, bytes.length, offset, (error, written) =>
        error === null ? resolve(written) : reject(error),
      );
    });
  }

  /** The blocks and the length are there since the segment was created: flushing the data is enough. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) =>
      fdatasync(this.file.fd, (error) => (error === null ? resolve() : reject(error))),
    );
  }

  async renumber(number: number): Promise<void> {
    await rename(this.name, segmentPath(this.folder, number));
    this.number = number;
    await syncFolder(this.folder);
  }

  async remove(): Promise<void> {
    await rm(this.name);
    await this.close();
    await syncFolder(this.folder);
  }

  async close(): Promise<void> {
    if (this.opened.delete(this)) await this.file.close();
  }
}

const NEW = '.new';
const SYNCHRONOUS_BYTES = 64 * 1024;
const SEGMENT_NAME = /^\d{16}\.log$/;
/**
 * The page cache keeps what one call wrote in one piece, and counts all of it as written again when a byte of it is; writers
 * are slowed down by that count. So the zeros are not written in large pieces.
 */
const ZEROS = Buffer.alloc(1 << 14);

function segmentPath(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(16, '0')}.log`);
}

async function writeZeros(file: FileHandle, bytes: number): Promise<void> {
  for (let offset = 0; offset < bytes; offset += ZEROS.length) {
    const length = Math.min(ZEROS.length, bytes - offset);
    const { bytesWritten } = await file.write(ZEROS, 0, length, offset);
    if (bytesWritten < length) throw new Error(`only ${offset + bytesWritten} of ${bytes} bytes could be written`);
  }
}
