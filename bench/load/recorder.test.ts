import { describe, expect, it } from 'vitest';
import { Recorder } from './recorder.ts';

const window = { startMs: 1000, endMs: 3000 };

describe('what is recorded', () => {
  it('is what began within the window: its start belongs to it, its end does not', () => {
    const recorder = new Recorder(window);
    for (const startMs of [999.9, 1000, 2999.9, 3000]) {
      recorder.succeeded(startMs, 5);
      recorder.failed(startMs, '503');
    }
    expect(recorder.latencies.totalCount).toBe(2);
    expect(recorder.sample(0).errors).toEqual({ '503': 2 });
  });

  it('has in its rate what ended within the window, and in its latencies what began there', () => {
    const recorder = new Recorder(window);
    recorder.succeeded(500, 600);
    recorder.succeeded(1500, 10);
    recorder.succeeded(2900, 7000);
    const sample = recorder.sample(60);
    expect(sample).toMatchObject({ operationsPerS: 1, clientCpuUs: 30 });
    expect(sample.maxMs).toBeCloseTo(7000, -2);
    expect(sample.p50Ms).toBeCloseTo(10, 0);
  });

  it('is told second by second', () => {
    const recorder = new Recorder(window);
    recorder.succeeded(1100, 1);
    recorder.succeeded(2100, 10);
    recorder.succeeded(2200, 10);
    recorder.failed(2300, 'timeout');
    const [first, second] = recorder.timeline();
    expect(first).toMatchObject({ second: 0, operations: 1, errors: 0 });
    expect(first?.p50Ms).toBeCloseTo(1, 1);
    expect(second).toMatchObject({ second: 1, operations: 2, errors: 1 });
    expect(second?.p99Ms).toBeCloseTo(10, 0);
  });

  it('has rates of the whole window, errors by what came, and costs by the operation', () => {
    const recorder = new Recorder(window);
    for (let i = 0; i < 100; i++) recorder.succeeded(1500, i < 99 ? 2 : 50);
    recorder.failed(1500, '503');
    recorder.failed(1500, 'timeout');
    recorder.failed(1600, '503');
    const sample = recorder.sample(3000);
    expect(sample).toMatchObject({ seconds: 2, operationsPerS: 50, p50Ms: 2, p90Ms: 2, p99Ms: 2, clientCpuUs: 30 });
    expect(sample.maxMs).toBeCloseTo(50, 0);
    expect(sample.errors).toEqual({ '503': 2, timeout: 1 });
  });

  it('has a second for each of its seconds, whatever the clock showed at its start', () => {
    const startMs = 71.919;
    const endMs = startMs + 1000;
    expect(endMs - startMs).toBeGreaterThan(1000);
    const recorder = new Recorder({ startMs, endMs });
    expect(recorder.timeline()).toHaveLength(1);
    expect(recorder.sample(0).seconds).toBe(1);
  });

  it('may be nothing', () => {
    const sample = new Recorder(window).sample(500);
    expect(sample).toMatchObject({ operationsPerS: 0, p50Ms: 0, maxMs: 0, errors: {}, clientCpuUs: 0 });
  });
});
