import { median } from '../median.ts';
import type { Sample, Series } from '../report/bench-report.ts';
import { newLatencies, percentileCurve } from './latencies.ts';
import type { Measured } from './measure.ts';

/** One repetition, and what the servers took for it. */
export interface Repetition extends Measured {
  readonly serverCpuUs: number | undefined;
}

export type RepeatedFields = Pick<Series, 'repetitions' | 'median' | 'spread' | 'percentiles' | 'timeline'>;

/** What all repetitions of a series say together, at least one: medians, the spread, the curve of all latencies, and the last timeline. */
export function seriesOf(repetitions: readonly Repetition[]): RepeatedFields {
  const last = repetitions.at(-1);
  if (last === undefined) throw new Error('a series without repetitions');
  const samples = repetitions.map(({ sample, serverCpuUs }) => ({ ...sample, serverCpuUs }));
  const rates = samples.map(({ operationsPerS }) => operationsPerS);
  const all = newLatencies();
  for (const { latencies } of repetitions) all.add(latencies);
  return {
    repetitions: samples,
    median: medianSample(samples),
    spread: { minPerS: Math.min(...rates), maxPerS: Math.max(...rates) },
    percentiles: percentileCurve(all),
    timeline: last.timeline,
  };
}

/** Each figure's own median; but errors are added up and the maximum is the highest of all, since a median would hide those of a single repetition. */
export function medianSample(samples: readonly Sample[]): Sample {
  const of = (read: (sample: Sample) => number): number => median(samples.map(read));
  const serverCpu = samples.flatMap(({ serverCpuUs }) => serverCpuUs ?? []);
  return {
    seconds: of(({ seconds }) => seconds),
    operationsPerS: of(({ operationsPerS }) => operationsPerS),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p90Ms: of(({ p90Ms }) => p90Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    p999Ms: of(({ p999Ms }) => p999Ms),
    maxMs: Math.max(...samples.map(({ maxMs }) => maxMs)),
    errors: sumOfErrors(samples),
    serverCpuUs: serverCpu.length === 0 ? undefined : median(serverCpu),
    clientCpuUs: of(({ clientCpuUs }) => clientCpuUs),
  };
}

function sumOfErrors(samples: readonly Sample[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { errors } of samples) {
    for (const [why, count] of Object.entries(errors)) sum[why] = (sum[why] ?? 0) + count;
  }
  return sum;
}
