import type { HttpAnswer } from './http-dialect.ts';

/**
 * Puts the answers of one connection together, one at a time. It reads what the measured stores send to GET, PUT and POST: a length, chunks or
 * no body at all; an answer that ends with the connection is none. A parser of all of HTTP/1.1 costs the client several times as much.
 */
export class AnswerReader {
  private received: Buffer = EMPTY;
  private head: Head | undefined;

  /** The answer, when this was the end of it. Throws on what is no HTTP answer. */
  push(chunk: Buffer): HttpAnswer | undefined {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    this.head ??= this.readHead();
    if (this.head === undefined) return undefined;
    const { status, text, length } = this.head;
    const body = length === 'chunked' ? wholeChunks(this.received) : wholeBody(this.received, length);
    if (body === undefined) return undefined;
    this.received = EMPTY;
    this.head = undefined;
    return { status, head: text, body };
  }

  private readHead(): Head | undefined {
    const end = this.received.indexOf(HEAD_END);
    if (end < 0) return undefined;
    const text = this.received.toString('latin1', 0, end);
    this.received = this.received.subarray(end + HEAD_END.length);
    if (!text.startsWith('HTTP/1.1 ')) throw new Error(`no HTTP answer: ${text.slice(0, 40)}`);
    const status = Number(text.slice(9, 12));
    return { status, text, length: lengthOf(text, status) };
  }
}

interface Head {
  readonly status: number;
  readonly text: string;
  /** Of the body, in bytes. */
  readonly length: number | 'chunked';
}

const EMPTY: Buffer = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;

function lengthOf(head: string, status: number): number | 'chunked' {
  if (status === 204 || status === 304) return 0;
  const length = LENGTH.exec(head)?.[1];
  if (length !== undefined) return Number(length);
  if (CHUNKED.test(head)) return 'chunked';
  throw new Error('an answer with neither a length nor chunks');
}

function wholeBody(received: Buffer, length: number): Buffer | undefined {
  if (received.length > length) throw new Error('more than one answer to one request');
  return received.length === length ? received : undefined;
}

/** Undefined: the last chunk is missing. */
function wholeChunks(received: Buffer): Buffer | undefined {
  if (!received.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)) return undefined;
  const chunks: Buffer[] = [];
  for (let at = 0; at < received.length; ) {
    const lineEnd = received.indexOf('\r\n', at);
    const size = Number.parseInt(received.toString('latin1', at, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) throw new Error('a chunk without a size');
    if (size === 0) return Buffer.concat(chunks);
    const start = lineEnd + 2;
    chunks.push(received.subarray(start, start + size));
    at = start + size + 2;
  }
  return undefined;
}
