/**
 * What a node needs of the world. Production and the simulator differ in nothing but the implementations of these.
 * Each port's contract is a test suite that every implementation passes.
 */
import type { Dot } from './core/causality/dot.ts';
import type { DotSet } from './core/causality/dot-set.ts';
import type { NodeId, ObjectKey, Partition } from './core/ids.ts';

export interface Clock {
  /** Milliseconds since 1970, as people see them. Jumps with corrections. */
  wallMs(): number;
  /** Milliseconds from an arbitrary start; never goes back. All time-outs are measured with it. */
  monotonicMs(): number;
  /** Runs `task` once, `delayMs` from now. */
  after(delayMs: number, task: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Fresh bytes, unpredictable in production: secrets and identities are made of them. */
  bytes(length: number): Uint8Array;
}

/** Structured log of a node; levels as in syslog's common four. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Carries messages between nodes: unordered promises of delivery, at most once per send, boundaries kept.
 *
 * 1. A message that arrives is whole and unchanged, and `from` is who the handshake proved it to be (name and cluster).
 * 2. `send` never blocks and never throws for the network's sake. It copies: the caller may reuse `message` at once.
 * 3. `received` is called from a turn of its own, never from within `send`.
 * 4. Delivery is not promised: a broken connection loses what was under way.
 */
export interface Transport {
  start(receiver: TransportReceiver): Promise<void>;
  /** Whom to keep a connection to, and where. Replaces the earlier set. */
  setPeers(peers: ReadonlyMap<NodeId, PeerAddress>): void;
  send(to: NodeId, message: Uint8Array): SendOutcome;
  /** Ends all connections after what was sent has been handed to the system. */
  stop(): Promise<void>;
}

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** `full`: the peer's queue is at its limit in bytes; the message was not taken. */
export type SendOutcome = 'sent' | 'disconnected' | 'full';

export interface TransportReceiver {
  /** `message` may be a view into a larger buffer: copy what is kept for long. */
  received(from: NodeId, message: Uint8Array): void;
  /** This node can send to `peer` from now on. */
  connected(peer: NodeId): void;
  /** What was sent to `peer` and not answered may be lost. */
  disconnected(peer: NodeId, reason: string): void;
}

/** A position in the order of a store's changes, from 1; 0 stands for "nothing to wait for". */
export type Sequence = number;

/** What "durable" means: on disk (`flush`), or handed to the operating system, which survives a crash of the process only (`os`). */
export type Durability = 'flush' | 'os';

export interface MetaChange {
  readonly key: string;
  /** Undefined removes the record. */
  readonly value: Uint8Array | undefined;
}

/**
 * A node's durable state: the objects and the clock of every partition, and small records of the node's own
 * (Raft's log and vote, the cluster state, the store's identity).
 *
 * 1. A change is visible to the next read in the same turn, and durable once {@link Store.durable} says so.
 * 2. A change is atomic: after a crash its object and its dots are both there or both not.
 * 3. After a crash, what is there is a prefix of the changes, and holds at least all that were durable.
 * 4. A failed write or flush is final: `failed` is called once, nothing further becomes durable, and the process must end.
 * 5. Damaged data is an error (`storage-failed`), never an absence.
 */
export interface Store {
  /** The object's stored bytes, undefined when there is none. The caller may keep them and must not change them. */
  read(partition: Partition, key: ObjectKey): Uint8Array | undefined;
  /**
   * Of the last change that bears on the key, while that is not yet on disk, else 0: its own (also where it was removed), or that of the
   * clock by {@link Store.applyClock}, which may be what says that nothing is there (rule C7).
   */
  unflushed(partition: Partition, key: ObjectKey): Sequence;
  /** The dots whose effects are in the partition, flushed or not. */
  clock(partition: Partition): DotSet;
  /** Puts the object (undefined removes it) and adds `dots` to the partition's clock, in one change. Copies `object`. */
  apply(partition: Partition, key: ObjectKey, object: Uint8Array | undefined, dots: readonly Dot[]): Sequence;
  /** Adds dots to the partition's clock: the effects of all of them are in its objects already. */
  applyClock(partition: Partition, dots: DotSet): Sequence;
  /** Empties the partition's clock, whose objects have been removed before: nothing is known of the partition any more. */
  forgetClock(partition: Partition): Sequence;
  /**
   * At most `limit` objects of the partition behind the key `after`, in byte order of their keys; as {@link Store.read} shows them. Fewer
   * where they would be more than `bytesMax` together with their keys, but one at least: only an empty answer is the end then.
   */
  scan(partition: Partition, after: ObjectKey | undefined, limit: number, bytesMax?: number): readonly StoredObject[];

  meta(key: string): Uint8Array | undefined;
  /** Every record whose key starts with `prefix`, in byte order. Errors: storage-failed, when one of them is damaged. */
  metaWithPrefix(prefix: string): readonly { readonly key: string; readonly value: Uint8Array }[];
  /** The same, one by one and in no order: for more records than should be in memory together. A damaged one has no value. */
  visitMeta(prefix: string, visit: (key: string, value: Uint8Array | undefined) => void): void;
  /** All or none of the changes. */
  applyMeta(changes: readonly MetaChange[]): Sequence;

  /** Of the last change; 0 before the first. */
  readonly lastSequence: Sequence;
  /** Resolves once every change up to `sequence` is durable at `level`. Rejects (`storage-failed`) when that has become impossible. */
  durable(sequence: Sequence, level: Durability): Promise<void>;
  /** More waits to be written than the limit allows: writers must be refused until the disk has caught up. */
  readonly overloaded: boolean;
  stats(): StoreStats;
  /** Everything applied is on disk, and all files are closed. */
  close(): Promise<void>;
}

export interface StoredObject {
  readonly key: ObjectKey;
  /** Undefined when the record is damaged. */
  readonly object: Uint8Array | undefined;
}

/** Bytes unless the name says otherwise; counters since the store was opened. */
export interface StoreStats {
  /** Stored at this moment, in all partitions. */
  readonly objects: number;
  readonly flushes: number;
  readonly logBytes: number;
  readonly checkpoints: number;
  readonly checkpointBytes: number;
  readonly memtableBytes: number;
  readonly memtableEntries: number;
  readonly stateBytes: number;
}
