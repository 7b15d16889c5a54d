/**
 * What one run of the benchmark found, as it is written to JSON and drawn as HTML. All times are in milliseconds, all rates per second
 * and all sizes in bytes unless the name says otherwise.
 */
export interface BenchReport {
  readonly format: 1;
  /** ISO 8601, of the start. */
  readonly date: string;
  readonly tookS: number;
  readonly machine: Machine;
  /** By the command's own words: what can be typed to have it again. */
  readonly command: string;
  /** Of the Quorate whose benchmark this is, with the commit when it ran from a clone: "0.1.0 (1a2b3c4)". Each target says its own. */
  readonly version: string;
  /** Before each measurement, not counted. */
  readonly warmupS: number;
  /** What sent the requests of closed loops of plain reads and writes; all else is sent by `sessions`. */
  readonly generator: 'sessions' | 'autocannon';
  /** Why it ended early: not all is here that was asked. Absent when it did not. */
  readonly failure?: string;
  readonly targets: readonly TargetInfo[];
  readonly series: readonly Series[];
  readonly costs: Costs | undefined;
  readonly goals: readonly Goal[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** One synchronous flush of 4 KiB to the disk that the nodes use: median and p99. */
  readonly flush: { readonly p50Ms: number; readonly p99Ms: number } | undefined;
  /** The nodes' folder is no disk but memory (tmpfs): flushes cost nothing there, and no figure with `flush` means anything. */
  readonly isDiskInMemory: boolean;
  /** Load average at the start: what else the machine was doing. */
  readonly load: number;
}

/** One store that was driven. */
export interface TargetInfo {
  readonly name: string;
  /** quorate, etcd, consul or redis; "memory" is the same HTTP server answering from memory. */
  readonly store: string;
  readonly version: string;
  readonly nodes: number;
  /** Started by the benchmark on this machine, so that its processes can be watched. */
  readonly isOwn: boolean;
  /** In its own words: "flush", "os", "fsync by a majority", "appendfsync always" ... */
  readonly durability: string;
}

/** One workload against one target, in one setting, over all repetitions. */
export interface Series {
  /** Which question it answers; the report groups by it. */
  readonly section: Section;
  /** By {@link TargetInfo.name}. */
  readonly target: string;
  /** "PUT w=2", "GET r=1", "YCSB A", "read-modify-write", ... */
  readonly workload: string;
  readonly kind: SeriesKind;
  readonly loop: Loop;
  readonly connections: number;
  readonly nodes: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly distribution: Distribution;
  /** As requests said it; absent where the store has no such thing. */
  readonly r?: number;
  readonly w?: number;
  readonly repetitions: readonly Sample[];
  /** Of {@link Sample.operationsPerS} over the repetitions, and of the others in the same way; only errors are added up. */
  readonly median: Sample;
  readonly spread: { readonly minPerS: number; readonly maxPerS: number };
  /** Of all repetitions together, ascending: [percentile 0..100, latency]. */
  readonly percentiles: readonly (readonly [number, number])[];
  /** Of the last repetition, second by second. */
  readonly timeline: readonly TimelinePoint[];
  readonly events: readonly TimelineEvent[];
}

/**
 * What a workload asks of a store, whatever the store calls it:
 *
 * - write: PUT alone, with any number of replicas
 * - agreed-read: GET alone that sees what a majority acknowledged before it (r of a majority or more, linearizable, consistent; Consul's default)
 * - local-read: GET alone of fewer than that, mostly of one copy, which may be behind (r=1, serializable, stale)
 * - mix: all else, the mixes of YCSB and read-modify-write among it
 */
export type SeriesKind = 'write' | 'agreed-read' | 'local-read' | 'mix';

export type Section =
  | 'main'
  | 'ycsb'
  | 'matrix'
  | 'connections'
  | 'nodes'
  | 'values'
  | 'keys'
  | 'durability'
  | 'open-loop'
  | 'outage';

export type Distribution = 'uniform' | 'zipfian' | 'latest';

/** Closed: each connection sends its next request when the last was answered. Open: at a fixed rate, latency from the intended start. */
export type Loop = { readonly kind: 'closed' } | { readonly kind: 'open'; readonly ratePerS: number };

export interface Sample {
  readonly seconds: number;
  /** Successful ones that ended within these seconds. Latencies and errors are of those that began, or were to begin, within them. */
  readonly operationsPerS: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Requests that did not succeed, by what came instead: an HTTP status, or "timeout", "connection". */
  readonly errors: Readonly<Record<string, number>>;
  /** Processor time of all servers together, microseconds an operation; undefined where they cannot be watched. */
  readonly serverCpuUs: number | undefined;
  readonly clientCpuUs: number;
}

export interface TimelinePoint {
  readonly second: number;
  /** That began in it, or were to begin, and succeeded, whenever that was. */
  readonly operations: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface TimelineEvent {
  readonly second: number;
  readonly text: string;
}

/** What the store takes for what it does. Each finding is absent where it was not measured. */
export interface Costs {
  /** Of the values that were written, and of the cluster that they were written to. */
  readonly valueBytes: number;
  readonly nodes: number;
  /** As of {@link TargetInfo.durability}. */
  readonly durability: string;
  /** Of PUT w=2 with values of `valueBytes`. */
  readonly perPut?: {
    readonly valueBytes: number;
    /** Sent from node to node, all nodes together. */
    readonly wireBytes: number;
    /** Handed to the disk, all nodes together, per replica. */
    readonly diskBytesPerReplica: number;
    /** Of the log, all nodes together. */
    readonly flushes: number;
    readonly nodeCpuUs: number;
    readonly clientCpuUs: number;
  };
  /** Resident memory of one node that is not mapped files (RssAnon). */
  readonly memory?: readonly { readonly keys: number; readonly bytesPerNode: number }[];
  /** While the same load went on. */
  readonly memoryOverTime?: readonly { readonly second: number; readonly bytesPerNode: number }[];
  /** From the start of a killed process until it serves, after writes that only its log has; its files are in the page cache. */
  readonly start?: readonly { readonly keys: number; readonly seconds: number }[];
  /** Of a node without requests: percent of one core. */
  readonly idleCpuPercent?: number;
}

/** What was aimed at, and what came out. */
export interface Goal {
  readonly goal: string;
  readonly wanted: string;
  readonly found: string;
  readonly isMet: boolean | undefined;
}
