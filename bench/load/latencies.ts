import { build, type Histogram } from 'hdr-histogram-js';

/** Latencies in microseconds, up to {@link HIGHEST_MS}: beyond it they are recorded as that. */
export function newLatencies(significantDigits: 2 | 3 = 3): Histogram {
  return build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_MS * 1000,
    numberOfSignificantValueDigits: significantDigits,
  });
}

export function recordMs(latencies: Histogram, ms: number): void {
  latencies.recordValue(Math.round(Math.min(Math.max(ms, 0), HIGHEST_MS) * 1000));
}

/** In milliseconds; 0 when nothing was recorded. */
export function percentileMs(latencies: Histogram, percentile: number): number {
  return latencies.totalCount === 0 ? 0 : latencies.getValueAtPercentile(percentile) / 1000;
}

/**
 * The curve of all latencies: the tens to 90, the ones to 99, the tenths to 99.9 and so on, as far as there are operations to tell them
 * apart, then 100. [percentile, milliseconds], both ascending.
 */
export function percentileCurve(latencies: Histogram): (readonly [number, number])[] {
  const { totalCount } = latencies;
  if (totalCount === 0) return [];
  const points = PERCENTILES.filter((percentile) => (100 - percentile) * totalCount > 99.9);
  return [...points, 100].map((percentile) => [percentile, percentileMs(latencies, percentile)] as const);
}

const HIGHEST_MS = 120_000;
const DECADES = 6;

const PERCENTILES: readonly number[] = Array.from({ length: DECADES }, (_, decade) => {
  const step = 10 ** (1 - decade);
  return Array.from({ length: 9 }, (_, i) => {
    const percentile = 100 - step * (9 - i);
    return Number(percentile.toFixed(Math.max(0, decade - 1)));
  });
}).flat();
