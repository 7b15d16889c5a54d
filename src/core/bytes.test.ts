import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, DecodeError } from './bytes.ts';
import { InvariantViolation } from './invariant.ts';

const anyNumber = fc.oneof(
  fc.maxSafeNat(),
  fc.nat({ max: 300 }),
  fc
    .integer({ min: 0, max: 53 })
    .chain((bits) => fc.constantFrom(2 ** bits - 1, Math.min(2 ** bits, Number.MAX_SAFE_INTEGER))),
);
const anyBytes = fc.uint8Array({ maxLength: 700, size: 'max' });
const anyField = fc.oneof(
  fc.record({ kind: fc.constant('varint' as const), value: anyNumber }),
  fc.record({ kind: fc.constant('u8' as const), value: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.nat({ max: 2 ** 32 - 1 }) }),
  fc.record({ kind: fc.constant('bytes' as const), value: anyBytes }),
  fc.record({ kind: fc.constant('string' as const), value: fc.string({ unit: 'binary' }) }),
);
type Field = typeof anyField extends fc.Arbitrary<infer T> ? T : never;

function write(out: ByteWriter, field: Field): ByteWriter {
  if (field.kind === 'bytes') return out.bytes(field.value);
  if (field.kind === 'string') return out.string(field.value);
  return out[field.kind](field.value);
}

const written = (value: number) => new ByteWriter().varint(value).copy();
const read = (...bytes: number[]) => new ByteReader(Uint8Array.from(bytes));

describe('bytes', () => {
  it('reads back every field that was written, and ends there', () => {
    fc.assert(
      fc.property(fc.array(anyField), (fields) => {
        const out = new ByteWriter();
        for (const field of fields) write(out, field);
        const source = new ByteReader(out.copy());
        for (const { kind, value } of fields) {
          const back = source[kind]();
          expect(back instanceof Uint8Array ? Uint8Array.from(back) : back).toEqual(value);
        }
        expect(source.remaining).toBe(0);
        source.end();
      }),
    );
  });

  it('reads any truncation of a message as a decode error', () => {
    fc.assert(
      fc.property(anyField, fc.nat(), (field, cut) => {
        const whole = write(new ByteWriter(), field).copy();
        const source = new ByteReader(whole.subarray(0, cut % whole.length));
        expect(() => source[field.kind]()).toThrow(DecodeError);
      }),
    );
  });

  it('gives a number one varint only: what decodes encodes to the same bytes', () => {
    const varintLike = fc.tuple(
      fc.array(fc.integer({ min: 0x80, max: 0xff }), { maxLength: 9 }),
      fc.nat({ max: 0x7f }),
    );
    fc.assert(
      fc.property(varintLike, ([head, last]) => {
        const bytes = Uint8Array.from([...head, last]);
        let value: number;
        try {
          value = new ByteReader(bytes).varint();
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        expect(Uint8Array.from(written(value))).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses an overlong varint, one above 2^53-1, and one that never ends', () => {
    expect(() => read(0x80, 0).varint()).toThrow(DecodeError);
    expect(() => read(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10).varint()).toThrow('out of range');
    expect(() => read(...Array<number>(12).fill(0x80)).varint()).toThrow('too long');
    expect(read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f).varint()).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('refuses bytes that are not UTF-8, so that no two keys decode to one', () => {
    expect(() => read(1, 0xff).string()).toThrow('not UTF-8');
    expect(() => read(2, 0xc0, 0x80).string()).toThrow('not UTF-8');
    expect(() => read(3, 0xed, 0xa0, 0x80).string()).toThrow('not UTF-8');
    expect(read(3, 0xef, 0xbf, 0xbd).string()).toBe('\uFFFD');
    expect(read(3, 0xef, 0xbb, 0xbf).string()).toBe('\uFEFF');
  });

  it('refuses what is left over', () => {
    expect(() => read(1).end()).toThrow('1 bytes too many');
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('never writes %d as a varint', (value) => {
    expect(() => written(value)).toThrow(InvariantViolation);
  });

  it('keeps what it wrote while it grows, and a copy past a reset', () => {
    const out = new ByteWriter();
    for (let i = 0; i < 3000; i++) out.u8(i % 251);
    const copy = out.copy();
    expect([...copy]).toEqual(Array.from({ length: 3000 }, (_, i) => i % 251));
    out.reset().string('other');
    expect([copy[0], out.length, out.view().length]).toEqual([0, 6, 6]);
  });

  it('reads a part of a larger array in its own bounds', () => {
    const source = new ByteReader(Uint8Array.from([9, 1, 2, 9]).subarray(1, 3));
    expect([source.u8(), Uint8Array.from(source.rest())]).toEqual([1, Uint8Array.from([2])]);
  });
});
