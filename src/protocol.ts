/**
 * What nodes say to each other: the methods, and the binary forms of the messages that every request needs.
 *
 * The hot ones are laid out by hand with `ByteWriter`: in a cluster of three on two cores that serves 1.1-1.3x as many requests as
 * generic serialisation does. The rest (Raft, introductions, forwarded errors) is msgpack, see `membership/`.
 * Every message about a partition carries the epoch of the sender's view (H22).
 */
import { type ByteReader, type ByteWriter, DecodeError } from './core/bytes.ts';
import {
  type Container,
  readContainer,
  readStored,
  type Sibling,
  writeContainer,
  writeLacks,
} from './core/causality/container.ts';
import { compareDots, type Dot, readDot, writeDot } from './core/causality/dot.ts';
import { type DotSet, EMPTY_DOTS, readDotSet, writeDotSet } from './core/causality/dot-set.ts';
import { UNKNOWN_VERSION } from './core/causality/merged-answers.ts';
import {
  decodedObjectKey,
  type Epoch,
  epoch,
  type MemberNumber,
  memberNumber,
  type ObjectKey,
  type Partition,
  partition,
} from './core/ids.ts';

/** Grows with every change of these forms; nodes of different versions refuse each other in the handshake. */
export const PROTOCOL_VERSION = 6;

export const METHOD = {
  heartbeat: 1,
  raft: 2,
  introduce: 3,
  latestStart: 18,
  read: 4,
  replicate: 5,
  write: 6,
  hint: 16,
  readHint: 17,
  sync: 20,
  missing: 21,
  compare: 22,
  retirement: 24,
} as const;

/** Whom a message about one key concerns, and on which view of the cluster it was sent. */
export interface KeyAddress {
  readonly epoch: Epoch;
  readonly partition: Partition;
  readonly key: ObjectKey;
}

function writeAddress(out: ByteWriter, address: KeyAddress): void {
  out.varint(address.epoch).varint(address.partition).string(address.key);
}

function readAddress(source: ByteReader): KeyAddress {
  return {
    epoch: epoch(source.varint()),
    partition: partition(source.varint()),
    key: readKey(source),
  };
}

function readKey(source: ByteReader): ObjectKey {
  const text = source.string();
  if (!text.includes('\0')) throw new DecodeError('a key without a bucket');
  return decodedObjectKey(text);
}

export interface ReadRequest extends KeyAddress {
  /** Versions are left out of the answer where they are large: the dots tell whether it is stale. */
  readonly digest: boolean;
  /** Asked for what there is, be it all or not: an owner that is catching up answers as well. */
  readonly partial: boolean;
}

const DIGEST = 1;
const PARTIAL = 2;
const DELETIONS = 4;

export function writeReadRequest(out: ByteWriter, address: KeyAddress, digest: boolean, partial = false): void {
  writeAddress(out, address);
  out.u8((digest ? DIGEST : 0) | (partial ? PARTIAL : 0));
}

export function readReadRequest(source: ByteReader): ReadRequest {
  const { epoch, partition, key } = readAddress(source);
  const flags = source.u8();
  if (flags > (DIGEST | PARTIAL)) throw new DecodeError('an unknown flag');
  source.end();
  return { epoch, partition, key, digest: (flags & DIGEST) !== 0, partial: (flags & PARTIAL) !== 0 };
}

/** What a replica tells beside a key's container. */
export interface ReadFacts {
  readonly clock: DotSet;
  /** Of late writes to the key that left no sibling; mostly none. */
  readonly deletions: DotSet;
}

/** The answer to a read: the replica's clock and the container as it is stored, which together are the filled container. */
export function writeReadAnswer(out: ByteWriter, facts: ReadFacts, stored: Uint8Array | undefined): void {
  writeReadFacts(out, 0, facts);
  if (stored !== undefined) out.raw(stored);
}

/** The same without the versions: the stored context and the siblings' dots. */
export function writeReadDigest(out: ByteWriter, facts: ReadFacts, stored: Container): void {
  writeReadFacts(out, DIGEST, facts);
  writeDotSet(out, stored.context);
  out.varint(stored.siblings.length);
  for (const { dot } of stored.siblings) writeDot(out, dot);
  writeLacks(out, stored);
}

function writeReadFacts(out: ByteWriter, flags: number, { clock, deletions }: ReadFacts): void {
  const hasDeletions = deletions.length > 0;
  out.u8(hasDeletions ? flags | DELETIONS : flags);
  writeDotSet(out, clock);
  if (hasDeletions) writeDotSet(out, deletions);
}

export interface ReadAnswer extends ReadFacts {
  /** The versions of a digest are {@link UNKNOWN_VERSION}. */
  readonly stored: Container | undefined;
  readonly digest: boolean;
}

export function readReadAnswer(source: ByteReader): ReadAnswer {
  const flags = source.u8();
  if ((flags & ~(DIGEST | DELETIONS)) !== 0) throw new DecodeError(`a read answer with the flags ${flags}`);
  const clock = readDotSet(source);
  const deletions = (flags & DELETIONS) === 0 ? EMPTY_DOTS : readDotSet(source);
  if (flags >= DELETIONS && deletions.length === 0) throw new DecodeError('no deletions after all');
  const digest = (flags & DIGEST) !== 0;
  if (!digest && source.remaining === 0) return { clock, deletions, stored: undefined, digest };
  return { clock, deletions, stored: readStored(source, digest ? readDigest : readContainer), digest };
}

