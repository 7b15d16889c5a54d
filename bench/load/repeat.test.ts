import { describe, expect, it } from 'vitest';
import { newLatencies, percentileCurve, recordMs } from './latencies.ts';
import { Recorder } from './recorder.ts';
import { type Repetition, seriesOf } from './repeat.ts';

/** A repetition of one second in which each of the latencies was seen once. */
function repetition(latenciesMs: readonly number[], changes: Partial<Repetition> = {}): Repetition {
  const recorder = new Recorder({ startMs: 0, endMs: 1000 });
  for (const ms of latenciesMs) recorder.succeeded(1, ms);
  const { latencies } = recorder;
  const sample = recorder.sample(100);
  const rest = { percentiles: percentileCurve(latencies), timeline: recorder.timeline(), latencies };
  return { sample, serverCpuUs: undefined, ...rest, ...changes };
}

describe('several repetitions', () => {
  it('are shown by the median of each figure and the spread of the rate', () => {
    const series = seriesOf([repetition([9, 9]), repetition([1, 1, 1, 1]), repetition([5, 5, 5])]);
    expect(series.repetitions).toHaveLength(3);
    expect(series.median).toMatchObject({ operationsPerS: 3, seconds: 1 });
    expect(series.median.p50Ms).toBeCloseTo(5, 1);
    expect(series.spread).toEqual({ minPerS: 2, maxPerS: 4 });
  });

  it('have the curve of all latencies together, and the last timeline', () => {
    const first = repetition(Array.from({ length: 90 }, () => 1));
    const second = repetition(Array.from({ length: 10 }, () => 64));
    const series = seriesOf([first, second]);
    const all = newLatencies();
    for (let i = 0; i < 100; i++) recordMs(all, i < 90 ? 1 : 64);
    expect(series.percentiles).toEqual(percentileCurve(all));
    expect(series.timeline).toEqual(second.timeline);
  });

  it('keep the longest latency of all of them', () => {
    const { median: middle } = seriesOf([repetition([1]), repetition([1, 80]), repetition([2])]);
    expect(middle.maxMs).toBeCloseTo(80, 0);
  });

  it('add their errors up', () => {
    const { sample } = repetition([1]);
    const withErrors = (errors: Record<string, number>) => repetition([1], { sample: { ...sample, errors } });
    const series = seriesOf([withErrors({ '503': 2 }), withErrors({}), withErrors({ '503': 1, timeout: 1 })]);
    expect(series.median.errors).toEqual({ '503': 3, timeout: 1 });
  });

  it('know the processor time of the servers where it was watched', () => {
    expect(seriesOf([repetition([1])]).median.serverCpuUs).toBeUndefined();
    const watched = [10, 30, 20].map((serverCpuUs) => repetition([1], { serverCpuUs }));
    expect(seriesOf(watched).median.serverCpuUs).toBe(20);
  });

  it('are at least one', () => {
    expect(() => seriesOf([])).toThrow('without repetitions');
  });
});
