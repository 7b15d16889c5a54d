/** The numbers of cluster.yaml: what each means, its unit, default and bounds. One table, for the parser, its messages and the manual. */
import { formatBytes, formatDuration } from './units.ts';

export type SettingUnit = 'bytes' | 'count' | 'ms';

/** A whole number with bounds, both inclusive. */
export interface NumberSetting {
  readonly unit: SettingUnit;
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** `limits:` of the file. What is over one gets a typed error, never a stall. Per node. */
export const LIMIT_SETTINGS = {
  /** The largest value. Larger: 413 `value-too-large`. */
  valueBytes: bytes(MIB, 1, 64 * MIB),
  /** Siblings of one key. A write that would add one more: 409 `sibling-limit`. */
  siblings: count(32, 1, 1024),
  /** All siblings of one key together. A write that would exceed it: 409 `sibling-limit`. */
  objectBytes: bytes(16 * MIB, KIB, GIB),
  /** HTTP requests being served at once. More: 429 `overloaded`. */
  requests: count(4096, 1, 65_536),
  /** HTTP request bodies held in memory at once. More: 429 `overloaded`. */
  bodyBytes: bytes(256 * MIB, MIB, 16 * GIB),
  /** Messages that wait to be sent to one other node. While it is full, that node counts as one that failed. */
  peerQueueBytes: bytes(64 * MIB, MIB, 4 * GIB),
  /** Requests to one other node that wait for an answer. */
  peerRequests: count(16_384, 1, 1_048_576),
  /** Changes that are in the log and not yet in the state. At the limit writes are refused: 429 `overloaded`. */
  memtableBytes: bytes(64 * MIB, MIB, 16 * GIB),
  /** Writes kept for other nodes that are away, what keeping track of them takes included. At the limit this node stands in no more. */
  hintBytes: bytes(256 * MIB, MIB, 16 * GIB),
} as const satisfies Record<string, NumberSetting>;

/** `timeouts:` of the file. Per node. */
export const TIMEOUT_SETTINGS = {
  /** The deadline of a request that names none with `timeout`. */
  request: duration(2000, 1, 60_000),
  /** How long a node that was told to stop may finish what is under way. */
  drain: duration(10_000, 0, 600_000),
} as const satisfies Record<string, NumberSetting>;

/** The setting's range as messages print it: `1..64MiB`. */
export function describeRange(setting: NumberSetting): string {
  return `${formatSetting(setting.unit, setting.min)}..${formatSetting(setting.unit, setting.max)}`;
}

/** In the setting's own unit: `1MiB`, `2s`, `32`. */
export function formatSetting(unit: SettingUnit, value: number): string {
  if (unit === 'bytes') return formatBytes(value);
  return unit === 'ms' ? formatDuration(value) : String(value);
}

function bytes(fallback: number, min: number, max: number): NumberSetting {
  return { unit: 'bytes', fallback, min, max };
}

function count(fallback: number, min: number, max: number): NumberSetting {
  return { unit: 'count', fallback, min, max };
}

function duration(fallback: number, min: number, max: number): NumberSetting {
  return { unit: 'ms', fallback, min, max };
}
