/**
 * Where values lie along an axis: 0 at its start, 1 at its end, pixels are the plot's business.
 *
 * Laws: `at` is monotone; the first and the last tick lie within [0, 1]; every value that the scale was made for does as well.
 */
export interface Scale {
  at(value: number): number;
  readonly ticks: readonly Tick[];
}

export interface Tick {
  readonly value: number;
  readonly label: string;
}

type Label = (value: number) => string;

const DECADE_STEPS = [1, 2, 5];
/** With more decades than these, only their starts have ticks. */
const FULL_DECADES_MAX = 2;

/** From nought, since a rate or a size that starts elsewhere misleads. */
export function linearScale(max: number, label: Label, ticks = 5): Scale {
  const step = niceStep((max > 0 ? max : 1) / ticks);
  const steps = Math.max(1, Math.ceil(max / step - 1e-9));
  const end = step * steps;
  const values = Array.from({ length: steps + 1 }, (_, i) => i * step);
  return { at: (value) => value / end, ticks: labelled(values, label) };
}

/** Of positive values; the ends are rounded outwards to 1, 2 or 5 times a power of ten. */
export function logScale(values: readonly number[], label: Label): Scale {
  const positive = values.filter((value) => value > 0);
  const [min, max] = positive.length === 0 ? [1, 10] : [Math.min(...positive), Math.max(...positive)];
  const steps = decadeSteps(Math.floor(Math.log10(min)), Math.ceil(Math.log10(max)));
  const start = steps.findLast((step) => step <= min) ?? min;
  const found = steps.find((step) => step >= max) ?? max;
  const end = found > start ? found : start * 10;
  const inner = steps.filter((step) => step >= start && step <= end);
  const isLong = Math.log10(end / start) > FULL_DECADES_MAX;
  const ticks = isLong ? inner.filter((step) => Number.isInteger(Math.log10(step))) : inner;
  return { at: (value) => logPart(Math.max(value, start), start, end), ticks: labelled(ticks, label) };
}

/** For settings that were chosen, like numbers of connections: a tick at each, at logarithmic distances. */
export function settingScale(values: readonly number[], label: Label): Scale {
  const known = [...new Set(values)].sort((a, b) => a - b);
  const [min = 1, max = 1] = [known[0], known.at(-1)];
  if (min === max) return { at: () => 0.5, ticks: labelled(known, label) };
  return { at: (value) => logPart(value, min, max), ticks: labelled(known, label) };
}

/** Of percentiles: each further nine (90, 99, 99.9 ...) is as far from the last one as that from the one before. */
export function ninesScale(): Scale {
  const end = 99.999;
  const nines = (percentile: number): number => -Math.log10(1 - Math.min(percentile, end) / 100);
  const ticks = [0, 50, 90, 99, 99.9, 99.99, end].map((value) => ({
    value,
    label: value === 0 ? 'min' : String(value),
  }));
  return { at: (percentile) => nines(percentile) / nines(end), ticks };
}

function logPart(value: number, start: number, end: number): number {
  return Math.log(value / start) / Math.log(end / start);
}

function decadeSteps(from: number, to: number): readonly number[] {
  const decades = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  return decades.flatMap((decade) => DECADE_STEPS.map((step) => Number(`${step}e${decade}`)));
}

function niceStep(rough: number): number {
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((candidate) => candidate * decade >= rough * (1 - 1e-9)) ?? 10;
  return step * decade;
}

function labelled(values: readonly number[], label: Label): readonly Tick[] {
  return values.map((value) => ({ value, label: label(value) }));
}
