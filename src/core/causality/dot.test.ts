import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { logIndex, memberNumber } from '../ids.ts';
import { InvariantViolation } from '../invariant.ts';
import { actor, anyDot, damaged } from './causality-builders.ts';
import {
  actorGrant,
  actorMember,
  actorOf,
  compareDots,
  formatDot,
  parseDot,
  readDot,
  sameDot,
  writeDot,
} from './dot.ts';

const anyMember = fc.integer({ min: 1, max: 2 ** 20 - 1 });
const anyGrant = fc.integer({ min: 1, max: 2 ** 32 - 1 });

describe('dot', () => {
  it('keeps member and grant of an actor, and orders the actors of a member by grant', () => {
    fc.assert(
      fc.property(anyMember, anyGrant, anyGrant, (member, grant, other) => {
        const one = actor(member, grant);
        expect([actorMember(one), actorGrant(one)]).toEqual([member, grant]);
        expect(Math.sign(one - actor(member, other))).toBe(Math.sign(grant - other));
      }),
    );
  });

  it.each([
    [0, 1],
    [2 ** 20, 1],
    [1, 0],
    [1, 2 ** 32],
  ])('has no actor of member %d and grant %d', (member, grant) => {
    expect(() => actorOf(memberNumber(member), logIndex(grant))).toThrow(InvariantViolation);
  });

  it('has one text per dot', () => {
    fc.assert(
      fc.property(anyDot, (dot) => {
        expect(parseDot(formatDot(dot))).toEqual(dot);
      }),
    );
  });

  it.each([
    '',
    '1',
    '1.1',
    '1.1.0',
    '0.1.1',
    '1.0.1',
    '01.1.1',
    '1.1.1.1',
    '1.1.1 ',
    '1.1.1\n',
    '1.1.-1',
    '1.1.1e3',
    '1048576.1.1',
    '1.4294967296.1',
    '1.1.9007199254740992',
  ])('reads no dot from %j', (text) => {
    expect(parseDot(text)).toBeUndefined();
  });

  it('orders dots totally', () => {
    fc.assert(
      fc.property(anyDot, anyDot, anyDot, (a, b, c) => {
        expect(Math.sign(compareDots(a, b))).toBe(0 - Math.sign(compareDots(b, a)));
        expect(compareDots(a, b) === 0).toBe(sameDot(a, b));
        if (compareDots(a, b) <= 0 && compareDots(b, c) <= 0) expect(compareDots(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('decodes what it encoded, and from anything else an error or the same bytes again', () => {
    const encode = (dot: Parameters<typeof writeDot>[1]) => {
      const out = new ByteWriter();
      writeDot(out, dot);
      return Uint8Array.from(out.view());
    };
    fc.assert(
      fc.property(anyDot, (dot) => {
        expect(readDot(new ByteReader(encode(dot)))).toEqual(dot);
      }),
    );
    fc.assert(
      fc.property(damaged(anyDot.map(encode)), (bytes) => {
        const source = new ByteReader(bytes);
        try {
          const dot = readDot(source);
          expect(encode(dot)).toEqual(bytes.subarray(0, bytes.length - source.remaining));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
