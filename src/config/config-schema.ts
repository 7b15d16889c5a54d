/** The shape of cluster.yaml: each key, what it may hold and its default. How keys must agree is in config-checks.ts. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { type NodeId, nodeId } from '../core/ids.ts';
import { parseLevel, type QuorumLevel } from '../core/quorum/quorum-spec.ts';
import { isPartitionCount, PARTITIONS_MAX } from '../core/ring/hash-place.ts';
import type { Durability } from '../ports.ts';
import { describeRange, LIMIT_SETTINGS, type NumberSetting, TIMEOUT_SETTINGS } from './settings.ts';
import { parseBytes, parseDurationMs } from './units.ts';

const MAPPING = { error: 'expected a mapping' };
const NAME = 'expected a name of 1..64 letters, digits, ".", "_" or "-"';
const PORT = 'expected a port 1..65535';
const LEVEL = 'expected a number of replicas from 1, "one", "quorum" or "all"';

export const NODE_SCHEMA = z.strictObject(
  {
    id: field<NodeId>(NAME, (value) => (isName(value) ? nodeId(value) : undefined)),
    zone: field(NAME, name, 'default'),
    weight: field('expected a whole number 1..1000', (value) => integer(value, 1, 1000), 1),
    host: field('expected the host name or address under which the node is reached', reachableHost),
    http: field(PORT, port),
    rpc: field(PORT, port),
    data: field('expected a folder', (value) => (typeof value === 'string' && value !== '' ? value : undefined)),
    bind: field('expected a host name or address to listen on', host).optional(),
  },
  MAPPING,
);

export const REPLICATION_SCHEMA = z.strictObject(
  {
    n: field('expected a whole number 1..16', (value) => integer(value, 1, 16), 3),
    r: field<QuorumLevel>(LEVEL, level, 'quorum'),
    w: field<QuorumLevel>(LEVEL, level, 'quorum'),
  },
  MAPPING,
);

export const LIMITS_SCHEMA = z.strictObject(
  {
    valueBytes: numberField(LIMIT_SETTINGS.valueBytes),
    siblings: numberField(LIMIT_SETTINGS.siblings),
    objectBytes: numberField(LIMIT_SETTINGS.objectBytes),
    requests: numberField(LIMIT_SETTINGS.requests),
    bodyBytes: numberField(LIMIT_SETTINGS.bodyBytes),
    peerQueueBytes: numberField(LIMIT_SETTINGS.peerQueueBytes),
    peerRequests: numberField(LIMIT_SETTINGS.peerRequests),
    memtableBytes: numberField(LIMIT_SETTINGS.memtableBytes),
    hintBytes: numberField(LIMIT_SETTINGS.hintBytes),
  } satisfies Record<keyof typeof LIMIT_SETTINGS, z.ZodType<number>>,
  MAPPING,
);

const TIMEOUTS_SCHEMA = z.strictObject(
  {
    request: numberField(TIMEOUT_SETTINGS.request),
    drain: numberField(TIMEOUT_SETTINGS.drain),
  } satisfies Record<keyof typeof TIMEOUT_SETTINGS, z.ZodType<number>>,
  MAPPING,
);

export const CONFIG_SCHEMA = z.strictObject(
  {
    cluster: field(NAME, name),
    partitions: field(`expected a power of two 1..${PARTITIONS_MAX}`, partitions, 64),
    replication: REPLICATION_SCHEMA.default(() => REPLICATION_SCHEMA.parse({})),
    durability: field<Durability>('expected "flush" or "os"', durability, 'flush'),
    nodes: z
      .array(NODE_SCHEMA, { error: 'expected a list of nodes' })
      .min(1, { error: 'expected at least one node' })
      .max(256, { error: 'expected at most 256 nodes' }),
    limits: LIMITS_SCHEMA.default(() => LIMITS_SCHEMA.parse({})),
    timeouts: TIMEOUTS_SCHEMA.default(() => TIMEOUTS_SCHEMA.parse({})),
    insecure: field('expected true or false', (value) => (typeof value === 'boolean' ? value : undefined), false),
  },
  MAPPING,
);

const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  replication: Object.keys(REPLICATION_SCHEMA.shape),
  'nodes[]': Object.keys(NODE_SCHEMA.shape),
  limits: Object.keys(LIMITS_SCHEMA.shape),
  timeouts: Object.keys(TIMEOUTS_SCHEMA.shape),
};

/** Every path that the file may contain, the index left out: `nodes[].http`, `limits.valueBytes`. The manual describes each. */
export const SETTING_PATHS: readonly string[] = Object.keys(CONFIG_SCHEMA.shape)
  .map((key) => (key === 'nodes' ? 'nodes[]' : key))
  .flatMap((key) => SECTIONS[key]?.map((inner) => `${key}.${inner}`) ?? [key]);

/** A scalar: `read` says what it means, undefined refuses it; `fallback` stands in when the key is left out. */
function field<T>(expected: string, read: (value: unknown) => T | undefined, fallback?: T): z.ZodType<T> {
  const input: z.ZodType = fallback === undefined ? z.unknown() : z.unknown().optional();
  return input.transform((value, context) => {
    const meaning = value === undefined ? fallback : read(value);
    if (meaning !== undefined) return meaning;
    context.issues.push({ code: 'custom', message: expected, input: value });
    return z.NEVER;
  });
}

function numberField(setting: NumberSetting): z.ZodType<number> {
  const { unit, min, max, fallback } = setting;
  const kinds = { bytes: 'a size', count: 'a whole number', ms: 'a duration' } as const;
  return field(
    `expected ${kinds[unit]} ${describeRange(setting)}`,
    (value) => integer(unit === 'count' ? value : withUnit(unit, value), min, max),
    fallback,
  );
}

/** A size may be a bare number of bytes; a duration needs its unit. */
function withUnit(unit: 'bytes' | 'ms', value: unknown): unknown {
  if (typeof value === 'number' && unit === 'bytes') return value;
  if (typeof value !== 'string') return undefined;
  return unit === 'bytes' ? parseBytes(value) : parseDurationMs(value);
}

function integer(value: unknown, min: number, max: number): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined;
}

function port(value: unknown): number | undefined {
  return integer(value, 1, 65_535);
}

function partitions(value: unknown): number | undefined {
  return typeof value === 'number' && isPartitionCount(value) ? value : undefined;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(value);
}

function name(value: unknown): string | undefined {
  return isName(value) ? value : undefined;
}

function level(value: unknown): QuorumLevel | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const parsed = parseLevel(String(value), 1);
  return parsed.kind === 'level' ? parsed.level : undefined;
}

function durability(value: unknown): Durability | undefined {
  return value === 'flush' || value === 'os' ? value : undefined;
}

function host(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 253) return undefined;
  const label = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
  // A name of digits and dots alone is a mistyped address, not a host.
  const isHostName = new RegExp(`^${label}(\\.${label})*$`).test(value) && !/^[0-9.]+$/.test(value);
  return isIP(value) !== 0 || isHostName ? value : undefined;
}

/** A wildcard is an address to listen on, but none that another node could connect to. */
function reachableHost(value: unknown): string | undefined {
  return value === '0.0.0.0' || value === '::' ? undefined : host(value);
}
