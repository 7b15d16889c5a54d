import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerReader } from './answer-reader.ts';
import type { HttpAnswer } from './http-dialect.ts';

/** All answers that come of the bytes when they arrive in such pieces. */
function answersOf(pieces: readonly Buffer[]): HttpAnswer[] {
  const reader = new AnswerReader();
  return pieces.flatMap((piece) => reader.push(piece) ?? []);
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.map((one) => one % bytes.length))].sort((a, b) => a - b);
  return [0, ...ends]
    .map((start, i) => bytes.subarray(start, ends[i] ?? bytes.length))
    .filter(({ length }) => length > 0);
}

const withLength = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]);

function inChunks(body: Buffer, at: readonly number[]): Buffer {
  const chunks = body.length === 0 ? [] : cut(body, at);
  const parts = chunks.flatMap((one) => [Buffer.from(`${one.length.toString(16)}\r\n`), one, Buffer.from('\r\n')]);
  const head = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  return Buffer.concat([head, ...parts, Buffer.from('0\r\n\r\n')]);
}

/** Bytes that look like the end of chunks are among them. */
const bodies = fc
  .array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(Buffer.from('0\r\n\r\n'))), { maxLength: 4 })
  .map((parts) => Buffer.concat(parts));
const cuts = fc.array(fc.nat(), { maxLength: 6 });

describe('the answers of a connection', () => {
  it('are whole however they are cut, with a length', () => {
    fc.assert(
      fc.property(bodies, cuts, (body, at) => {
        const answers = answersOf(cut(withLength(body), at));
        expect(answers.map((one) => [one.status, one.body.toString('hex')])).toEqual([[200, body.toString('hex')]]);
      }),
    );
  });

  it('are whole however they are cut, in chunks', () => {
    fc.assert(
      fc.property(bodies, cuts, cuts, (body, at, chunksAt) => {
        const answers = answersOf(cut(inChunks(body, chunksAt), at));
        expect(answers.map((one) => one.body.toString('hex'))).toEqual([body.toString('hex')]);
      }),
    );
  });

  it('come one after the other', () => {
    const answers = answersOf([
      withLength(Buffer.from('a')),
      Buffer.from('HTTP/1.1 204 No Content\r\nX: y\r\n\r\n'),
      withLength(Buffer.from('b')),
    ]);
    expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(['200 a', '204 ', '200 b']);
  });

  it.each([
    ['is no HTTP', 'SSH-2.0-x\r\n\r\n'],
    ['has neither a length nor chunks', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['is more than one', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab'],
    ['has a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n0\r\n\r\n'],
  ])('are refused: what %s', (_what, text) => {
    expect(() => answersOf([Buffer.from(text)])).toThrow();
  });
});
