import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vectorsFolder } from '../../../test/vectors.ts';
import { reachedByQuorum, type VoteResult, voteOfQuorum } from './quorum.ts';
import { type RaftId, raftId } from './types.ts';

const folder = vectorsFolder();

interface Case {
  readonly file: string;
  readonly cmd: 'committed' | 'vote';
  readonly cfg?: readonly string[];
  readonly cfgj?: readonly string[];
  readonly idx?: readonly string[];
  readonly votes?: readonly string[];
  readonly result: string;
}

describe.skipIf(folder === undefined)('the quorum cases of etcd-io/raft', () => {
  const cases: readonly Case[] =
    folder === undefined ? [] : JSON.parse(readFileSync(join(folder, 'raft/quorum.json'), 'utf8')).cases;

  it('are all there', () => {
    expect(cases.length).toBe(127);
  });

  it.each(cases.map((each, number) => ({ number, ...each })))('$number $file: $result', (each) => {
    const sets = { voters: toIds(each.cfg), outgoing: toIds(each.cfgj) };
    const listed = [...sets.voters, ...sets.outgoing.filter((id) => !sets.voters.includes(id))];
    const said = (values: readonly string[] | undefined, id: RaftId): string => values?.[listed.indexOf(id)] ?? '_';
    if (each.cmd === 'committed') {
      const reached = reachedByQuorum(sets, (id) => Number(said(each.idx, id).replace('_', '0')));
      expect(reached === Number.POSITIVE_INFINITY ? '∞' : String(reached)).toBe(each.result);
    } else {
      const votes: Record<string, boolean | undefined> = { y: true, n: false };
      expect(NAMES[voteOfQuorum(sets, (id) => votes[said(each.votes, id)])]).toBe(each.result);
    }
  });
});

const NAMES: Record<VoteResult, string> = { won: 'VoteWon', pending: 'VotePending', lost: 'VoteLost' };

function toIds(texts: readonly string[] | undefined): readonly RaftId[] {
  return (texts ?? []).map((each) => raftId(Number(each)));
}

describe('quorum', () => {
  const someIds = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 }).map((all) => all.map(raftId));
  const sets = fc.record({ voters: someIds, outgoing: someIds });
  const answers = fc.array(fc.option(fc.boolean(), { nil: undefined }), { minLength: 8, maxLength: 8 });

  it('two winning sets of voters always share one', () => {
    fc.assert(
      fc.property(sets, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (both, side) => {
        fc.pre(both.voters.length + both.outgoing.length > 0);
        const wins = (flag: boolean): boolean => voteOfQuorum(both, (id) => side[id] === flag) === 'won';
        expect(wins(true) && wins(false)).toBe(false);
      }),
    );
  });

  it('a vote that is decided is not changed by further answers', () => {
    fc.assert(
      fc.property(sets, answers, answers, (both, first, later) => {
        const before = voteOfQuorum(both, (id) => first[id]);
        const after = voteOfQuorum(both, (id) => first[id] ?? later[id]);
        if (before !== 'pending') expect(after).toBe(before);
      }),
    );
  });

  it('the index reached is the highest for which a vote on "I am there" is won', () => {
    fc.assert(
      fc.property(sets, fc.array(fc.nat(9), { minLength: 8, maxLength: 8 }), (both, indexes) => {
        fc.pre(both.voters.length + both.outgoing.length > 0);
        const at = (id: RaftId): number => indexes[id] ?? 0;
        const reached = reachedByQuorum(both, at);
        expect(voteOfQuorum(both, (id) => at(id) >= reached)).toBe('won');
        expect(voteOfQuorum(both, (id) => at(id) >= reached + 1)).not.toBe('won');
      }),
    );
  });
});
