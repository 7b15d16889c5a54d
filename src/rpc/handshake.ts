/**
 * What both sides of a new connection say before any message, each in one frame.
 *
 * ```
 * dialer    hello   [u32 magic][version][cluster][from][to][incarnation]
 * acceptor  answer  [u32 magic][version][1][cluster][from][incarnation]
 *                or [u32 magic][version][0][reason]
 * ```
 * 1. Every version keeps magic, version and the form of a refusal: nodes of different versions tell each other so.
 * 2. The acceptor learns who dials and that it is the node that was meant; the dialer learns the same of the acceptor.
 * 3. This is a check against mistakes (wrong cluster, wrong address, old list of members), not against an attacker:
 *    nobody but the nodes may reach this port.
 */
import { ByteReader, ByteWriter, DecodeError } from '../core/bytes.ts';
import { type NodeId, nodeId } from '../core/ids.ts';
import { PROTOCOL_VERSION } from '../protocol.ts';

/** Names, versions and reasons are short; whoever announces a longer frame does not speak this protocol. */
export const HANDSHAKE_BYTES_MAX = 1024;
export const INCARNATION_BYTES = 16;

const MAGIC = 0x54_52_51_ab;
const REASON_CHARS_MAX = 200;

/** Who a process is: its names, and random bytes that no other life of it has. */
export interface Identity {
  readonly cluster: string;
  readonly node: NodeId;
  readonly incarnation: Uint8Array;
}

/** `garbage`: no node of any version sends this. */
export type HelloVerdict =
  | { readonly kind: 'welcome'; readonly from: NodeId; readonly incarnation: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'garbage'; readonly reason: string };

export type AnswerVerdict =
  | { readonly kind: 'accepted'; readonly incarnation: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'garbage'; readonly reason: string };

export function encodeHello(self: Identity, to: NodeId): Uint8Array {
  return begin().string(self.cluster).string(self.node).string(to).raw(self.incarnation).copy();
}

/** Judges a dialer's hello as the node `self` that knows `isPeer`. */
export function judgeHello(hello: Uint8Array, self: Identity, isPeer: (node: NodeId) => boolean): HelloVerdict {
  return orGarbage(() => {
    const reader = new ByteReader(hello);
    const version = readVersion(reader);
    if (version !== PROTOCOL_VERSION)
      return refused(`protocol version ${version} is not supported: ${self.node} speaks ${PROTOCOL_VERSION}`);
    const cluster = reader.string();
    const from = nodeId(reader.string());
    const to = nodeId(reader.string());
    const incarnation = Uint8Array.from(reader.raw(INCARNATION_BYTES));
    reader.end();
    if (cluster !== self.cluster) return refused(`${self.node} belongs to cluster ${self.cluster}, not ${cluster}`);
    if (to !== self.node) return refused(`this is ${self.node}, not ${to}`);
    if (from === self.node || !isPeer(from)) return refused(`${self.node} does not know a peer ${from}`);
    return { kind: 'welcome', from, incarnation };
  });
}

export function encodeAcceptance(self: Identity): Uint8Array {
  return begin().u8(1).string(self.cluster).string(self.node).raw(self.incarnation).copy();
}

export function encodeRefusal(reason: string): Uint8Array {
  return begin().u8(0).string(reason.slice(0, REASON_CHARS_MAX)).copy();
}

/** Judges the answer of the node that `self` has dialed as `to`. */
export function judgeAnswer(answer: Uint8Array, self: Identity, to: NodeId): AnswerVerdict {
  return orGarbage(() => {
    const reader = new ByteReader(answer);
    const version = readVersion(reader);
    if (reader.u8() === 0) return refused(reader.string().slice(0, REASON_CHARS_MAX));
    if (version !== PROTOCOL_VERSION)
      return refused(`${to} speaks protocol version ${version}, ${self.node} ${PROTOCOL_VERSION}`);
    const cluster = reader.string();
    const from = nodeId(reader.string());
    const incarnation = Uint8Array.from(reader.raw(INCARNATION_BYTES));
    reader.end();
    if (cluster !== self.cluster) return refused(`${to} belongs to cluster ${cluster}, not ${self.cluster}`);
    if (from !== to) return refused(`${to} was dialed, but ${from} answered`);
    return { kind: 'accepted', incarnation };
  });
}

function begin(): ByteWriter {
  return new ByteWriter().u32(MAGIC).varint(PROTOCOL_VERSION);
}

function readVersion(reader: ByteReader): number {
  if (reader.u32() !== MAGIC) throw new DecodeError('not this protocol');
  return reader.varint();
}

function refused(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}

function orGarbage<T>(judge: () => T): T | { readonly kind: 'garbage'; readonly reason: string } {
  try {
    return judge();
  } catch (error) {
    if (error instanceof DecodeError) return { kind: 'garbage', reason: `bad handshake: ${error.message}` };
    throw error;
  }
}
