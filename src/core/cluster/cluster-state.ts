/**
 * The cluster state: who is a member, who owns what, which defaults hold. A value; {@link ./apply-command.ts} derives the next one.
 *
 * Every node holds the same sequence of states, since commands are ordered by Raft and applied by a pure function.
 */
import type { Retirement } from '../causality/retirement.ts';
import type { Epoch, LogIndex, MemberNumber, NodeId } from '../ids.ts';
import type { QuorumLevel } from '../quorum/quorum-spec.ts';
import { type RaftId, raftId } from '../raft/types.ts';

/** `down` is an operator's word (a dead member), never the failure detector's. */
export type MemberState = 'active' | 'joining' | 'leaving' | 'down';

export interface Member {
  readonly id: NodeId;
  readonly number: MemberNumber;
  readonly zone: string;
  readonly weight: number;
  readonly host: string;
  readonly http: number;
  readonly rpc: number;
  readonly state: MemberState;
  /** The identity of the data folder that this member writes to, registered by its first grant; empty before that. */
  readonly store: string;
  /** The latest grant: the log index of the command that let the latest start of the node write. 0: none yet. */
  readonly grant: LogIndex;
  /** The nonces of the starts that got a grant, the latest last, at most {@link STARTS_KEPT}. */
  readonly starts: readonly string[];
  /**
   * Its voice in the metadata group. The first is its number; one that lost its folder, or whose folder was put back from a copy, is
   * given another, since it cannot keep what it promised under the one before (R3).
   */
  readonly raft: RaftId;
}

/** The Raft id that a founder begins with. */
export const firstRaftId = (number: MemberNumber): RaftId => raftId(number);

/** A grant proposed by one of that many earlier starts is recognised, however late its message comes. */
export const STARTS_KEPT = 16;

export interface ClusterSettings {
  readonly r: QuorumLevel;
  readonly w: QuorumLevel;
  readonly durability: 'flush' | 'os';
}

/** What a bucket sets for itself; what it leaves out is the cluster's. */
export interface BucketProperties {
  readonly r?: QuorumLevel;
  readonly w?: QuorumLevel;
  readonly conflict?: 'siblings';
  /** Bytes; at most the node's own limit. */
  readonly valueBytes?: number;
}

/** The owners of a partition, in order of preference, and the epoch since which it is so. */
export interface Ownership {
  readonly owners: readonly MemberNumber[];
  readonly since: Epoch;
}

/** Who votes in the metadata group and who only learns. Both ascend. */
export interface MetadataConfiguration {
  readonly voters: readonly RaftId[];
  readonly learners: readonly RaftId[];
}

export interface ClusterState {
  readonly cluster: string;
  /** Drawn at creation: nodes of another creation of the same name are strangers. */
  readonly clusterId: string;
  /** The key of the context tokens' MAC, drawn at creation. 32 bytes. */
  readonly secret: Uint8Array;
  /** Grows by one with every change of members, ownership, settings or buckets; not with grants and retirements. */
  readonly epoch: Epoch;
  readonly n: number;
  readonly settings: ClusterSettings;
  readonly members: readonly Member[];
  /** Index is the partition; the length is Q. */
  readonly ownership: readonly Ownership[];
  readonly buckets: ReadonlyMap<string, BucketProperties>;
  readonly metadata: MetadataConfiguration;
  /** Per member the last proposal applied: one that comes twice is applied once (R10). */
  readonly proposals: ReadonlyMap<NodeId, AppliedProposal>;
  /** Per member the last one, with its entries and those of some before: a replica may fold late, and messages may be later still. */
  readonly retirements: ReadonlyMap<MemberNumber, Retirement>;
}

/** Who proposes: a member, in one of its starts (the session), by a number that grows within it. */
export interface Origin {
  readonly member: NodeId;
  readonly start: string;
  readonly sequence: number;
}

export interface AppliedProposal extends Omit<Origin, 'member'> {
  readonly result: CommandResult;
}

export type CommandResult =
  | { readonly kind: 'done'; readonly epoch: Epoch }
  | { readonly kind: 'granted'; readonly grant: LogIndex; readonly previousStart: string | undefined }
  | { readonly kind: 'refused'; readonly reason: CommandRefusal; readonly detail: string };

/**
 * `moved`: who takes part has changed since the command was made; `restored`: the folder does not hold the start that got the member's
 * latest grant, so it is an older copy;
 * `other-store`: the member is registered with another data folder; `superseded`: a later start of the member has proposed since.
 */
export type CommandRefusal =
  | 'exists'
  | 'no-cluster'
  | 'unknown-member'
  | 'other-store'
  | 'restored'
  | 'moved'
  | 'superseded'
  | 'invalid';
