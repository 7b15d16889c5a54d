import { describe, expect, it } from 'vitest';
import { PullPace } from './pull-pace.ts';

const pauses = (pace: PullPace, count: number, foreground: number): readonly number[] =>
  Array.from({ length: count }, () => pace.pauseAfter(0, foreground));

describe('the pace of a pull', () => {
  it('is quick while nothing else is under way', () => {
    expect(pauses(new PullPace(), 4, 0)).toEqual([2, 1, 1, 1]);
  });

  it('falls off with each look that finds requests under way, to a bound, and recovers', () => {
    const pace = new PullPace();
    expect(pauses(pace, 4, 3)).toEqual([8, 16, 16, 16]);
    expect(pauses(pace, 5, 0)).toEqual([8, 4, 2, 1, 1]);
  });

  it('never exceeds 16 MiB a second', () => {
    expect(new PullPace().pauseAfter(1 << 20, 0)).toBe(62.5);
  });
});
