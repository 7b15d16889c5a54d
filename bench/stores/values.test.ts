import { describe, expect, it } from 'vitest';
import { randomValues } from './values.ts';

describe('the values that are written', () => {
  const next = randomValues(100);
  const drawn = Array.from({ length: 128 }, () => next());

  it('are 64 different ones of the size that was asked for, in turn', () => {
    expect(new Set(drawn.slice(0, 64).map(({ base64 }) => base64)).size).toBe(64);
    expect(drawn.slice(64)).toEqual(drawn.slice(0, 64));
    expect(new Set(drawn.map(({ bytes }) => bytes.length))).toEqual(new Set([100]));
  });

  it('are the same in base64', () => {
    for (const { bytes, base64 } of drawn) expect(Buffer.from(base64, 'base64')).toEqual(bytes);
  });
});
