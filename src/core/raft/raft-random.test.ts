import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RaftChaos } from '../../../test/raft/raft-chaos.ts';

/** A long run asks for thousands of schedules; a failure prints the seed and the shortest schedule that still fails. */
const runs = Number(process.env.QUORATE_RAFT_RUNS ?? 60);
const step = fc.record({ choice: fc.nat(999), a: fc.nat(59), b: fc.nat(9_999) });

describe('raft under random schedules', () => {
  it.each([3, 4, 5])(
    'keeps its promises among %i machines and agrees again when the faults end',
    (count) => {
      const sum = { leaders: 0, applied: 0, crashes: 0, snapshots: 0, reads: 0, lostReadies: 0 };
      fc.assert(
        fc.property(fc.array(step, { minLength: 600, maxLength: 1_200, size: 'max' }), (steps) => {
          const chaos = new RaftChaos(count);
          chaos.run(steps);
          chaos.heal();
          sum.leaders += chaos.safety.leadersSeen;
          sum.applied += chaos.safety.highestApplied - 10;
          for (const key of ['crashes', 'snapshots', 'reads', 'lostReadies'] as const) sum[key] += chaos.reached[key];
        }),
        { numRuns: runs },
      );
      // A schedule that reaches nothing interesting proves nothing.
      for (const [what, times] of Object.entries(sum)) expect(times, what).toBeGreaterThan(runs / 10);
    },
    600_000,
  );
});
