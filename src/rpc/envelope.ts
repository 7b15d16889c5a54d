/**
 * What the request/response layer puts around a body.
 *
 * ```
 * notice   [0][method][body]
 * request  [1][u32 nonce][id][method][remainingMs][body]
 * reply    [2][u32 nonce][id][body]
 * failure  [3][u32 nonce][id][code][message]
 * ```
 * `nonce` belongs to one life of the caller, `id` to one call of that life. Time is carried as what remains of it, rounded down,
 * since clocks differ.
 */
import type { ByteReader, ByteWriter } from '../core/bytes.ts';
import { ERROR_CODES, type ErrorCode } from '../errors.ts';

export const ENVELOPE = { notice: 0, request: 1, reply: 2, failure: 3 } as const;

const MESSAGE_CHARS_MAX = 256;
const KNOWN_CODES: ReadonlySet<string> = new Set(ERROR_CODES);

export function writeNotice(writer: ByteWriter, method: number, body: Uint8Array): ByteWriter {
  return writer.u8(ENVELOPE.notice).u8(method).raw(body);
}

export function writeRequest(
  writer: ByteWriter,
  nonce: number,
  id: number,
  method: number,
  remainingMs: number,
  body: Uint8Array,
): ByteWriter {
  return writer.u8(ENVELOPE.request).u32(nonce).varint(id).u8(method).varint(remainingMs).raw(body);
}

export function writeReply(writer: ByteWriter, nonce: number, id: number, body: Uint8Array): ByteWriter {
  return writer.u8(ENVELOPE.reply).u32(nonce).varint(id).raw(body);
}

export function writeFailure(
  writer: ByteWriter,
  nonce: number,
  id: number,
  code: ErrorCode,
  message: string,
): ByteWriter {
  return writer.u8(ENVELOPE.failure).u32(nonce).varint(id).string(code).string(message.slice(0, MESSAGE_CHARS_MAX));
}

/** What follows the id in a failure. A code that this version does not know counts as `internal`. */
export function readFailure(reader: ByteReader): { readonly code: ErrorCode; readonly message: string } {
  const code = reader.string();
  const message = reader.string();
  reader.end();
  return { code: isErrorCode(code) ? code : 'internal', message };
}

function isErrorCode(code: string): code is ErrorCode {
  return KNOWN_CODES.has(code);
}
