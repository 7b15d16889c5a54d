import type { HttpDialect } from './http-dialect.ts';

/** A store that can be measured: how it is asked, and what it says of itself. An address is `http://host:port`, or `redis://host:port`. */
export interface Store {
  /** "quorate", "memory", "etcd", "consul" or "redis". */
  readonly name: string;
  /** Strongest first. */
  readonly reads: readonly Way[];
  /** Strongest first. */
  readonly writes: readonly Way[];
  /** Undefined where the store is not asked over HTTP. */
  readonly dialect: HttpDialect | undefined;
  /** A session that is connected. Rejects when that is not so after `timeoutMs`, which is also each request's deadline afterwards. */
  open(address: string, options: SessionOptions): Promise<Session>;
  versionOf(address: string): Promise<string>;
  /** What a write that was acknowledged survives, in the store's own words. */
  durabilityOf(address: string): Promise<string>;
}

/** One of the ways in which a store reads or writes. */
export interface Way {
  /** As the workload is called: "GET r=2", "linearizable range". */
  readonly label: string;
  /** What the dialect puts into the request. */
  readonly parameter: string;
  /**
   * What it can be compared with. `quorum`: what a majority holds, or what the leader says for it. `one`: whatever one member has.
   * `other`: with nothing.
   */
  readonly strength: 'quorum' | 'one' | 'other';
  /** Replicas that answer it, where a request can say so. */
  readonly replicas?: number;
}

export interface SessionOptions {
  readonly read: Way;
  readonly write: Way;
  readonly nextValue: NextValue;
  readonly timeoutMs: number;
}

/** The value of the next write. */
export type NextValue = () => Value;

/** What is written, and the same as it is written into JSON. */
export interface Value {
  readonly bytes: Buffer;
  readonly base64: string;
}

export function newValue(bytes: Buffer): Value {
  return { bytes, base64: bytes.toString('base64') };
}

export type OperationKind = 'read' | 'update' | 'insert' | 'read-modify-write';

export interface Operation {
  readonly kind: OperationKind;
  readonly key: string;
}

/** One connection to one member: one operation at a time. */
export interface Session {
  /** False after a time-out or a broken connection: a session is not opened again. */
  readonly isOpen: boolean;
  /**
   * Undefined: it succeeded. Otherwise what came instead: an HTTP status, {@link TIMEOUT}, {@link CONNECTION}, {@link CONFLICT} (somebody else
   * wrote between the read and the write of a read-modify-write), {@link NOT_FOUND} or an error code of the store. Never rejects.
   */
  run(operation: Operation): Promise<Failure | undefined>;
  close(): void;
}

export type Failure = string;

export const TIMEOUT = 'timeout';
export const CONNECTION = 'connection';
export const CONFLICT = 'conflict';
export const NOT_FOUND = 'not-found';
