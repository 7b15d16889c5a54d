import { describe, expect, it } from 'vitest';
import { ids, voters } from '../../../test/raft/raft-network.ts';
import { logIndex } from '../ids.ts';
import { ReadRounds } from './read-rounds.ts';
import { raftId } from './types.ts';

const [me, second, third] = [raftId(1), raftId(2), raftId(3)];
const read = (token: string) => ({ from: me, token });

describe('read rounds', () => {
  it('confirm a read when a majority has answered its round, each with the commit index it began at', () => {
    const rounds = new ReadRounds(8);
    rounds.begin(read('a'), logIndex(5));
    rounds.begin(read('b'), logIndex(6));
    rounds.answer(second, 1);
    expect(rounds.takeConfirmed(voters(1, 2, 3), me)).toEqual([{ from: 1, token: 'a', index: 5 }]);
    expect(rounds.takeConfirmed(voters(1, 2, 3), me)).toEqual([]);
    rounds.answer(third, 2);
    expect(rounds.takeConfirmed(voters(1, 2, 3), me)).toEqual([{ from: 1, token: 'b', index: 6 }]);
  });

  it('take the answer to a later round for the earlier ones, and an answer to an earlier one for nothing later', () => {
    const rounds = new ReadRounds(8);
    for (const token of ['a', 'b', 'c']) rounds.begin(read(token), logIndex(5));
    rounds.answer(second, 2);
    rounds.answer(second, 1);
    expect(rounds.takeConfirmed(voters(1, 2, 3), me).map(({ token }) => token)).toEqual(['a', 'b']);
  });

  it('need both majorities of a pair, and count neither learners nor rounds that were never begun', () => {
    const rounds = new ReadRounds(8);
    rounds.begin(read('a'), logIndex(5));
    const both = { voters: ids(1, 2, 3), outgoing: ids(1, 4, 5) };
    rounds.answer(second, 1);
    rounds.answer(raftId(9), 1);
    rounds.answer(raftId(4), 7);
    expect(rounds.takeConfirmed(both, me)).toEqual([]);
    rounds.answer(raftId(4), 1);
    expect(rounds.takeConfirmed(both, me)).toHaveLength(1);
  });

  it('count the postponed among those that wait', () => {
    const rounds = new ReadRounds(2);
    rounds.postpone(read('a'));
    rounds.begin(read('b'), logIndex(5));
    expect(rounds.isFull).toBe(true);
    expect(rounds.takePostponed()).toEqual([read('a')]);
    expect(rounds.isFull).toBe(false);
  });
});
