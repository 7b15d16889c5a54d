import { ByteReader, DecodeError } from '../../src/core/bytes.ts';
import { METHOD } from '../../src/protocol.ts';
import { ENVELOPE } from '../../src/rpc/envelope.ts';

/** What a message on the network is, as far as its envelope tells. */
export interface MessageKind {
  readonly envelope: keyof typeof ENVELOPE;
  /** Of a notice or a request. */
  readonly method?: string;
  /** Of a call: the same in its request and its answer. */
  readonly id?: number;
}

const METHODS = new Map<number, string>(Object.entries(METHOD).map(([name, number]) => [number, name]));
const ENVELOPES = ['notice', 'request', 'reply', 'failure'] as const satisfies readonly (keyof typeof ENVELOPE)[];

/** Undefined for what is no message. */
export function messageKind(bytes: Uint8Array): MessageKind | undefined {
  try {
    const reader = new ByteReader(bytes);
    const envelope = ENVELOPES[reader.u8()];
    if (envelope === undefined) return undefined;
    if (envelope === 'notice') return { envelope, method: methodName(reader.u8()) };
    reader.u32();
    const id = reader.varint();
    return envelope === 'request' ? { envelope, id, method: methodName(reader.u8()) } : { envelope, id };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

export function isRequest(bytes: Uint8Array): boolean {
  return bytes[0] === ENVELOPE.request;
}

function methodName(number: number): string {
  return METHODS.get(number) ?? `method ${number}`;
}
