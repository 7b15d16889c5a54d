import { describe, expect, it } from 'vitest';
import { type NodeId, nodeId } from '../core/ids.ts';
import { type WriteBackTask, writeBack } from './write-back.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(nodeId) as [NodeId, NodeId, NodeId, NodeId];

/** Who was sent it, how they report back, and what came out. */
function begin(task: Omit<WriteBackTask, 'bring'>, atOnce: ReadonlyMap<NodeId, string | undefined> = new Map()) {
  const reports = new Map<NodeId, (failure: string | undefined) => void>();
  const outcomes: boolean[] = [];
  const bring = (owner: NodeId, done: (failure: string | undefined) => void): void => {
    reports.set(owner, done);
    if (atOnce.has(owner)) done(atOnce.get(owner));
  };
  writeBack({ ...task, bring }, (isEnough) => outcomes.push(isEnough));
  return {
    outcomes,
    sent: () => [...reports.keys()],
    report: (owner: NodeId, why?: string) => reports.get(owner)?.(why),
  };
}

describe('a write-back', () => {
  it('goes to all that are behind, and is done when enough have it', () => {
    const { outcomes, sent, report } = begin({ needed: 1, behind: [a, b], spare: [c] });
    expect(sent()).toEqual([a, b]);
    expect(outcomes).toEqual([]);
    report(b);
    expect(outcomes).toEqual([true]);
    report(a, 'lost');
    expect(sent()).toEqual([a, b]);
    expect(outcomes).toEqual([true]);
  });

  it('turns to another owner for each that fails', () => {
    const { outcomes, sent, report } = begin({ needed: 2, behind: [a, b], spare: [c, d] });
    report(a, 'lost');
    report(b);
    expect(sent()).toEqual([a, b, c]);
    report(c, 'lost');
    expect(sent()).toEqual([a, b, c, d]);
    report(d);
    expect(outcomes).toEqual([true]);
  });

  it('has failed as soon as too few are left', () => {
    const { outcomes, report } = begin({ needed: 2, behind: [a, b], spare: [] });
    report(b, 'lost');
    expect(outcomes).toEqual([false]);
    report(a);
    expect(outcomes).toEqual([false]);
  });

  it('may hear of an owner at once', () => {
    expect(begin({ needed: 2, behind: [a, b], spare: [] }, new Map([[a, undefined]])).outcomes).toEqual([]);
    expect(begin({ needed: 1, behind: [a, b], spare: [] }, new Map([[a, undefined]])).outcomes).toEqual([true]);
    expect(begin({ needed: 1, behind: [a], spare: [] }, new Map([[a, 'full']])).outcomes).toEqual([false]);
    const { outcomes, sent } = begin({ needed: 1, behind: [a], spare: [b] }, new Map([[a, 'full']]));
    expect([outcomes, sent()]).toEqual([[], [a, b]]);
  });
});
