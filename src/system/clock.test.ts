import { describe, expect, it } from 'vitest';
import type { Clock } from '../ports.ts';
import { ManualClock } from './manual-clock.ts';
import { systemClock } from './system-clock.ts';

interface Subject {
  readonly clock: Clock;
  /** Lets at least `ms` pass. */
  readonly pass: (ms: number) => Promise<void>;
}

/** What the Clock port promises, for every implementation. */
describe.each<{ name: string; make: () => Subject }>([
  { name: 'systemClock', make: systemSubject },
  { name: 'ManualClock', make: manualSubject },
])('$name as a Clock', ({ make }) => {
  it('runs a task once, never before its call has returned', async () => {
    const { clock, pass } = make();
    let runs = 0;
    clock.after(0, () => runs++);
    expect(runs).toBe(0);
    await pass(2);
    await pass(2);
    expect(runs).toBe(1);
  });

  it('runs tasks in the order of their times', async () => {
    const { clock, pass } = make();
    const ran: string[] = [];
    clock.after(6, () => ran.push('late'));
    clock.after(2, () => ran.push('early'));
    await pass(6);
    expect(ran).toEqual(['early', 'late']);
  });

  it('does not run a cancelled task', async () => {
    const { clock, pass } = make();
    let ran = false;
    const timer = clock.after(1, () => {
      ran = true;
    });
    timer.cancel();
    timer.cancel();
    await pass(2);
    expect(ran).toBe(false);
  });

  it('takes cancelling a task that has run for nothing', async () => {
    const { clock, pass } = make();
    const timer = clock.after(0, () => undefined);
    await pass(2);
    expect(() => timer.cancel()).not.toThrow();
  });

  it('does not run a task of the far future at once', async () => {
    const { clock, pass } = make();
    let ran = false;
    const timer = clock.after(2 ** 40, () => {
      ran = true;
    });
    await pass(3);
    timer.cancel();
    expect(ran).toBe(false);
  });

  it('never goes back', async () => {
    const { clock, pass } = make();
    const before = clock.monotonicMs();
    await pass(1);
    expect(clock.monotonicMs()).toBeGreaterThan(before);
  });

  it('tells people the time in ms since 1970', () => {
    const { clock } = make();
    expect(new Date(clock.wallMs()).getUTCFullYear()).toBeGreaterThanOrEqual(2020);
  });
});

/** Waits by a timer set after those under test, which therefore run first if they are due no later. */
function systemSubject(): Subject {
  const pass = (ms: number): Promise<void> => new Promise((resolve) => systemClock.after(ms, resolve));
  return { clock: systemClock, pass };
}

function manualSubject(): Subject {
  const clock = new ManualClock();
  return { clock, pass: async (ms) => clock.advance(ms) };
}
