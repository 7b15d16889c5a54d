import { describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';

describe('ManualClock', () => {
  it('moves only when told to', () => {
    const clock = new ManualClock(1_000_000);
    expect([clock.monotonicMs(), clock.wallMs()]).toEqual([0, 1_000_000]);
    clock.advance(250);
    expect([clock.monotonicMs(), clock.wallMs()]).toEqual([250, 1_000_250]);
  });

  it('runs a task with the clock at exactly its time (1)', () => {
    const clock = new ManualClock();
    const ranAt: number[] = [];
    clock.after(30, () => ranAt.push(clock.monotonicMs()));
    clock.after(10, () => ranAt.push(clock.monotonicMs()));
    clock.advance(29);
    expect(ranAt).toEqual([10]);
    clock.advance(100);
    expect(ranAt).toEqual([10, 30]);
    expect(clock.monotonicMs()).toBe(129);
  });

  it('runs tasks of one time in the order they were set (1)', () => {
    const clock = new ManualClock();
    const ran: string[] = [];
    for (const name of ['a', 'b', 'c']) clock.after(5, () => ran.push(name));
    clock.advance(5);
    expect(ran).toEqual(['a', 'b', 'c']);
  });

  it('runs what tasks set on the way when it falls due (2)', () => {
    const clock = new ManualClock();
    const ticks: number[] = [];
    const tick = (): void => {
      ticks.push(clock.monotonicMs());
      clock.after(10, tick);
    };
    clock.after(10, tick);
    clock.advance(35);
    expect(ticks).toEqual([10, 20, 30]);
    expect(clock.waiting).toBe(1);
  });

  it('lets a task cancel one that is due at the same time', () => {
    const clock = new ManualClock();
    const ran: string[] = [];
    clock.after(5, () => {
      ran.push('first');
      second.cancel();
    });
    const second = clock.after(5, () => ran.push('second'));
    clock.advance(5);
    expect(ran).toEqual(['first']);
  });

  it('corrects the wall time without touching the monotonic time or the timers', () => {
    const clock = new ManualClock(5_000);
    let ran = false;
    clock.after(10, () => {
      ran = true;
    });
    clock.setWallMs(1);
    expect([clock.wallMs(), clock.monotonicMs(), ran]).toEqual([1, 0, false]);
    clock.advance(10);
    expect([clock.wallMs(), ran]).toEqual([11, true]);
  });

  it('does not go back', () => {
    expect(() => new ManualClock().advance(-1)).toThrow('go back');
  });
});
