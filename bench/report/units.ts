/** Figures for people, with their units. A figure that was not measured is a dash, never a nought. */

export const NOT_MEASURED = '–';

const KIB = 1024;
const MIB = 1024 * 1024;

/** 14,177 */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 14,177/s */
export function perSecond(value: number): string {
  return `${count(value)}/s`;
}

/** Three digits that matter: 0.045, 3.21, 33.4, 166. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return count(value);
  if (size >= 10) return trimmed(value.toFixed(1));
  return trimmed(size >= 1 ? value.toFixed(2) : value.toPrecision(2));
}

/** 3.21 ms, 1.25 s */
export function milliseconds(value: number): string {
  return value >= 1000 ? `${digits(value / 1000)} s` : `${digits(value)} ms`;
}

export function microseconds(value: number | undefined): string {
  return value === undefined ? NOT_MEASURED : `${digits(value)} µs`;
}

/** 1.23× */
export function times(ratio: number): string {
  return `${digits(ratio)}×`;
}

/** A share of one: 12.3 % */
export function percent(share: number): string {
  return `${digits(share * 100)} %`;
}

/** Of values and pages, which come in powers of two: 100 B, 4 KiB, 1 MiB. */
export function size(bytes: number): string {
  if (bytes >= MIB) return `${digits(bytes / MIB)} MiB`;
  return bytes >= KIB ? `${digits(bytes / KIB)} KiB` : `${count(bytes)} B`;
}

/** Of memory, disk and wire, in powers of ten: 850 B, 12.3 kB, 187 MB. */
export function decimalBytes(bytes: number): string {
  if (bytes >= 1e9) return `${digits(bytes / 1e9)} GB`;
  if (bytes >= 1e6) return `${digits(bytes / 1e6)} MB`;
  return bytes >= 1e4 ? `${digits(bytes / 1e3)} kB` : `${digits(bytes)} B`;
}

/** 12 s, 4 min 5 s, 1 h 2 min */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 === 0 ? '' : ` ${whole % 60} s`}`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
}

/** For axes, where room is short: 500, 5k, 1.5M. */
export function short(value: number): string {
  if (value >= 1e6) return `${trimmed((value / 1e6).toPrecision(3))}M`;
  return value >= 1e3 ? `${trimmed((value / 1e3).toPrecision(3))}k` : digits(value);
}

/** "1 node", "3 nodes" */
export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? '' : 's'}`;
}

/** The first letter as at the start of a sentence. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function trimmed(text: string): string {
  return text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text;
}
