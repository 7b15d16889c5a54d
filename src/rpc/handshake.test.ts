import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../core/bytes.ts';
import { nodeId } from '../core/ids.ts';
import {
  encodeAcceptance,
  encodeHello,
  encodeRefusal,
  HANDSHAKE_BYTES_MAX,
  type Identity,
  judgeAnswer,
  judgeHello,
} from './handshake.ts';

const A = nodeId('a');
const B = nodeId('b');
const identity = (changes: Partial<Identity> = {}): Identity => {
  return { cluster: 'test', node: A, incarnation: new Uint8Array(16).fill(7), ...changes };
};
const self = identity({ node: B });
const knowsA = (node: string) => node === A;

/** The same message, said to be of another version, with a tail that this version cannot read. */
const ofVersion = (version: number, message: Uint8Array) =>
  new ByteWriter().raw(message.subarray(0, 4)).varint(version).raw(message.subarray(5, 7)).copy();

describe('a hello', () => {
  it('is welcome from a peer of the same cluster that means this node', () => {
    const verdict = judgeHello(encodeHello(identity(), B), self, knowsA);
    expect(verdict).toEqual({ kind: 'welcome', from: A, incarnation: new Uint8Array(16).fill(7) });
  });

  it.each([
    ['another cluster', encodeHello(identity({ cluster: 'other' }), B), 'b belongs to cluster test, not other'],
    ['another node', encodeHello(identity(), nodeId('c')), 'this is b, not c'],
    ['an unknown node', encodeHello(identity({ node: nodeId('x') }), B), 'b does not know a peer x'],
    ['another version', ofVersion(99, encodeHello(identity(), B)), 'protocol version 99 is not supported: b speaks 3'],
  ])('is refused when it comes with %s, and the reason names both sides', (_what, hello, reason) => {
    expect(judgeHello(hello, self, knowsA)).toEqual({ kind: 'refused', reason });
  });

  it('is garbage when it is cut or has a byte too many', () => {
    const hello = encodeHello(identity(), B);
    for (let length = 0; length < hello.length; length++) {
      expect(judgeHello(hello.subarray(0, length), self, knowsA).kind).toBe('garbage');
    }
    expect(judgeHello(Buffer.concat([hello, Buffer.of(0)]), self, knowsA).kind).toBe('garbage');
  });

  it('of random bytes is garbage, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(judgeHello(bytes, self, knowsA).kind).toBe('garbage');
        expect(judgeAnswer(bytes, self, A).kind).toBe('garbage');
      }),
    );
  });
});

describe('an answer', () => {
  it('of the node that was dialed is accepted', () => {
    const verdict = judgeAnswer(encodeAcceptance(identity()), self, A);
    expect(verdict).toEqual({ kind: 'accepted', incarnation: new Uint8Array(16).fill(7) });
  });

  it('of another node or another cluster is not', () => {
    const other = judgeAnswer(encodeAcceptance(identity({ node: nodeId('c') })), self, A);
    expect(other).toEqual({ kind: 'refused', reason: 'a was dialed, but c answered' });
    const elsewhere = judgeAnswer(encodeAcceptance(identity({ cluster: 'other' })), self, A);
    expect(elsewhere).toEqual({ kind: 'refused', reason: 'a belongs to cluster other, not test' });
  });

  it('of another version is understood when it refuses, and refused when it accepts', () => {
    const refusal = new ByteWriter().raw(encodeRefusal('').subarray(0, 4)).varint(9).u8(0).string('too old').copy();
    expect(judgeAnswer(refusal, self, A)).toEqual({ kind: 'refused', reason: 'too old' });
    const acceptance = ofVersion(9, encodeAcceptance(identity()));
    expect(judgeAnswer(acceptance, self, A)).toEqual({ kind: 'refused', reason: 'a speaks protocol version 9, b 3' });
  });

  it('that refuses stays within the limit of a handshake, however long the reason', () => {
    const refusal = encodeRefusal('\u{1f511}'.repeat(5_000));
    expect(refusal.length).toBeLessThanOrEqual(HANDSHAKE_BYTES_MAX);
    expect(judgeAnswer(refusal, self, A).kind).toBe('refused');
  });
});
