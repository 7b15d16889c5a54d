import { describe, expect, it } from 'vitest';
import { type MemberNumber, memberNumber } from '../ids.ts';
import type { OwnerSet } from './reply-tally.ts';
import { type WriteReply, WriteTracker } from './write-tracker.ts';

describe('WriteTracker', () => {
  it.each([
    { n: 1, w: 1, replies: '1+', outcomes: 'met' },
    { n: 1, w: 1, replies: '1-', outcomes: 'failed' },
    { n: 3, w: 1, replies: '2+', outcomes: 'met' },
    { n: 3, w: 2, replies: '1+ 3+', outcomes: 'pending met' },
    { n: 3, w: 2, replies: '1- 2+ 3+', outcomes: 'pending pending met' },
    { n: 3, w: 2, replies: '1+ 2- 3-', outcomes: 'pending pending failed' },
    { n: 3, w: 2, replies: '1- 2-', outcomes: 'pending failed' },
    { n: 3, w: 3, replies: '2-', outcomes: 'failed' },
    { n: 3, w: 3, replies: '1+ 2+ 3+', outcomes: 'pending pending met' },
    { n: 5, w: 3, replies: '5+ 1- 4+ 2- 3+', outcomes: 'pending pending pending pending met' },
    { n: 5, w: 3, replies: '1- 2- 3-', outcomes: 'pending pending failed' },
    { n: 5, w: 1, replies: '1- 2- 3- 4- 5-', outcomes: 'pending pending pending pending failed' },
  ])('n=$n w=$w: $replies -> $outcomes', ({ n, w, replies, outcomes }) => {
    const tracker = new WriteTracker([setOf(range(n), w)]);
    expect(addAll(tracker, replies)).toBe(outcomes);
  });

  it('counts a node once however often it answers, and by its first answer', () => {
    expect(addAll(new WriteTracker([setOf([1, 2, 3], 2)]), '1+ 1+ 1- 1+ 2+')).toBe(
      'pending pending pending pending met',
    );
    expect(addAll(new WriteTracker([setOf([1, 2, 3], 2)]), '1- 1+ 2+ 3+')).toBe('pending pending pending met');
  });

  it('stays met or failed whatever comes later', () => {
    expect(addAll(new WriteTracker([setOf([1, 2, 3], 1)]), '1+ 2- 3-')).toBe('met met met');
    expect(addAll(new WriteTracker([setOf([1, 2, 3], 3)]), '1- 2+ 3+')).toBe('failed failed failed');
  });

  it('stays failed when a fallback is named too late', () => {
    const tracker = new WriteTracker([setOf([1], 1)]);
    expect(addAll(tracker, '1-')).toBe('failed');
    tracker.standIn(memberNumber(9), memberNumber(1));
    expect(addAll(tracker, '9+')).toBe('failed');
  });

  it('has failed from the start when there are fewer owners than needed', () => {
    expect(new WriteTracker([setOf([1, 2], 3)]).outcome).toBe('failed');
    expect(new WriteTracker([setOf([1, 2, 3], 2), setOf([], 1)]).outcome).toBe('failed');
  });

  it('takes a fallback for the owner that it stands in for', () => {
    const tracker = new WriteTracker([setOf([1, 2, 3], 3)]);
    tracker.standIn(memberNumber(9), memberNumber(3));
    expect(addAll(tracker, '3- 1+ 2+ 9+')).toBe('pending pending pending met');
    expect(tracker.counts()).toEqual({ required: 3, owners: 2, fallbacks: 1 });
  });

  it('fails when owner and fallback are both lost', () => {
    const tracker = new WriteTracker([setOf([1, 2], 2)]);
    tracker.standIn(memberNumber(9), memberNumber(2));
    expect(addAll(tracker, '2- 9-')).toBe('pending failed');
  });

  it('hopes for a second fallback when the first is lost', () => {
    const tracker = new WriteTracker([setOf([1], 1)]);
    tracker.standIn(memberNumber(8), memberNumber(1));
    tracker.standIn(memberNumber(9), memberNumber(1));
    expect(addAll(tracker, '1- 8- 9+')).toBe('pending pending met');
  });

  it('gives one seat to an owner and its fallback together', () => {
    const tracker = new WriteTracker([setOf([1, 2, 3], 2)]);
    tracker.standIn(memberNumber(9), memberNumber(1));
    expect(addAll(tracker, '9+ 1+ 2+')).toBe('pending pending met');
    expect(tracker.counts()).toEqual({ required: 2, owners: 2, fallbacks: 0 });
  });

  it('never counts a fallback towards pw (H9)', () => {
    const tracker = new WriteTracker([setOf([1, 2, 3], 2, 2)]);
    tracker.standIn(memberNumber(9), memberNumber(1));
    expect(addAll(tracker, '9+ 2+ 3+')).toBe('pending pending met');
    const lost = new WriteTracker([setOf([1, 2, 3], 2, 2)]);
    lost.standIn(memberNumber(8), memberNumber(1));
    lost.standIn(memberNumber(9), memberNumber(2));
    expect(addAll(lost, '8+ 9+ 1- 2-')).toBe('pending pending pending failed');
  });

  it('needs its quorum in the old and in the new set', () => {
    const sets = [setOf([1, 2, 3], 2), setOf([3, 4, 5], 2)];
    expect(addAll(new WriteTracker(sets), '1+ 2+ 3+ 5+')).toBe('pending pending pending met');
    expect(addAll(new WriteTracker(sets), '3+ 1+ 4+')).toBe('pending pending met');
    expect(addAll(new WriteTracker(sets), '1+ 2+ 4- 5-')).toBe('pending pending pending failed');
  });

  it('takes a fallback in every set of the owner that it stands in for, and in no other', () => {
    const both = new WriteTracker([setOf([1, 2, 3], 3), setOf([2, 3, 4], 3)]);
    both.standIn(memberNumber(9), memberNumber(3));
    expect(addAll(both, '3- 1+ 2+ 4+ 9+')).toBe('pending pending pending pending met');
    const one = new WriteTracker([setOf([1, 2, 3], 3), setOf([2, 3, 4], 3)]);
    one.standIn(memberNumber(9), memberNumber(1));
    expect(addAll(one, '1- 2+ 3+ 9+ 4-')).toBe('pending pending pending pending failed');
  });

  it('takes quorums of different sizes when N changes', () => {
    const sets = [setOf([1, 2, 3], 2), setOf([1, 2, 3, 4, 5], 3)];
    expect(addAll(new WriteTracker(sets), '1+ 2+ 5+')).toBe('pending pending met');
    expect(addAll(new WriteTracker(sets), '4+ 5+ 3+ 2+')).toBe('pending pending pending met');
  });

  it('counts in the set that is furthest from its quorum', () => {
    const tracker = new WriteTracker([setOf([1, 2, 3], 2), setOf([3, 4, 5], 2)]);
    addAll(tracker, '1+ 2+ 3+');
    expect(tracker.counts()).toEqual({ required: 2, owners: 1, fallbacks: 0 });
    const other = new WriteTracker([setOf([1, 2, 3], 3), setOf([3, 4, 5], 1)]);
    addAll(other, '3+ 4+');
    expect(other.counts()).toEqual({ required: 3, owners: 1, fallbacks: 0 });
  });

  it('reports who acked, who failed and why, and of whom nothing was heard', () => {
    const tracker = new WriteTracker([setOf([1, 2, 3], 3)]);
    tracker.standIn(memberNumber(9), memberNumber(3));
    tracker.add({ kind: 'failed', node: memberNumber(3), reason: 'down' });
    tracker.add({ kind: 'failed', node: memberNumber(3), reason: 'timeout' });
    tracker.add({ kind: 'acked', node: memberNumber(9) });
    tracker.add({ kind: 'acked', node: memberNumber(1) });
    expect(tracker.report()).toEqual({ acked: [1, 9], failed: [{ node: 3, reason: 'down' }], pending: [2] });
  });

  it('is told only of nodes that were asked', () => {
    const tracker = new WriteTracker([setOf([1, 2, 3], 2)]);
    expect(() => tracker.add({ kind: 'acked', node: memberNumber(4) })).toThrow('not asked');
    expect(() => tracker.standIn(memberNumber(2), memberNumber(1))).toThrow('no owner');
    expect(() => tracker.standIn(memberNumber(9), memberNumber(4))).toThrow('not asked');
    expect(() => new WriteTracker([])).toThrow('some set');
  });
});

function setOf(owners: readonly number[], total: number, ofOwners = 0): OwnerSet {
  return { owners: owners.map(memberNumber), quorum: { total, owners: ofOwners } };
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index + 1);
}

/** `1+ 2-`: member 1 acks, then member 2 fails. Answers the outcomes one after another. */
function addAll(tracker: WriteTracker, replies: string): string {
  return replies
    .split(' ')
    .map((text) => tracker.add(replyOf(memberNumber(Number.parseInt(text, 10)), text.endsWith('+'))))
    .join(' ');
}

function replyOf(node: MemberNumber, acked: boolean): WriteReply {
  return acked ? { kind: 'acked', node } : { kind: 'failed', node, reason: 'down' };
}
