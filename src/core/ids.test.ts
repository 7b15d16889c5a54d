import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys } from './ids.ts';

describe('keys', () => {
  it('are in the order of their UTF-8 bytes', () => {
    const near = fc.constantFrom(
      '',
      'a',
      'ab',
      'é',
      '\ud7ff',
      '\ue000',
      '\uffee',
      '\u{10000}',
      '😀',
      '😁',
      '\u{10ffff}',
    );
    const text = fc.tuple(near, fc.oneof(near, fc.string({ unit: 'binary', maxLength: 5 })), near);
    fc.assert(
      fc.property(text, text, (one, two) => {
        const [a, b] = [one.join(''), two.join('')];
        expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2000 },
    );
  });
});
