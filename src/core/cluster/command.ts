import type { Retirement } from '../causality/retirement.ts';
import type { LogIndex, MemberNumber, NodeId } from '../ids.ts';
import type { BucketProperties, ClusterSettings, MetadataConfiguration, Origin } from './cluster-state.ts';

/** What the metadata group orders. Carries everything that the pure application needs: no clock, no chance, no planner run twice. */
export type Command =
  | CreateCommand
  | GrantCommand
  | ReadmitCommand
  | ReconfigureCommand
  | SettingsCommand
  | BucketCommand
  | RetireCommand;

/** Makes the cluster, once: proposed by the first leader from its cluster.yaml. */
export interface CreateCommand {
  readonly kind: 'create';
  readonly cluster: string;
  readonly clusterId: string;
  readonly secret: Uint8Array;
  readonly n: number;
  readonly settings: ClusterSettings;
  readonly members: readonly NewMember[];
  /** Per partition the owners, by number. */
  readonly ownership: readonly (readonly MemberNumber[])[];
}

export interface NewMember extends Addresses {
  readonly id: NodeId;
  readonly number: MemberNumber;
  readonly zone: string;
  readonly weight: number;
}

export interface Addresses {
  readonly host: string;
  readonly http: number;
  readonly rpc: number;
}

/**
 * Lets one start of a node write. `start` is a nonce that the folder held durably before this was proposed; `attempts` are the
 * nonces of all starts since the last that is known to have got a grant, that one included: the member's latest grant went to
 * one of them, or else the folder is not the one that got it.
 */
export interface GrantCommand {
  readonly kind: 'grant';
  readonly member: NodeId;
  readonly store: string;
  readonly start: string;
  readonly attempts: readonly string[];
  readonly addresses: Addresses;
}

/**
 * Gives a member that lost its data folder, or whose folder is an older copy, a place again: under a new Raft id, since what was
 * promised under the old one is forgotten (R3), and with its present folder, whose starts count anew. Its data it must catch up with
 * (rule C8).
 */
export interface ReadmitCommand {
  readonly kind: 'readmit';
  readonly member: NodeId;
  /**
   * The folder that the member is known by, so that the command is carried out once. Empty: none is, and this one is registered as its
   * first, before it has promised anything: should it be lost before its first grant, that is known then.
   */
  readonly replaces: string;
  readonly store: string;
}

/**
 * One step towards the configuration that the members call for: one voter comes or goes. Proposed by the leader alone, when the step
 * before it is applied (R5). `voters` and `learners` are those that it starts from, as a compare-and-set.
 */
export interface ReconfigureCommand {
  readonly kind: 'reconfigure';
  readonly from: MetadataConfiguration;
  readonly to: MetadataConfiguration;
}

/** Changes the named settings. */
export interface SettingsCommand {
  readonly kind: 'settings';
  readonly origin: Origin;
  readonly settings: Partial<ClusterSettings>;
}

/** Replaces all properties of a bucket; none left: the bucket is no longer listed. */
export interface BucketCommand {
  readonly kind: 'bucket';
  readonly origin: Origin;
  readonly bucket: string;
  readonly properties: BucketProperties;
}

/** Retires ended actors of one member, with the entries that the owners of every partition agree on (rule C9). */
export interface RetireCommand extends Retirement {
  readonly kind: 'retire';
  readonly origin: Origin;
  /**
   * The latest grant of every member when it agreed. A start since then undoes the agreement: its folder may be another one than the
   * one that holds the promise.
   */
  readonly lives: readonly Life[];
}

export interface Life {
  readonly member: MemberNumber;
  readonly grant: LogIndex;
}
