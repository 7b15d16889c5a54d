import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logIndex } from '../ids.ts';
import { Progress } from './progress.ts';

const probing = (match: number, next: number, inflightMax = 2): Progress =>
  new Progress(logIndex(match), logIndex(next), inflightMax);

function replicating(match: number, inflightMax = 2): Progress {
  const progress = probing(match, match + 1, inflightMax);
  progress.becomeReplicate();
  return progress;
}

describe('probing', () => {
  it('sends one append at a time', () => {
    const progress = probing(0, 11);
    progress.sentAppend(1, logIndex(5));
    expect(progress.isPaused).toBe(true);
    progress.resume();
    expect([progress.isPaused, progress.next]).toEqual([false, 11]);
  });

  it('goes back to the hint, but not behind what is known to agree, nor for an old answer', () => {
    const progress = probing(4, 11);
    expect(progress.rejected(logIndex(9), logIndex(5))).toBe(false);
    expect(progress.rejected(logIndex(10), logIndex(7))).toBe(true);
    expect(progress.next).toBe(8);
    expect(progress.rejected(logIndex(7), logIndex(1))).toBe(true);
    expect(progress.next).toBe(5);
  });
});

describe('replicating', () => {
  it('streams ahead until the window is full, and goes on when the first is answered', () => {
    const progress = replicating(10);
    progress.sentAppend(3, logIndex(10));
    expect([progress.next, progress.isPaused]).toEqual([14, false]);
    progress.sentAppend(1, logIndex(10));
    expect([progress.next, progress.isPaused, progress.inflightCount]).toEqual([15, true, 2]);
    expect(progress.accepted(logIndex(13))).toBe(true);
    expect([progress.match, progress.isPaused, progress.inflightCount]).toEqual([13, false, 1]);
    expect(progress.accepted(logIndex(12))).toBe(false);
    expect(progress.match).toBe(13);
  });

  it('falls back to probing after what agrees when an append is refused, but not for an old answer', () => {
    const progress = replicating(10);
    progress.sentAppend(3, logIndex(10));
    expect(progress.rejected(logIndex(10), logIndex(3))).toBe(false);
    expect(progress.rejected(logIndex(13), logIndex(11))).toBe(true);
    expect([progress.state, progress.next, progress.inflightCount]).toEqual(['probe', 11, 0]);
  });

  it('lacks a commit only while no message under way tells of it', () => {
    const progress = replicating(10);
    progress.sentAppend(1, logIndex(9));
    expect(progress.lacksCommit(logIndex(11))).toBe(true);
    progress.sentAppend(0, logIndex(11));
    expect(progress.lacksCommit(logIndex(11))).toBe(false);
  });
});

describe('a snapshot under way', () => {
  it('holds everything back until it is reported, and then until the follower is heard', () => {
    const progress = probing(0, 3);
    progress.becomeSnapshot(logIndex(20));
    progress.resume();
    expect([progress.state, progress.isPaused, progress.pendingSnapshot]).toEqual(['snapshot', true, 20]);
    progress.snapshotReported(true);
    expect([progress.state, progress.next, progress.isPaused]).toEqual(['probe', 21, true]);
  });

  it('that failed begins the probing again where it was', () => {
    const progress = probing(2, 3);
    progress.becomeSnapshot(logIndex(20));
    progress.snapshotReported(false);
    expect([progress.state, progress.next, progress.isPaused]).toEqual(['probe', 3, true]);
  });

  it('is taken for lost after a whole interval without any news', () => {
    const progress = probing(2, 3);
    progress.becomeSnapshot(logIndex(20));
    progress.intervalPassed();
    expect(progress.state).toBe('snapshot');
    progress.intervalPassed();
    expect([progress.state, progress.next, progress.isPaused]).toEqual(['probe', 3, true]);
  });

  it('is not disturbed by the rejection of an earlier append', () => {
    const progress = probing(0, 3);
    progress.becomeSnapshot(logIndex(20));
    expect(progress.rejected(logIndex(20), logIndex(1))).toBe(false);
    expect(progress.next).toBe(21);
  });
});

describe('progress', () => {
  it('never forgets what agrees, never holds more in flight than allowed, and always has match below next', () => {
    const act = fc.record({ what: fc.nat(7), index: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const progress = probing(0, 11, 3);
        for (const { what, index } of acts) {
          const before = progress.match;
          if (what === 0) progress.becomeProbe();
          if (what === 1) progress.becomeReplicate();
          if (what === 2) progress.becomeSnapshot(logIndex(Math.max(index, before)));
          if (what === 3 && progress.state === 'snapshot') progress.snapshotReported(index % 2 === 0);
          if (what === 4) progress.resume();
          if (what === 5) progress.accepted(logIndex(Math.min(index, progress.next - 1)));
          if (what === 6) progress.rejected(logIndex(index), logIndex(index - 1));
          if (what === 7 && !progress.isPaused) progress.sentAppend(progress.isInflightFull ? 0 : 1, logIndex(index));
          expect(progress.match).toBeGreaterThanOrEqual(before);
          expect(progress.next).toBeGreaterThan(progress.match);
          expect(progress.inflightCount).toBeLessThanOrEqual(3);
        }
      }),
    );
  });
});
