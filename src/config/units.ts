/**
 * Sizes and durations as people write them.
 *
 * 1. A size is a whole number of bytes, or one followed by `KiB`, `MiB` or `GiB`: `65536`, `64KiB`.
 * 2. A duration is a whole number followed by `ms`, `s`, `m`, `h` or `d`: `250ms`, `2s`. A bare number is refused: it has no unit.
 * 3. What is formatted parses back to the same number, exactly.
 * 4. Signs, fractions, blanks, other letter cases and results above 2^53-1 are refused.
 */
const SIZE_UNITS = { GiB: 1024 ** 3, MiB: 1024 ** 2, KiB: 1024 } as const;
const DURATION_UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Bytes, or undefined when `text` is no size. */
export function parseBytes(text: string): number | undefined {
  return parseUnits(text, { ...SIZE_UNITS, '': 1 });
}

/** Milliseconds, or undefined when `text` is no duration. */
export function parseDurationMs(text: string): number | undefined {
  return parseUnits(text, DURATION_UNITS);
}

/** The largest unit that divides it: `1MiB`, `1025`. */
export function formatBytes(bytes: number): string {
  return formatUnits(bytes, { ...SIZE_UNITS, '': 1 });
}

/** The largest unit that divides it: `2s`, `1500ms`. */
export function formatDuration(durationMs: number): string {
  return formatUnits(durationMs, DURATION_UNITS);
}

function parseUnits(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit] = /^(0|[1-9][0-9]*)([A-Za-z]*)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) return undefined;
  const value = Number(digits) * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

function formatUnits(value: number, units: Readonly<Record<string, number>>): string {
  for (const [unit, factor] of Object.entries(units)) {
    if (value % factor === 0 && (value !== 0 || factor === 1)) return `${value / factor}${unit}`;
  }
  return String(value);
}
