import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logIndex } from '../ids.ts';
import { raftId } from '../raft/types.ts';
import { createCommand, grantCommand, History, n1, n2 } from './cluster-builders.ts';
import type { ClusterState, MetadataConfiguration } from './cluster-state.ts';
import { laterRaftId, nextConfiguration, stepProblem, VOTERS_MAX } from './metadata-configuration.ts';

const everyone = () => true;
const nobody = () => false;
const readmit = (replaces: string, store: string, member = n2) => ({
  kind: 'readmit' as const,
  member,
  replaces,
  store,
});

/** Takes every step that is due, with what each gives. */
function steps(history: History, isCaughtUp: (id: number) => boolean): MetadataConfiguration[] {
  const taken: MetadataConfiguration[] = [];
  for (let to = next(); to !== undefined; to = next()) {
    history.apply({ kind: 'reconfigure', from: history.present.metadata, to });
    taken.push(to);
  }
  return taken;

  function next(): MetadataConfiguration | undefined {
    return nextConfiguration(history.present, isCaughtUp);
  }
}

describe('a member that is readmitted', () => {
  it('has another folder, no starts and a Raft id that was never given', () => {
    const history = new History(createCommand(), grantCommand('a', [], { member: n2, store: 'old' }));
    history.apply(readmit('old', 'new'));
    expect(history.member('n2')).toMatchObject({ store: 'new', starts: [], raft: laterRaftId(logIndex(4)), grant: 3 });
    expect(history.apply(grantCommand('b', [], { member: n2, store: 'new' }))).toMatchObject({
      kind: 'granted',
      grant: 5,
    });
  });

  it('is readmitted once with the same folder, and not in the place of one that it does not name', () => {
    const history = new History(createCommand(), grantCommand('a', [], { member: n2, store: 'old' }));
    expect(history.apply(readmit('older', 'new'))).toMatchObject({ kind: 'refused', reason: 'other-store' });
    history.apply(readmit('old', 'new'));
    const before = history.state;
    expect(history.apply(readmit('old', 'new')).kind).toBe('done');
    expect(history.state).toBe(before);
  });

  it('keeps its Raft id when the folder is its first, and does so once', () => {
    const history = new History(createCommand());
    history.apply(readmit('', 'first'));
    expect(history.member('n2')).toMatchObject({ store: 'first', raft: 2 });
    expect(history.apply(readmit('', 'second'))).toMatchObject({ kind: 'refused', reason: 'other-store' });
    history.apply(readmit('first', 'second'));
    expect(history.member('n2')).toMatchObject({ store: 'second', raft: laterRaftId(logIndex(5)) });
  });

  it('gives up its vote at once, learns, and votes again when it has caught up', () => {
    const history = new History(createCommand(), grantCommand('a', [], { member: n2, store: 'old' }));
    history.apply(readmit('old', 'new'));
    const id = history.member('n2')?.raft;
    expect(steps(history, nobody)).toEqual([{ voters: [1, 3], learners: [id] }]);
    expect(steps(history, everyone)).toEqual([{ voters: [1, 3, id], learners: [] }]);
  });

  it('gives up the later id as well when it loses its folder again', () => {
    const history = new History(createCommand(), grantCommand('a', [], { member: n2, store: 'old' }));
    history.apply(readmit('old', 'new'));
    const first = history.member('n2')?.raft;
    steps(history, nobody);
    history.apply(readmit('new', 'newer'));
    const second = history.member('n2')?.raft;
    expect(second).toBeGreaterThan(first ?? 0);
    expect(steps(history, nobody)).toEqual([{ voters: [1, 3], learners: [second] }]);
  });
});

describe('a step of the metadata group', () => {
  it('is refused when the group has changed since it was planned, or changes two voters', () => {
    const history = new History(createCommand());
    const { metadata } = history.present;
    const ids = (...numbers: number[]) => numbers.map(raftId);
    expect(history.apply({ kind: 'reconfigure', from: metadata, to: { voters: ids(1), learners: [] } })).toMatchObject({
      reason: 'invalid',
      detail: 'more than one voter changed',
    });
    history.apply({ kind: 'reconfigure', from: metadata, to: { voters: ids(1, 3), learners: [] } });
    expect(
      history.apply({ kind: 'reconfigure', from: metadata, to: { voters: ids(1, 2), learners: [] } }),
    ).toMatchObject({
      reason: 'moved',
    });
  });

  it.each([
    ['nobody votes', { voters: [], learners: [1] }],
    ['somebody votes and learns', { voters: [1, 2, 3], learners: [3] }],
    ['somebody votes twice', { voters: [1, 1, 2, 3], learners: [] }],
  ])('is refused when %s', (_, { voters, learners }) => {
    const from = { voters: [1].map(raftId), learners: [] };
    expect(stepProblem(from, { voters: voters.map(raftId), learners: learners.map(raftId) })).toBeDefined();
  });

  it('changes one voter at most, and the last of them gives the first members their votes, whoever was readmitted when (laws 1-3)', () => {
    const event = fc.record({ member: fc.constantFrom(n1, n2), isCaughtUp: fc.boolean() });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        const history = new History(createCommand());
        for (const [i, { member, isCaughtUp }] of events.entries()) {
          history.apply(readmit(history.member(member)?.store ?? '', `folder ${i}`, member));
          let before = history.present.metadata;
          for (const step of steps(history, () => isCaughtUp)) {
            expect(stepProblem(before, step)).toBeUndefined();
            before = step;
          }
        }
        steps(history, everyone);
        const { members, metadata }: ClusterState = history.present;
        const ids = members.slice(0, VOTERS_MAX).map(({ raft }) => raft);
        expect([...metadata.voters].sort()).toEqual(ids.toSorted());
        expect(metadata.learners).toEqual([]);
      }),
    );
  });
});
