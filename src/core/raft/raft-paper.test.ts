import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes, entriesOf, RaftHost, raftConfig, stored, text, voters } from '../../../test/raft/raft-network.ts';
import { vectorsFolder } from '../../../test/vectors.ts';
import { logIndex, term } from '../ids.ts';
import type { MessageBody, RaftMessage } from './message.ts';
import { RaftLog } from './raft-log.ts';
import { type EntryId, type RaftId, raftId } from './types.ts';

/**
 * The tables of etcd-io/raft's tests of the paper, section by section. Logs are lists of terms from index 1.
 * Elections here begin with a pre-election, which everybody lets pass.
 */
const folder = vectorsFolder();
type Terms = readonly number[];
type Row = readonly never[];
interface Table<R extends Row = Row> {
  readonly rows: readonly R[];
}

const tables: Record<string, unknown> =
  folder === undefined ? {} : JSON.parse(readFileSync(join(folder, 'raft/paper_tables.json'), 'utf8'));

const table = <T>(name: string): T => tables[name] as T;
const rows = <R extends readonly unknown[]>(name: string): readonly R[] => {
  const found = tables[name] as { readonly rows: readonly R[] } | undefined;
  return found?.rows ?? [];
};

const ME = raftId(1);
const message = (from: number, messageTerm: number, body: MessageBody): RaftMessage => ({
  from: raftId(from),
  to: ME,
  term: term(messageTerm),
  ...body,
});
const append = (from: number, messageTerm: number, previous: readonly [number, number], terms: Terms): RaftMessage =>
  message(from, messageTerm, {
    kind: 'append',
    previousIndex: logIndex(previous[0]),
    previousTerm: term(previous[1]),
    entries: entriesOf(previous[0] + 1, terms),
    commit: logIndex(0),
  });

/** Node 1 of `size` voters, with a log of these terms. */
function machine(
  size: number,
  terms: Terms = [],
  state: { readonly term?: number; readonly commit?: number } = {},
): RaftHost {
  const numbers = Array.from({ length: size }, (_, position) => position + 1);
  return new RaftHost(
    raftConfig(1),
    stored(voters(...numbers), { index: 0, terms, ...state, commit: state.commit ?? 0 }),
  );
}

/** Carries out all there is to do. */
function settle(host: RaftHost): readonly RaftMessage[] {
  const sent: RaftMessage[] = [];
  for (let messages = host.process(); messages !== undefined; messages = host.process()) sent.push(...messages);
  return sent;
}

/** A candidate whose pre-election was won by the votes of all others. */
function candidate(host: RaftHost, size: number): readonly RaftMessage[] {
  host.node.campaign();
  settle(host);
  for (let id = 2; id <= size && host.node.status().role === 'pre-candidate'; id++) {
    host.node.step(message(id, host.node.status().term + 1, { kind: 'pre-vote-reply', granted: true }));
  }
  return settle(host);
}

function leader(host: RaftHost, size: number): readonly RaftMessage[] {
  candidate(host, size);
  for (let id = 2; id <= size && host.node.status().role === 'candidate'; id++) {
    host.node.step(message(id, host.node.status().term, { kind: 'vote-reply', granted: true }));
  }
  expect(host.node.status().role).toBe('leader');
  return settle(host);
}

const termsOf = (host: RaftHost): Terms => host.disk.entries.map((entry) => entry.term);
const answers = (host: RaftHost): readonly RaftMessage[] => settle(host);

