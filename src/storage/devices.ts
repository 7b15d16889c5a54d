/**
 * What the storage engine needs of a disk: a log of preallocated segments, and an ordered table. Everything above them is the
 * engine's, so the same engine runs over files and LMDB, and over memory that can lose what was not flushed.
 */

/** Numbered files of a fixed length, all of whose blocks are written once in advance, so that a flush moves data only. */
export interface LogDevice {
  /** Bytes of a segment, unless one is created larger for a change that needs it. */
  readonly segmentBytes: number;
  /** The segments there are, in ascending order of their numbers. */
  list(): Promise<readonly number[]>;
  /** A new segment of zeros. When this resolves, segment and name survive a power cut. */
  create(number: number, bytes: number): Promise<LogSegment>;
  open(number: number): Promise<LogSegment>;
  close(): Promise<void>;
}

export interface LogSegment {
  readonly number: number;
  readonly bytes: number;
  /** For messages to people: the file's path. */
  readonly name: string;
  /** Exactly `length` bytes, in memory of their own. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Resolves when the operating system has the bytes. They must not change before. */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was written before the call survives a power cut. */
  sync(): Promise<void>;
  /** Gives the segment a new number and keeps its content. When this resolves, the name survives a power cut. */
  renumber(number: number): Promise<void>;
  remove(): Promise<void>;
}

/**
 * An ordered table of byte strings, LMDB's contract:
 *
 * 1. A write is atomic, and durable when it resolves. It is visible at the latest then, and never before it is durable.
 * 2. Reads are synchronous and see one consistent state within a turn.
 * 3. A failed write is final.
 */
export interface StateTable {
  /** The value in memory of its own. Throws when the table cannot be read. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** The entries with `start <= key < end`, in byte order. Each is read when it is taken: those that are wanted, in one turn. */
  range(start: Uint8Array, end: Uint8Array): Iterable<StateEntry>;
  /** How many entries there are with `start <= key < end`. Looks at all of them. */
  count(start: Uint8Array, end: Uint8Array): number;
  /** Keys and values must not change before this resolves. */
  write(batch: readonly StateWrite[]): Promise<void>;
  /** What the table takes on disk. */
  bytes(): number;
  close(): Promise<void>;
}

export interface StateEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface StateWrite {
  readonly key: Uint8Array;
  /** Undefined removes the entry. */
  readonly value: Uint8Array | undefined;
}

/** A 32-bit checksum of the bytes: it finds damage, not malice. */
export type Checksum32 = (bytes: Uint8Array) => number;
