import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, parseBytes, parseDurationMs } from './units.ts';

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['65536', 65_536],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['2GiB', 2_147_483_648],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', 'MiB', '-1', '+1', '1.5MiB', '1 MiB', '1mib', '1MB', '01', '1e3', '9007199254740993', '1constructor'])(
    '%j is refused',
    (text) => {
      expect(parseBytes(text)).toBeUndefined();
    },
  );

  it('parse back to the same number once formatted', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseBytes(formatBytes(bytes)) === bytes));
  });

  it('are formatted in the largest unit that divides them', () => {
    expect([formatBytes(1_048_576), formatBytes(1_048_577), formatBytes(0)]).toEqual(['1MiB', '1048577', '0']);
  });
});

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['2s', 2000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['3650d', 315_360_000_000],
  ])('%s is %d milliseconds', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  it.each(['', '2', 's', '-2s', '2S', '2 s', '0.5s', '1s500ms', '9007199254740992ms'])('%j is refused', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });

  it('parse back to the same number once formatted', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (durationMs) => parseDurationMs(formatDuration(durationMs)) === durationMs));
  });
});
