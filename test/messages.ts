/** What travels between nodes, as far as tests tell it apart. */
import { unpack } from 'msgpackr';
import { ByteReader } from '../src/core/bytes.ts';
import { METHOD } from '../src/protocol.ts';
import { ENVELOPE } from '../src/rpc/envelope.ts';

/** The method of a request; undefined for everything else. */
export const requestMethod = (message: Uint8Array): number | undefined => requestOf(message)?.method;

/** Undefined for everything that is no request. */
export function requestOf(message: Uint8Array): { readonly method: number; readonly body: ByteReader } | undefined {
  const reader = new ByteReader(message);
  if (reader.u8() !== ENVELOPE.request) return undefined;
  reader.u32();
  reader.varint();
  const method = reader.u8();
  reader.varint();
  return { method, body: new ByteReader(reader.rest()) };
}

export const isReply = (message: Uint8Array): boolean => message[0] === ENVELOPE.reply;

/** A notice of the metadata group. */
export const isRaft = (message: Uint8Array): boolean => message[0] === ENVELOPE.notice && message[1] === METHOD.raft;

/** What a node asks the leader of the metadata group to put into the log. */
export const isProposal = (message: Uint8Array): boolean => {
  if (!isRaft(message)) return false;
  const body: unknown = unpack(message.subarray(2));
  return typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'propose';
};
