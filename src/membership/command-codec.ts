/** Commands and the cluster state as bytes: Raft's log entries and snapshots, which other nodes and later releases read. */
import { pack, unpack } from 'msgpackr';
import { z } from 'zod';
import { ByteReader, ByteWriter, DecodeError } from '../core/bytes.ts';
import {
  type PartitionDots,
  type Retirement,
  readPartitionDots,
  writePartitionDots,
} from '../core/causality/retirement.ts';
import type { AppliedProposal, BucketProperties, ClusterState } from '../core/cluster/cluster-state.ts';
import type { Command } from '../core/cluster/command.ts';
import type { MemberNumber, NodeId } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';

/** A command's bytes, at most: the largest cluster that a configuration can ask for fits, and what is retired is kept below half of it. */
export const COMMAND_BYTES_MAX = 4 * 1024 * 1024;

const text = z.string().max(256);
const natural = z.int().min(0);
const member = z
  .int()
  .min(1)
  .max(2 ** 20 - 1);
const port = z.int().min(1).max(65_535);
const level = z.union([z.int().min(1).max(64), z.enum(['one', 'quorum', 'all'])]);
const settings = z.strictObject({ r: level, w: level, durability: z.enum(['flush', 'os']) });
/** A setting is there with a value, or not there: one that is there without would take the value away. */
const changed = z.strictObject({
  r: level.exactOptional(),
  w: level.exactOptional(),
  durability: settings.shape.durability.exactOptional(),
});
const addresses = z.strictObject({ host: text, http: port, rpc: port });
const configuration = z.strictObject({ voters: z.array(z.int().min(1)), learners: z.array(z.int().min(1)) });
const origin = z.strictObject({ member: text, start: text, sequence: natural });

const command = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('create'),
    cluster: text,
    clusterId: text,
    secret: z.instanceof(Uint8Array).refine((secret) => secret.length === 32),
    n: z.int().min(1).max(64),
    settings,
    members: z.array(z.strictObject({ id: text, number: member, zone: text, weight: natural, ...addresses.shape })),
    ownership: z.array(z.array(member)),
  }),
  z.strictObject({
    kind: z.literal('grant'),
    member: text,
    store: text,
    start: text,
    attempts: z.array(text),
    addresses,
  }),
  z.strictObject({ kind: z.literal('readmit'), member: text, replaces: text, store: text }),
  z.strictObject({ kind: z.literal('reconfigure'), from: configuration, to: configuration }),
  z.strictObject({ kind: z.literal('settings'), origin, settings: changed }),
  z.strictObject({
    kind: z.literal('bucket'),
    origin,
    bucket: text,
    properties: z.strictObject({
      r: level.exactOptional(),
      w: level.exactOptional(),
      conflict: z.literal('siblings').exactOptional(),
      valueBytes: natural.exactOptional(),
    }),
  }),
  z.strictObject({
    kind: z.literal('retire'),
    origin,
    member,
    floor: z
      .int()
      .min(1)
      .max(2 ** 32 - 1),
    entries: z.instanceof(Uint8Array).transform(decodeEntries),
    lives: z.array(z.strictObject({ member, grant: natural })),
  }),
]);

export function encodeCommand(value: Command): Uint8Array {
  const bytes = pack(value.kind === 'retire' ? { ...value, entries: encodeEntries(value.entries) } : value);
  invariant(bytes.length <= COMMAND_BYTES_MAX, `a command of ${bytes.length} bytes: ${value.kind}`);
  return bytes;
}

/** Errors: DecodeError for anything that is not a command of this release. */
export function decodeCommand(bytes: Uint8Array): Command {
  const parsed = command.safeParse(unpackOrFail(bytes));
  if (!parsed.success) throw new DecodeError(`not a command: ${z.prettifyError(parsed.error)}`);
  return parsed.data as unknown as Command;
}

/** The state's own form; maps as pairs. */
interface StoredState extends Omit<ClusterState, 'buckets' | 'proposals' | 'retirements'> {
  readonly buckets: readonly (readonly [string, BucketProperties])[];
  readonly proposals: readonly (readonly [NodeId, AppliedProposal])[];
  /** Earlier releases had none. */
  readonly retirements?: readonly StoredRetirement[];
}

interface StoredRetirement extends Omit<Retirement, 'entries'> {
  readonly entries: Uint8Array;
}

/** Undefined (no cluster yet) has a form too. */
export function encodeState(state: ClusterState | undefined): Uint8Array {
  if (state === undefined) return pack(null);
  const retirements = Array.from(state.retirements.values(), (one) => ({
    ...one,
    entries: encodeEntries(one.entries),
  }));
  const stored: StoredState = { ...state, buckets: [...state.buckets], proposals: [...state.proposals], retirements };
  return pack(stored);
}

/** A snapshot's data comes from our own disk or from the leader, whole (checksummed, handshake passed): its shape is trusted. */
export function decodeState(bytes: Uint8Array): ClusterState | undefined {
  const stored = unpackOrFail(bytes) as StoredState | null;
  if (stored === null) return undefined;
  const retirements = new Map<MemberNumber, Retirement>();
  for (const one of stored.retirements ?? []) {
    retirements.set(one.member, { ...one, entries: decodeEntries(one.entries) });
  }
  return { ...stored, buckets: new Map(stored.buckets), proposals: new Map(stored.proposals), retirements };
}

function encodeEntries(entries: PartitionDots): Uint8Array {
  const out = new ByteWriter();
  writePartitionDots(out, entries);
  return out.copy();
}

/** Errors: DecodeError. */
function decodeEntries(bytes: Uint8Array): PartitionDots {
  const source = new ByteReader(bytes);
  const entries = readPartitionDots(source);
  source.end();
  return entries;
}

/** Errors: DecodeError. */
export function unpackOrFail(bytes: Uint8Array): unknown {
  try {
    return unpack(bytes);
  } catch (error) {
    throw new DecodeError(`not msgpack: ${error instanceof Error ? error.message : String(error)}`);
  }
}
