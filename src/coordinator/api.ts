/** What a node offers to the ways in (HTTP, and the simulator's clients): requests and answers as data, errors as `StoreError`. */
import type { Dot } from '../core/causality/dot.ts';
import type { BucketProperties, ClusterSettings, MemberState } from '../core/cluster/cluster-state.ts';
import type { Epoch, NodeId, Partition } from '../core/ids.ts';
import type { QuorumLevel } from '../core/quorum/quorum-spec.ts';
import type { Durability } from '../ports.ts';
import type { ReadExplanation, WriteExplanation } from './explanation.ts';

export interface StoreApi {
  /** Errors: bad-parameter (a level above N), not-ready, quorum-impossible, deadline-exceeded, overloaded, storage-failed. */
  get(request: GetRequest): Promise<GetResult>;
  /** Put and delete. Errors as of `get`, and: bad-context, sibling-limit, value-too-large, quorum-not-met (504, outcome unknown). */
  write(request: WriteRequest): Promise<WriteResult>;

  cluster(): ClusterView;
  ring(): RingView;
  ringOf(bucket: string, key: string): KeyPlacement;
  /** Where this node and the other owners were found to differ, and how long ago. */
  sync(): SyncView;
  catchUp(): CatchUpView;
  /**
   * Stops waiting for an owner that will never come back: what it alone holds beside this node may be missed by reads from now on, with
   * any quorum. Errors: bad-body (no other member), conflict (it can be reached, or nothing waits).
   */
  exceptOwner(owner: string): Promise<CatchUpView>;
  hints(): HintsView;
  /** Buckets with properties of their own, by name. */
  buckets(): readonly { readonly bucket: string; readonly properties: BucketProperties }[];
  /** A bucket's properties as they take effect: its own, else the cluster's. */
  bucket(bucket: string): Required<BucketProperties>;
  /** Replaces all properties of the bucket. Errors: no-leader, deadline-exceeded. */
  putBucket(bucket: string, properties: BucketProperties, timeoutMs: number): Promise<void>;
  /** Changes the named settings, keeps the others. Errors: as putBucket. */
  putSettings(settings: Partial<ClusterSettings>, timeoutMs: number): Promise<void>;
  /** Undefined when ready, else what is missing, for a person. */
  notReady(): string | undefined;
}

export interface GetRequest {
  readonly bucket: string;
  readonly key: string;
  readonly timeoutMs: number;
  /** Left out: the bucket's, else the cluster's. */
  readonly r?: QuorumLevel | undefined;
  readonly pr?: QuorumLevel | undefined;
  /** Fallbacks may stand in for owners that are away. Left out: they may. */
  readonly sloppy?: boolean | undefined;
  /** Only this sibling; none when it is not (or no longer) among them. */
  readonly dot?: Dot | undefined;
  readonly explain?: boolean | undefined;
}

export interface GetResult {
  /** Ascending by dot. Empty: nothing is there, as far as the quorum has seen. */
  readonly siblings: readonly SiblingView[];
  /** The `Causal-Context` token of what this read had seen. */
  readonly context: string;
  readonly quorum: QuorumReport;
  /** With `explain`. An error has it among its details. */
  readonly explanation?: ReadExplanation;
}

export interface SiblingView {
  readonly dot: Dot;
  readonly value: Uint8Array;
  /** Empty stands for `application/octet-stream`. */
  readonly contentType: string;
  /** User metadata: lower-case name (without the `Quorate-Meta-` prefix) and value. */
  readonly meta: readonly (readonly [name: string, value: string])[];
  /** When the coordinator took the write, in ms since 1970. */
  readonly stampMs: number;
}

