import { describe, expect, it } from 'vitest';
import { ids, voters } from '../../../test/raft/raft-network.ts';
import { logIndex } from '../ids.ts';
import { InvariantViolation } from '../invariant.ts';
import { Progress } from './progress.ts';
import { Tracker } from './tracker.ts';
import { raftId } from './types.ts';

const joint = { voters: ids(1, 2, 3), outgoing: ids(3, 4, 5), learners: ids(6) };
const following = (tracker: Tracker): Tracker => {
  tracker.resetProgress((id) => new Progress(logIndex(id * 10), logIndex(id * 10 + 1), 4));
  return tracker;
};

describe('tracker', () => {
  it('names everyone once, and tells voters of either set from learners', () => {
    const tracker = new Tracker(joint);
    expect(tracker.members).toEqual([1, 2, 3, 4, 5, 6]);
    expect(tracker.voters).toEqual([1, 2, 3, 4, 5]);
    expect([tracker.isMember(raftId(6)), tracker.isVoter(raftId(6)), tracker.isMember(raftId(7))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('commits what both majorities have, learners not counted', () => {
    expect(following(new Tracker(joint)).matchedByQuorum()).toBe(20);
    expect(following(new Tracker({ ...joint, outgoing: [] })).matchedByQuorum()).toBe(20);
    expect(following(new Tracker({ ...joint, voters: ids(4, 5), outgoing: [] })).matchedByQuorum()).toBe(40);
  });

  it('an election needs both majorities, and the first answer of each voter counts', () => {
    const tracker = new Tracker(joint);
    for (const id of ids(1, 2, 6)) tracker.recordVote(id, true);
    expect(tracker.tally()).toBe('pending');
    tracker.recordVote(raftId(4), false);
    tracker.recordVote(raftId(4), true);
    tracker.recordVote(raftId(3), true);
    expect(tracker.tally()).toBe('pending');
    tracker.recordVote(raftId(5), true);
    expect(tracker.tally()).toBe('won');
  });

  it('asks for activity anew each time, and counts the leader itself as active', () => {
    const tracker = following(new Tracker(voters(1, 2, 3)));
    const second = tracker.progress(raftId(2));
    if (second !== undefined) second.recentlyActive = true;
    expect(tracker.takeQuorumActivity(raftId(1))).toBe(true);
    expect(tracker.takeQuorumActivity(raftId(1))).toBe(false);
  });

  it('forgets the progress of those who leave', () => {
    const tracker = following(new Tracker(joint));
    tracker.reconfigure(voters(1, 2));
    expect(tracker.members).toEqual([1, 2]);
    expect(tracker.progress(raftId(6))).toBeUndefined();
    expect(tracker.progress(raftId(1))?.match).toBe(10);
  });

  it('accepts nobody twice, and no learner who votes', () => {
    expect(() => new Tracker(voters(1, 1))).toThrow(InvariantViolation);
    expect(() => new Tracker({ ...joint, learners: ids(4) })).toThrow(InvariantViolation);
  });
});
