import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FRAME_HEADER_BYTES, FrameQueue, FrameReader } from './frame.ts';

const LIMIT = 200_000;

const anyMessage = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ minLength: 100, maxLength: 300 }),
  fc.constantFrom(0, 65_531, 65_532, 65_533, 150_000).map((length) => new Uint8Array(length).fill(length % 251)),
);
const anyMessages = fc.array(anyMessage, { maxLength: 30 });

/** What a reader hands on, copied at once and again at the end: both must be the same. */
function read(chunks: readonly Uint8Array[], bytesMax = LIMIT): { messages: Uint8Array[]; isGood: boolean } {
  const views: Buffer[] = [];
  const copies: Uint8Array[] = [];
  const reader = new FrameReader(bytesMax, (payload) => {
    views.push(payload);
    copies.push(Uint8Array.from(payload));
  });
  const isGood = chunks.map((chunk) => reader.push(Buffer.from(chunk))).every((good) => good);
  expect(views.every((view, index) => view.equals(copies[index] ?? Buffer.of()))).toBe(true);
  return { messages: copies, isGood };
}

function gather(queue: FrameQueue, messages: readonly Uint8Array[]): Buffer {
  for (const message of messages) queue.append(message);
  const blocks = queue.take();
  const stream = Buffer.concat(blocks);
  queue.recycle(blocks);
  return stream;
}

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const anyCuts = fc.array(fc.nat(), { maxLength: 40 });
    fc.assert(
      fc.property(anyMessages, anyCuts, (messages, anywhere) => {
        const stream = gather(new FrameQueue(), messages);
        const cuts = [0, ...anywhere.map((at) => at % (stream.length + 1)).sort((a, b) => a - b), stream.length];
        const chunks = cuts.slice(1).map((end, index) => stream.subarray(cuts[index], end));
        const { messages: got, isGood } = read(chunks);
        expect(isGood).toBe(true);
        expect(got.length).toBe(messages.length);
        expect(got.every((message, index) => Buffer.compare(message, messages[index] ?? Buffer.of()) === 0)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('come out as they went in when cut in two at any byte, or after every byte', () => {
    const messages = ['one', '', 'three', 'a longer one'].map((text) => Uint8Array.from(Buffer.from(text)));
    const stream = Buffer.concat(messages.map(encodeFrame));
    for (let at = 0; at <= stream.length; at++) {
      expect(read([stream.subarray(0, at), stream.subarray(at)]).messages).toEqual(messages);
    }
    expect(read(Array.from(stream, (byte) => Uint8Array.of(byte))).messages).toEqual(messages);
  });

  it('are not handed on, nor any after them, when a bit of them has turned', () => {
    const messages = ['one', 'two', 'three'].map((text) => Uint8Array.from(Buffer.from(text)));
    const [one, two, three] = messages.map(encodeFrame);
    const bits = 8 * (two?.length ?? 0);
    for (let bit = 0; bit < bits; bit++) {
      const damaged = Buffer.from(two ?? []);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const whole = Buffer.concat([one ?? Buffer.of(), damaged, three ?? Buffer.of()]);
      for (const chunks of [[whole], Array.from(whole, (byte) => Uint8Array.of(byte))]) {
        const { messages: got } = read(chunks);
        expect(got.length).toBeLessThanOrEqual(1);
        expect(got).toEqual(messages.slice(0, got.length));
      }
    }
  });

  it('do not change what was taken before when blocks are used again', () => {
    fc.assert(
      fc.property(fc.array(anyMessages, { maxLength: 10 }), (turns) => {
        const queue = new FrameQueue();
        for (const messages of turns) {
          expect(gather(queue, messages).equals(Buffer.concat(messages.map(encodeFrame)))).toBe(true);
          expect(queue.bytes).toBe(0);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('keep blocks apart while these are being written', () => {
    const queue = new FrameQueue();
    queue.append(new Uint8Array(10).fill(1));
    const writing = queue.take();
    queue.append(new Uint8Array(10).fill(2));
    expect(Buffer.concat(writing)).toEqual(encodeFrame(new Uint8Array(10).fill(1)));
    expect(Buffer.concat(queue.take())).toEqual(encodeFrame(new Uint8Array(10).fill(2)));
  });

  it('use a block again once it is given back', () => {
    const queue = new FrameQueue();
    const memory = () => {
      queue.append(new Uint8Array(10));
      const blocks = queue.take();
      queue.recycle(blocks);
      return blocks[0]?.buffer;
    };
    const used = new Set(Array.from({ length: 20 }, memory));
    expect(used.size).toBe(2);
  });

  it('count their headers in the queue', () => {
    const queue = new FrameQueue();
    queue.append(new Uint8Array(10));
    queue.append(new Uint8Array(100_000));
    expect(queue.bytes).toBe(100_010 + 2 * FRAME_HEADER_BYTES);
  });

  it('are read up to the limit; a longer one closes the reader, in whatever chunk its length comes', () => {
    const stream = Buffer.concat([
      encodeFrame(new Uint8Array(10)),
      encodeFrame(new Uint8Array(11)),
      encodeFrame(new Uint8Array(1)),
    ]);
    for (let at = 0; at <= stream.length; at++) {
      const { messages, isGood } = read([stream.subarray(0, at), stream.subarray(at)], 10);
      expect(messages).toEqual([new Uint8Array(10)]);
      expect(isGood).toBe(false);
    }
  });

  it('follow a limit that is raised between two of them', () => {
    const seen: number[] = [];
    const reader = new FrameReader(5, (payload) => {
      seen.push(payload.length);
      reader.setLimit(100);
    });
    expect(reader.push(Buffer.concat([encodeFrame(new Uint8Array(5)), encodeFrame(new Uint8Array(100))]))).toBe(true);
    expect(seen).toEqual([5, 100]);
  });

  it('are not handed on after the reader was closed, by a frame of the same chunk or before', () => {
    const seen: number[] = [];
    const reader = new FrameReader(100, (payload) => {
      seen.push(payload.length);
      if (payload.length === 2) reader.close();
    });
    const stream = Buffer.concat([1, 2, 3].map((length) => encodeFrame(new Uint8Array(length))));
    expect(reader.push(stream)).toBe(true);
    reader.push(stream);
    expect(seen).toEqual([1, 2]);
  });
});