function readDigest(source: ByteReader): Container {
  const context = readDotSet(source);
  const count = source.varint();
  if (count > source.remaining) throw new DecodeError('more siblings than bytes');
  const siblings: Sibling[] = [];
  for (let i = 0; i < count; i++) {
    const dot = readDot(source);
    const previous = siblings[i - 1];
    if (previous !== undefined && compareDots(previous.dot, dot) >= 0) throw new DecodeError('siblings must ascend');
    siblings.push({ dot, version: UNKNOWN_VERSION });
  }
  return { siblings, context };
}

/** A write on its way to another owner: the coordinating replica's filled container, and the dots of the writes it speaks of. */
export interface ReplicateRequest extends KeyAddress {
  /** A hint on its way to its owner: it may bring what no owner has, after everybody else has ceased to (rule C9). */
  readonly delivery?: boolean;
  readonly dots: readonly Dot[];
  readonly container: Container;
}

const DELIVERY = 1;

export function writeReplicateRequest(out: ByteWriter, request: ReplicateRequest): void {
  writeAddress(out, request);
  out.u8(request.delivery === true ? DELIVERY : 0);
  out.varint(request.dots.length);
  for (const dot of request.dots) writeDot(out, dot);
  writeContainer(out, request.container);
}

export function readReplicateRequest(source: ByteReader): ReplicateRequest {
  const { epoch, partition, key } = readAddress(source);
  const flags = source.u8();
  if (flags > DELIVERY) throw new DecodeError('an unknown flag');
  const count = source.varint();
  if (count > source.remaining) throw new DecodeError('more dots than bytes');
  const dots: Dot[] = [];
  for (let i = 0; i < count; i++) dots.push(readDot(source));
  const container = readContainer(source);
  source.end();
  return { epoch, partition, key, dots, container, ...(flags === DELIVERY && { delivery: true }) };
}

/** The answer to a replicate request says all by being one: the write is durable. */
export const ACK = new Uint8Array(0);

/** A write on its way to a fallback, which is to keep it for an owner that is away. Answered with {@link ACK} once it is durable. */
export interface HintRequest extends ReplicateRequest {
  /** The absent owner. */
  readonly target: MemberNumber;
}

export function writeHintRequest(out: ByteWriter, request: HintRequest): void {
  writeReplicateRequest(out.varint(request.target), request);
}

export function readHintRequest(source: ByteReader): HintRequest {
  const target = memberNumber(source.varint());
  return { ...readReplicateRequest(source), target };
}

/** What a fallback's hints hold of a key: nothing at all when it has none. */
export function writeHintAnswer(out: ByteWriter, held: Container | undefined): void {
  if (held !== undefined) writeContainer(out, held);
}

export function readHintAnswer(source: ByteReader): Container | undefined {
  if (source.remaining === 0) return undefined;
  const held = readContainer(source);
  source.end();
  return held;
}

/** A client's write, handed to the node that is to coordinate it. Never handed on a second time (H3). */
export interface ForwardedWrite extends KeyAddress {
  readonly w: number;
  readonly pw: number;
  /** Fallbacks may stand in for owners that are away. */
  readonly sloppy: boolean;
  readonly returnValue: boolean;
  /** Undefined for a blind write. */
  readonly context: DotSet | undefined;
  /** Undefined deletes. */
  readonly version: ForwardedVersion | undefined;
}

export interface ForwardedVersion {
  readonly value: Uint8Array;
  readonly contentType: string;
  readonly meta: readonly (readonly [name: string, value: string])[];
}

const NO_META: ForwardedVersion['meta'] = [];
const HAS_CONTEXT = 1;
const HAS_VERSION = 2;
const RETURNS_VALUE = 4;
const SLOPPY = 8;
const FLAGS_ALL = HAS_CONTEXT | HAS_VERSION | RETURNS_VALUE | SLOPPY;

export function writeForwardedWrite(out: ByteWriter, request: ForwardedWrite): void {
  const { context, version } = request;
  writeAddress(out, request);
  out.varint(request.w).varint(request.pw);
  out.u8(
    (context === undefined ? 0 : HAS_CONTEXT) |
      (version === undefined ? 0 : HAS_VERSION) |
      (request.returnValue ? RETURNS_VALUE : 0) |
      (request.sloppy ? SLOPPY : 0),
  );
  if (context !== undefined) writeDotSet(out, context);
  if (version === undefined) return;
  out.string(version.contentType).varint(version.meta.length);
  for (const [name, text] of version.meta) out.string(name).string(text);
  out.raw(version.value);
}

export function readForwardedWrite(source: ByteReader): ForwardedWrite {
  const { epoch, partition, key } = readAddress(source);
  const w = source.varint();
  const pw = source.varint();
  const flags = source.u8();
  if (flags > FLAGS_ALL) throw new DecodeError(`flags ${flags}`);
  const context = (flags & HAS_CONTEXT) === 0 ? undefined : readDotSet(source);
  const version = (flags & HAS_VERSION) === 0 ? undefined : readForwardedVersion(source);
  source.end();
  const [sloppy, returnValue] = [(flags & SLOPPY) !== 0, (flags & RETURNS_VALUE) !== 0];
  return { epoch, partition, key, w, pw, sloppy, returnValue, context, version };
}

function readForwardedVersion(source: ByteReader): ForwardedVersion {
  const contentType = source.string();
  const count = source.varint();
  if (count > source.remaining) throw new DecodeError('more metadata than bytes');
  const meta = count === 0 ? NO_META : Array.from({ length: count }, () => [source.string(), source.string()] as const);
  return { contentType, meta, value: source.rest() };
}
