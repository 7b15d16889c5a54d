/** What cluster.yaml says, checked: sizes in bytes, durations in milliseconds, folders absolute, defaults filled in. */
import type { NodeId } from '../core/ids.ts';
import type { QuorumLevel } from '../core/quorum/quorum-spec.ts';
import type { Durability } from '../ports.ts';
import type { LIMIT_SETTINGS, TIMEOUT_SETTINGS } from './settings.ts';

/**
 * The file creates the cluster; afterwards the metadata group is the truth. Addresses, data, limits and timeouts are the node's own
 * and read at each start.
 */
export interface ClusterConfig {
  /** The cluster's name: `[A-Za-z0-9._-]{1,64}`. Nodes of another name are strangers. */
  readonly cluster: string;
  /** How many equal slices the hash space has: a power of two, 1..65536, default 64. Fixed at creation. */
  readonly partitions: number;
  readonly replication: ReplicationConfig;
  /** What an acknowledgement means: `flush` (default) on disk, `os` survives a crash of the process but not a power cut. */
  readonly durability: Durability;
  /** 1..256, ids distinct; on one host ports and folders distinct too. */
  readonly nodes: readonly NodeConfig[];
  readonly limits: LimitsConfig;
  readonly timeouts: TimeoutsConfig;
  /** Needed to listen on anything but loopback while there is no authentication. Default false. */
  readonly insecure: boolean;
}

/** Defaults for buckets and requests that name nothing else. Neither r nor w exceeds n, n not the number of nodes. */
export interface ReplicationConfig {
  /** Owners per partition, 1..16, default 3. */
  readonly n: number;
  /** Replicas that must answer a read, default `quorum`. */
  readonly r: QuorumLevel;
  /** Replicas that must acknowledge a write, default `quorum`. */
  readonly w: QuorumLevel;
}

export interface NodeConfig {
  /** `[A-Za-z0-9._-]{1,64}`. */
  readonly id: NodeId;
  /** Owners of a partition are spread over zones. Default `default`. */
  readonly zone: string;
  /** The node's share of the partitions relative to the others', a whole number 1..1000, default 1. */
  readonly weight: number;
  /** The name or address under which clients and other nodes reach it. */
  readonly host: string;
  /** Port for clients. */
  readonly http: number;
  /** Port for other nodes. */
  readonly rpc: number;
  /** The folder with all that the node keeps. In the file relative to the file, here absolute. */
  readonly data: string;
  /** The address to listen on; left out in the file: `host`. */
  readonly bind: string;
}

/** See {@link LIMIT_SETTINGS}. */
export type LimitsConfig = { readonly [Name in keyof typeof LIMIT_SETTINGS]: number };

/** Milliseconds: `timeouts.request` of the file is `requestMs` here. See {@link TIMEOUT_SETTINGS}. */
export type TimeoutsConfig = { readonly [Name in keyof typeof TIMEOUT_SETTINGS as `${Name}Ms`]: number };
