import { describe, expect, it } from 'vitest';
import { memberNumber } from '../ids.ts';
import { ReadTracker } from './read-tracker.ts';

const OWNERS = [1, 2, 3].map(memberNumber);

describe('ReadTracker', () => {
  it('is met by r owners that answered', () => {
    const tracker = readOf(2);
    expect(answered(tracker, 1)).toBe('pending');
    expect(answered(tracker, 3)).toBe('met');
    expect(tracker.counts()).toEqual({ required: 2, owners: 2, fallbacks: 0 });
  });

  it('hopes for owners that were not asked yet', () => {
    const tracker = readOf(2);
    tracker.ask(memberNumber(1));
    tracker.ask(memberNumber(2));
    expect(failed(tracker, 1)).toBe('pending');
    expect(failed(tracker, 2)).toBe('failed');
  });

  it('reports as pending only whom it has asked', () => {
    const tracker = readOf(2);
    tracker.ask(memberNumber(1));
    tracker.ask(memberNumber(2));
    answered(tracker, 2);
    tracker.ask(memberNumber(2));
    expect(tracker.report()).toEqual({ acked: [2], failed: [], pending: [1] });
  });

  it('counts a fallback that holds a hint, for its owner', () => {
    const tracker = readOf(2);
    tracker.standIn(memberNumber(9), memberNumber(1));
    failed(tracker, 1);
    expect(tracker.add({ kind: 'answered', node: memberNumber(9), holdsHint: true })).toBe('pending');
    expect(answered(tracker, 2)).toBe('met');
    expect(tracker.counts()).toEqual({ required: 2, owners: 1, fallbacks: 1 });
  });

  it('does not take the word of a fallback without a hint that there is nothing', () => {
    const tracker = readOf(3);
    tracker.standIn(memberNumber(9), memberNumber(1));
    failed(tracker, 1);
    expect(tracker.add({ kind: 'answered', node: memberNumber(9), holdsHint: false })).toBe('failed');
    expect(tracker.report().failed).toEqual([
      { node: 1, reason: 'down' },
      { node: 9, reason: 'no-hint' },
    ]);
    const silent = readOf(3);
    silent.standIn(memberNumber(9), memberNumber(1));
    failed(silent, 1);
    expect(answered(silent, 9)).toBe('failed');
  });

  it('never counts a fallback towards pr (H9)', () => {
    const tracker = readOf(2, 2);
    tracker.standIn(memberNumber(9), memberNumber(1));
    tracker.add({ kind: 'answered', node: memberNumber(9), holdsHint: true });
    expect(answered(tracker, 2)).toBe('pending');
    expect(failed(tracker, 3)).toBe('pending');
    expect(failed(tracker, 1)).toBe('failed');
  });

  it('can be of several sets', () => {
    const quorum = { total: 1, owners: 0 };
    const tracker = new ReadTracker([
      { owners: [memberNumber(1)], quorum },
      { owners: [memberNumber(2)], quorum },
    ]);
    expect(answered(tracker, 1)).toBe('pending');
    expect(answered(tracker, 2)).toBe('met');
  });

  it('has failed from the start when there are fewer owners than needed', () => {
    expect(readOf(4).outcome).toBe('failed');
  });
});

function readOf(r: number, pr = 0): ReadTracker {
  return new ReadTracker([{ owners: OWNERS, quorum: { total: r, owners: pr } }]);
}

function answered(tracker: ReadTracker, node: number): string {
  return tracker.add({ kind: 'answered', node: memberNumber(node) });
}

function failed(tracker: ReadTracker, node: number): string {
  return tracker.add({ kind: 'failed', node: memberNumber(node), reason: 'down' });
}
