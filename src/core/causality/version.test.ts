import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../bytes.ts';
import { bytesOf, damaged } from './causality-builders.ts';
import { decodeVersion, encodeVersion, type Version } from './version.ts';

const anyVersion: fc.Arbitrary<Version> = fc.record({
  value: fc.uint8Array({ maxLength: 300, size: 'max' }),
  contentType: fc.string(),
  meta: fc.array(fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })), { maxLength: 4 }),
  stampMs: fc.maxSafeNat(),
});

describe('version', () => {
  it('decodes what it encoded', () => {
    fc.assert(
      fc.property(anyVersion, (version) => {
        const back = decodeVersion(encodeVersion(version));
        expect({ ...back, value: Uint8Array.from(back.value) }).toEqual(version);
      }),
    );
  });

  it('decodes anything else to an error, or to a version that encodes to the same bytes', () => {
    fc.assert(
      fc.property(damaged(anyVersion.map((version) => Uint8Array.from(encodeVersion(version)))), (bytes) => {
        let version: Version;
        try {
          version = decodeVersion(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        expect(Uint8Array.from(encodeVersion(version))).toEqual(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps an encoded version unchanged while the next is encoded', () => {
    const first = encodeVersion({ value: bytesOf('first'), contentType: 'text/plain', meta: [['a', '1']], stampMs: 1 });
    encodeVersion({ value: bytesOf('other'), contentType: 'image/png', meta: [], stampMs: 2 });
    expect(Buffer.from(decodeVersion(first).value).toString()).toBe('first');
  });

  it('refuses the format of a newer release, and more metadata than bytes', () => {
    expect(() => decodeVersion(Uint8Array.from([2, 0, 0, 0]))).toThrow('version format 2');
    expect(() => decodeVersion(Uint8Array.from([1, 0, 0, 9]))).toThrow('more metadata than bytes');
    expect(() => decodeVersion(new Uint8Array())).toThrow(DecodeError);
  });
});