export interface WriteRequest {
  readonly bucket: string;
  readonly key: string;
  readonly timeoutMs: number;
  /** Undefined deletes. */
  readonly version: NewVersion | undefined;
  /** The `Causal-Context` token as the client sent it; undefined for a blind write. */
  readonly context: string | undefined;
  readonly w?: QuorumLevel | undefined;
  readonly pw?: QuorumLevel | undefined;
  /** Fallbacks may stand in for owners that are away. Left out: they may. */
  readonly sloppy?: boolean | undefined;
  /** Answer with what the coordinating replica holds after the write. */
  readonly returnValue: boolean;
  /** Answer with an explanation, and without what the replica holds. */
  readonly explain?: boolean | undefined;
}

export interface NewVersion {
  readonly value: Uint8Array;
  readonly contentType: string;
  readonly meta: readonly (readonly [name: string, value: string])[];
}

export interface WriteResult {
  /** What was sent (without one: what was replaced) plus the new write. */
  readonly context: string;
  readonly durable: Durability;
  readonly quorum: QuorumReport;
  /** With `returnValue`: what the coordinating replica holds after the write. */
  readonly siblings?: readonly SiblingView[];
  /** With `explain`. An error has it among its details. */
  readonly explanation?: WriteExplanation;
}

/** What an answer proved. */
export interface QuorumReport {
  readonly required: number;
  readonly owners: number;
  readonly fallbacks: number;
  readonly hedged: number;
  readonly epoch: Epoch;
  /** Per replica that answered in time: how long it took, in ms. */
  readonly timings: readonly { readonly node: NodeId; readonly ms: number }[];
}

export type SeenAs = 'up' | 'suspect' | 'down';

export interface ClusterView {
  readonly cluster: string;
  readonly epoch: Epoch;
  readonly leader: NodeId | null;
  readonly n: number;
  readonly partitions: number;
  readonly settings: ClusterSettings;
  readonly members: readonly {
    readonly id: NodeId;
    readonly number: number;
    readonly zone: string;
    readonly host: string;
    readonly http: number;
    readonly rpc: number;
    readonly state: MemberState;
    readonly seenAs: SeenAs;
  }[];
}

export interface RingView {
  readonly epoch: Epoch;
  readonly partitions: readonly {
    readonly partition: Partition;
    readonly owners: readonly NodeId[];
    readonly next: readonly NodeId[] | null;
  }[];
}

export interface SyncView {
  readonly node: NodeId;
  /** How long ago the oldest of them was first seen, in ms; null when all owners agree, as far as this node was told. */
  readonly oldestMs: number | null;
  /** Partitions with other owners that this start of the node has not exchanged clocks with yet, counted once for each of them. */
  readonly unheard: number;
  readonly partitions: readonly PartitionDivergence[];
}

/** Counted in write events: how many the one knows and the other does not. None on both sides: their contents differ all the same. */
export interface PartitionDivergence {
  readonly partition: Partition;
  readonly peer: NodeId;
  readonly missingHere: number;
  readonly missingThere: number;
  readonly forMs: number;
}

/** The writes that this node keeps for others. */
export interface HintsView {
  readonly bytes: number;
  readonly bytesMax: number;
  /** Hints that found no room, since the start. */
  readonly refused: number;
  /** Hints whose record cannot be read: they are in none of the other figures. */
  readonly damaged: number;
  readonly targets: readonly {
    readonly target: NodeId;
    readonly count: number;
    readonly bytes: number;
    /** Age of the oldest. */
    readonly oldestMs: number;
  }[];
}

/** What this node has to catch up with before it serves it again. */
export interface CatchUpView {
  readonly node: NodeId;
  /** Empty in normal service. */
  readonly partitions: readonly {
    readonly partition: Partition;
    /** The other owners that have to be exchanged with. */
    readonly waitsFor: readonly NodeId[];
  }[];
  /** Owners that an operator has said not to wait for, for a partition or for a damaged record. */
  readonly excepted: readonly NodeId[];
}

export interface KeyPlacement {
  readonly epoch: Epoch;
  readonly partition: Partition;
  readonly owners: readonly NodeId[];
  /** Owners in order, then fallbacks. */
  readonly preferenceList: readonly NodeId[];
}