describe.skipIf(folder === undefined)('the Raft paper', () => {
  it('has all its tables here', () => {
    const counts = Object.keys(tables).map((name) => rows(name).length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(50);
    expect(Object.keys(tables)).toHaveLength(12);
  });

  it.each(rows<[number, Record<string, number>, string]>('election_in_one_round (5.2)'))(
    '5.2: of %i nodes, with the votes %j, node 1 is %s',
    (size, votes, role) => {
      const host = machine(size);
      candidate(host, size);
      for (const [id, granted] of Object.entries(votes)) {
        host.node.step(message(Number(id), 1, { kind: 'vote-reply', granted: granted === 1 }));
      }
      expect(host.node.status()).toMatchObject({ role, term: 1 });
    },
  );

  it.each(rows<[number | null, number, number]>('follower_vote same term (5.2)'))(
    '5.2: having voted for %j, a request of %i in the same term is refused: %i',
    (voted, from, refused) => {
      const vote: RaftId | undefined = voted === null ? undefined : raftId(voted);
      const disk = stored(voters(1, 2, 3), { index: 0, term: 1 });
      const host = new RaftHost(raftConfig(1), { ...disk, hardState: { ...disk.hardState, vote } });
      host.node.step(message(from, 1, { kind: 'vote', lastIndex: logIndex(0), lastTerm: term(0) }));
      expect(answers(host)).toEqual([{ kind: 'vote-reply', from: 1, to: from, term: 1, granted: refused === 0 }]);
    },
  );

  it.each([1, 2])('5.2: a candidate of term 1 that hears from a leader of term %i follows it', (leaderTerm) => {
    expect(table<Table>('candidate_fallback (5.2)')).toBeDefined();
    const host = machine(3);
    candidate(host, 3);
    expect(host.node.status()).toMatchObject({ role: 'candidate', term: 1 });
    host.node.step(append(2, leaderTerm, [0, 0], []));
    expect(host.node.status()).toMatchObject({ role: 'follower', term: leaderTerm, leader: 2 });
  });

  const preceding =
    folder === undefined
      ? []
      : table<{ logs_before_term3: Terms[] }>('leader_commits_preceding (5.3)').logs_before_term3;
  it.each(preceding.map((log) => ({ log })))(
    '5.3: the log $log is committed with the first entry of term 3',
    ({ log }) => {
      const host = machine(3, log, { term: 2 });
      leader(host, 3);
      host.node.propose(bytes('some data'));
      settle(host);
      host.node.step(message(2, 3, { kind: 'append-accepted', index: logIndex(log.length + 2) }));
      settle(host);
      expect(host.applied.map((entry) => entry.term)).toEqual([...log, 3, 3]);
      expect(host.applied.map((entry) => text(entry.data)).slice(-2)).toEqual(['', 'some data']);
    },
  );

  it.each(rows<[number, number, number, number, number, number]>('follower_check_append (5.3)'))(
    '5.3: an append after entry %2$i of term %1$i is answered with %3$i, refused: %4$i, hint %5$i of term %6$i',
    (previousTerm, previousIndex, index, refused, hintIndex, hintTerm) => {
      const { follower_log: log, commit } = table<{ follower_log: Terms; commit: number }>(
        'follower_check_append (5.3)',
      );
      const host = machine(3, log, { term: 2, commit });
      settle(host);
      host.node.step(append(2, 3, [previousIndex, previousTerm], []));
      const expected = refused === 0 ? { index } : { rejectedIndex: index, hintIndex, hintTerm };
      const kind = refused === 0 ? 'append-accepted' : 'append-rejected';
      expect(answers(host)).toEqual([{ kind, from: 1, to: 2, term: 3, ...expected }]);
    },
  );

  type Piece = readonly [number, Terms];
  it.each(rows<[number, number, Piece, Terms, Piece | null]>('follower_append (5.3)'))(
    '5.3: after entry %i of term %i, the entries %j make the log %j and %j is to be written',
    (previousIndex, previousTerm, [, terms], after, written) => {
      const host = machine(3, table<{ follower_log: Terms }>('follower_append (5.3)').follower_log, { term: 2 });
      settle(host);
      host.node.step(append(2, Math.max(2, ...terms), [previousIndex, previousTerm], terms));
      const entries = host.node.ready()?.entries ?? [];
      host.node.advance();
      const expected = written === null ? [] : written[1].map((each, position) => [each, written[0] + position]);
      expect(entries.map((entry) => [entry.term, entry.index])).toEqual(expected);
      const log = [...host.disk.entries.filter((entry) => entry.index < (entries[0]?.index ?? 99)), ...entries];
      expect(log.map((entry) => entry.term)).toEqual(after);
    },
  );

  const figure7 = folder === undefined ? undefined : table<Figure7>('leader_sync_follower figure 7');
  it.each((figure7?.followers ?? []).map((log) => ({ log })))(
    '5.3, figure 7: the log $log becomes the leader\u2019s',
    ({ log }) => {
      if (figure7 === undefined) return;
      const lead = machine(3, figure7.leader, { term: figure7.term });
      const commit = 0;
      const follower = new RaftHost(
        raftConfig(2),
        stored(voters(1, 2, 3), { index: 0, terms: log, term: figure7.term - 1, commit }),
      );
      for (const sent of leader(lead, 3)) if (sent.to === 2) follower.node.step(sent);
      lead.node.propose(bytes('one'));
      lead.node.step(
        message(3, figure7.term + 1, { kind: 'append-accepted', index: logIndex(figure7.leader.length + 1) }),
      );
      for (let round = 0; round < 20; round++) {
        for (const sent of settle(follower)) if (sent.to === 1) lead.node.step(sent);
        for (const sent of settle(lead)) if (sent.to === 2) follower.node.step(sent);
      }
      expect(termsOf(follower)).toEqual([...figure7.leader, figure7.term + 1, figure7.term + 1]);
      expect(termsOf(follower)).toEqual(termsOf(lead));
    },
  );

  const requests =
    folder === undefined ? [] : table<{ rows: { log: Terms; term: number }[] }>('vote_request (5.4.1)').rows;
  it.each(requests)(
    '5.4.1: a request for votes of term $term names the end of the log $log',
    ({ log, term: electionTerm }) => {
      const sent = candidate(machine(3, log, { term: electionTerm - 1 }), 3);
      const last = { lastIndex: log.length, lastTerm: log.at(-1) };
      expect(sent).toEqual([2, 3].map((to) => ({ kind: 'vote', from: 1, to, term: electionTerm, ...last })));
    },
  );

  it.each(rows<[Terms, number, number, number]>('voter (5.4.1)'))(
    '5.4.1: a voter with the log %j, asked by one that ends with term %i at %i, refuses: %i',
    (log, lastTerm, lastIndex, refused) => {
      for (const kind of ['vote', 'pre-vote'] as const) {
        const host = machine(2, log);
        host.node.step(message(2, 3, { kind, lastIndex: logIndex(lastIndex), lastTerm: term(lastTerm) }));
        expect(answers(host)).toMatchObject([{ kind: `${kind}-reply`, granted: refused === 0 }]);
      }
    },
  );

  const counting =
    folder === undefined ? [] : table<Record<string, [number, number][]>>('only_commit_current_term (5.4.2)');
  it.each(Object.entries(counting).find(([name]) => name.startsWith('2 voters'))?.[1] ?? [])(
    '5.4.2: when entry %i is on both disks, %i is committed',
    (acknowledged, commit) => {
      const host = machine(2, [1, 2], { term: 2 });
      leader(host, 2);
      host.node.step(message(2, 3, { kind: 'append-accepted', index: logIndex(acknowledged) }));
      expect(host.node.status()).toMatchObject({ term: 3, commit });
    },
  );
});

interface Figure7 {
  readonly leader: Terms;
  readonly term: number;
  readonly followers: readonly Terms[];
}

describe.skipIf(folder === undefined)('fast log rejection (R9)', () => {
  type FastRow = [Terms, Terms, number, number, number, number, number];
  it.each(rows<FastRow>('fast_log_rejection'))(
    'leader %j, follower %j (compacted to %i): hint term %i at %i, then the append after term %i at %i',
    (leaderTerms, followerTerms, compacted, hintTerm, hintIndex, nextTerm, nextIndex) => {
      const host = machine(3, leaderTerms);
      const previousIndex = logIndex(leaderTerms.length);
      const last = { index: previousIndex, term: term(leaderTerms.at(-1) ?? 0) };
      leader(host, 3);

      const hint = compacted === 0 ? hintOf(followerTerms, last) : hintOfCompacted(followerTerms, compacted, last);
      expect(hint).toEqual({ index: hintIndex, term: hintTerm });

      const current = host.node.status().term;
      const rejection = { rejectedIndex: previousIndex, hintIndex: hint.index, hintTerm: hint.term };
      host.node.step(message(2, current, { kind: 'append-rejected', ...rejection }));
      expect(settle(host)).toMatchObject([{ kind: 'append', to: 2, previousIndex: nextIndex, previousTerm: nextTerm }]);
    },
  );
});

function hintOf(log: Terms, previous: EntryId): EntryId {
  const follower = machine(3, log);
  follower.node.step(append(2, 9, [previous.index, previous.term], []));
  const [answer] = answers(follower);
  if (answer?.kind !== 'append-rejected') throw new Error('not rejected');
  return { index: answer.hintIndex, term: answer.hintTerm };
}

/** The log alone: no machine would compact what is not committed, and what is committed is not rejected. */
function hintOfCompacted(log: Terms, compacted: number, previous: EntryId): EntryId {
  const disk = stored(voters(1, 2, 3), { index: 0, terms: log, commit: 0 });
  const snapshot = { ...disk.snapshot, index: logIndex(compacted), term: term(log[compacted - 1] ?? 0) };
  return new RaftLog({ ...disk, snapshot }).lastWithTermAtMost(previous.index, previous.term);
}
