import { describe, expect, it } from 'vitest';
import {
  count,
  decimalBytes,
  digits,
  duration,
  microseconds,
  milliseconds,
  plural,
  short,
  size,
  times,
} from './units.ts';

describe('figures for people', () => {
  it.each([
    [0.0451, '0.045'],
    [1, '1'],
    [3.214, '3.21'],
    [33.42, '33.4'],
    [166.2, '166'],
    [12_345.6, '12,346'],
    [0, '0'],
    [100, '100'],
    [20, '20'],
  ])('keep the digits that matter: %s is %s', (value, text) => {
    expect(digits(value)).toBe(text);
  });

  it('have units', () => {
    expect(milliseconds(9.784)).toBe('9.78 ms');
    expect(milliseconds(1250)).toBe('1.25 s');
    expect(microseconds(251)).toBe('251 µs');
    expect(times(2.0845)).toBe('2.08×');
    expect(plural(1, 'error')).toBe('1 error');
    expect(plural(2000, 'error')).toBe('2,000 errors');
  });

  it('are a dash, not a nought, where nothing was measured', () => {
    expect(microseconds(undefined)).toBe('–');
  });

  it('tell sizes of values in powers of two, and what was measured in powers of ten', () => {
    expect([100, 1024, 65_536, 1_048_576].map(size)).toEqual(['100 B', '1 KiB', '64 KiB', '1 MiB']);
    expect([431, 12_300, 187e6, 8.2e9].map(decimalBytes)).toEqual(['431 B', '12.3 kB', '187 MB', '8.2 GB']);
  });

  it('are short on axes', () => {
    expect([0, 0.5, 500, 2500, 10_000, 1_000_000].map(short)).toEqual(['0', '0.5', '500', '2.5k', '10k', '1M']);
    expect(count(1_234_567.8)).toBe('1,234,568');
  });

  it('tell time in two units at most', () => {
    expect([12, 60, 65, 3600, 3725].map(duration)).toEqual(['12 s', '1 min', '1 min 5 s', '1 h', '1 h 2 min']);
  });
});
