import { describe, expect, it } from 'vitest';
import {
  bytes,
  ids,
  RaftHost,
  RaftNetwork,
  raftConfig,
  stored,
  voters,
  write,
} from '../../../test/raft/raft-network.ts';
import { logIndex, term } from '../ids.ts';
import type { MessageBody, RaftMessage } from './message.ts';
import { joiningState, raftId } from './types.ts';

const to1 = (from: number, messageTerm: number, body: MessageBody, to = 1): RaftMessage => ({
  from: raftId(from),
  to: raftId(to),
  term: term(messageTerm),
  ...body,
});

describe('R1: term, vote and entries are on disk before any message that depends on them', () => {
  it('R1: the Ready that grants a vote also holds it, must be flushed, and gives nothing more until that is done', () => {
    const host = RaftNetwork.of(3).host(2);
    host.node.step(to1(1, 2, { kind: 'vote', lastIndex: logIndex(10), lastTerm: term(1) }, 2));
    const ready = host.node.ready();
    expect(ready).toMatchObject({
      mustFlush: true,
      hardState: { term: 2, vote: 1 },
      messages: [{ kind: 'vote-reply' }],
    });
    host.node.step(to1(3, 2, { kind: 'vote', lastIndex: logIndex(10), lastTerm: term(1) }, 2));
    expect(host.node.ready()).toBeUndefined();
  });

  it('R1: a node that crashes after it has promised its vote does not promise it to another', () => {
    const host = RaftNetwork.of(3).host(2);
    host.node.step(to1(1, 2, { kind: 'vote', lastIndex: logIndex(10), lastTerm: term(1) }, 2));
    host.process();
    const restarted = new RaftHost(raftConfig(2), host.disk);
    restarted.node.step(to1(3, 2, { kind: 'vote', lastIndex: logIndex(10), lastTerm: term(1) }, 2));
    expect(restarted.process()).toMatchObject([{ kind: 'vote-reply', granted: false }]);
  });

  it('R1: the Ready that accepts an append holds its entries and must be flushed', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.propose(1, 'x');
    network.process(1);
    network.deliver(2);
    const ready = network.node(2).ready();
    expect(ready?.messages).toMatchObject([{ kind: 'append-accepted', index: 12 }]);
    expect(ready).toMatchObject({ mustFlush: true, entries: [{ index: 12 }] });
  });

  it('R1: a lone node leads, commits and gives out entries to apply only after its own flush', () => {
    const host = RaftNetwork.of(1).host(1);
    host.node.campaign();
    expect(host.node.status().role).toBe('candidate');
    host.process();
    expect(host.node.status().role).toBe('leader');
    host.process();
    host.node.propose(bytes('x'));
    const ready = host.node.ready();
    expect(ready).toMatchObject({ mustFlush: true, entries: [{ index: 12 }] });
    expect(ready?.committed.map((entry) => entry.index)).toEqual([11]);
    expect(host.node.status().commit).toBe(11);
    host.node.propose(bytes('y, too late for this flush'));
    host.node.advance();
    expect(host.node.status()).toMatchObject({ commit: 12, lastIndex: 13 });
    expect(host.node.ready()?.committed).toMatchObject([{ index: 12 }]);
  });

  it('R1: entries replaced while their flush was under way are written again, and not counted as written before', () => {
    const host = RaftNetwork.of(3).host(2);
    const append = (from: number, messageTerm: number): RaftMessage => {
      const entries = [11, 12].map((index) => ({ index: logIndex(index), term: term(messageTerm), data: bytes('x') }));
      const previous = { previousIndex: logIndex(10), previousTerm: term(1), commit: logIndex(10) };
      return to1(from, messageTerm, { kind: 'append', ...previous, entries }, 2);
    };
    host.node.step(append(1, 2));
    const first = host.node.ready();
    host.node.step(append(3, 3));
    host.node.advance();
    const second = host.node.ready();
    expect(first?.entries.map((entry) => entry.term)).toEqual([2, 2]);
    expect(second?.entries.map((entry) => entry.term)).toEqual([3, 3]);
    if (first === undefined || second === undefined) throw new Error('nothing to write');
    expect(write(write(host.disk, first), second).entries.map((entry) => entry.term)).toEqual([3, 3]);
  });
});

describe('R2: commitment by counting', () => {
  it('R2: an entry of an earlier term is not committed by counting, but along with one of the own term', () => {
    // Figure 8: 2/11 reaches a majority under the leader of term 4, and could still be replaced by 3/11.
    const network = new RaftNetwork();
    network.add(1, stored(voters(1, 2, 3), { terms: [2], term: 3 }));
    network.add(2, stored(voters(1, 2, 3), { terms: [2], term: 3 }));
    network.add(3, stored(voters(1, 2, 3), { terms: [3] }));
    network.node(1).campaign();
    network.stabilize(1);
    network.stabilize(2);
    network.stabilize(1);
    network.stabilize(2);
    network.deliver(1);
    expect(network.node(1).status()).toMatchObject({ role: 'leader', term: 4 });
    network.node(1).step(to1(2, 4, { kind: 'append-accepted', index: logIndex(11) }));
    network.process(1);
    expect(network.node(1).status().commit).toBe(10);
    network.node(1).step(to1(2, 4, { kind: 'append-accepted', index: logIndex(12) }));
    expect(network.node(1).status().commit).toBe(12);
  });
});

describe('what a follower commits', () => {
  it('goes no further than what the message at hand confirmed: beyond that its log may be another leader\u2019s', () => {
    const host = new RaftHost(raftConfig(1), stored(voters(1, 2, 3), { terms: [2, 2, 2] }));
    const entries = [{ index: logIndex(11), term: term(2), data: bytes('t2i11') }];
    const previous = { previousIndex: logIndex(10), previousTerm: term(1) };
    host.node.step(to1(2, 3, { kind: 'append', ...previous, entries, commit: logIndex(13) }));
    expect(host.node.status()).toMatchObject({ commit: 11, lastIndex: 13 });
  });
});

describe('R3: a lost disk', () => {
  it('R3: a node that lacks what it acknowledged to the leader stops for good', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.propose(1, 'x');
    network.stabilize();
    const rolledBack = network.add(3, stored(voters(1, 2, 3)));
    network.tick(1);
    network.process(1);
    network.deliver(3);
    expect(rolledBack.node.status()).toMatchObject({ isHalted: true, role: 'follower' });
    rolledBack.node.step(to1(2, 9, { kind: 'vote', lastIndex: logIndex(99), lastTerm: term(8) }, 3));
    for (let tick = 0; tick < 20; tick++) rolledBack.node.tick();
    rolledBack.node.campaign();
    expect(rolledBack.node.ready()).toBeUndefined();
    expect(rolledBack.node.status().term).toBeLessThan(9);
    expect(rolledBack.node.propose(bytes('x'))).toEqual({ kind: 'refused', reason: 'no-leader' });
  });

  it('R3: what is meant for an earlier life of a node, under another id, is dropped', () => {
    const host = RaftNetwork.of(3).host(1);
    host.node.step(to1(2, 5, { kind: 'heartbeat', commit: logIndex(10), round: 0 }, 7));
    expect(host.node.ready()).toBeUndefined();
    expect(host.node.status().term).toBe(1);
  });

  it('R3: neither votes nor acknowledgements of ids outside the configuration count', () => {
    const network = RaftNetwork.of(3);
    network.node(1).campaign();
    network.process(1);
    network.node(1).step(to1(7, 2, { kind: 'pre-vote-reply', granted: true }));
    expect(network.node(1).status().role).toBe('pre-candidate');
    network.node(1).step(to1(2, 2, { kind: 'pre-vote-reply', granted: true }));
    network.process(1);
    for (const id of [7, 8, 9]) network.node(1).step(to1(id, 2, { kind: 'vote-reply', granted: true }));
    expect(network.node(1).status().role).toBe('candidate');
    network.node(1).step(to1(2, 2, { kind: 'vote-reply', granted: true }));
    network.process(1);
    for (const id of [7, 8, 9]) network.node(1).step(to1(id, 2, { kind: 'append-accepted', index: logIndex(11) }));
    expect(network.node(1).status()).toMatchObject({ role: 'leader', commit: 10 });
  });
});

describe('a vote', () => {
  it('is not given in a term whose leader is known, even if it was not cast', () => {
    const host = RaftNetwork.of(3).host(1);
    host.node.step(to1(2, 5, { kind: 'heartbeat', commit: logIndex(10), round: 0 }));
    host.process();
    host.node.step(to1(3, 5, { kind: 'vote', lastIndex: logIndex(99), lastTerm: term(4) }));
    expect(host.process()).toMatchObject([{ kind: 'vote-reply', granted: false }]);
    expect(host.node.status().vote).toBeUndefined();
  });
});

describe('R4: pre-vote and check-quorum together', () => {
  it('R4: a node whose term ran ahead is taken back in, instead of staying outside for ever', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.add(3, { ...network.host(3).disk, hardState: { term: term(9), vote: raftId(3), commit: logIndex(11) } });
    network.tick(1);
    expect(network.stabilize()).toContain('3->1 stale-term@9');
    for (let tick = 0; tick < 10; tick++) {
      for (const id of [1, 2, 3]) network.tick(id, id);
      network.stabilize();
    }
    const { leader } = network.node(3).status();
    expect(leader).toBeDefined();
    for (const { node } of network.hosts.values())
      expect(node.status()).toMatchObject({ leader, commit: node.status().lastIndex });
    expect(network.node(3).status().term).toBeGreaterThan(9);
  });

  it('R4: with one link of three cut, the leader that a quorum hears stays', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    for (let tick = 0; tick < 40; tick++) {
      for (const id of [1, 2, 3]) {
        network.tick(id);
        network.process(id);
      }
      for (let round = 0; round < 6; round++) {
        network.flying = network.flying.filter(({ from, to }) => from + to !== 4);
        for (const id of [1, 2, 3]) network.deliver(id);
        for (const id of [1, 2, 3]) network.process(id);
      }
    }
    expect(network.node(1).status()).toMatchObject({ role: 'leader', term: 2 });
  });
});

describe('R6: learners', () => {
  const configuration = { voters: ids(1, 2), outgoing: [], learners: ids(3) };

  it('R6: whoever is asked votes by the log rule, a learner and a node without any configuration too', () => {
    for (const disk of [stored(configuration), joiningState()]) {
      const host = new RaftHost(raftConfig(3), disk);
      host.node.step(to1(2, 2, { kind: 'vote', lastIndex: logIndex(10), lastTerm: term(1) }, 3));
      expect(host.process()).toMatchObject([{ kind: 'vote-reply', granted: true }]);
    }
    const behind = new RaftHost(raftConfig(3), stored(configuration));
    behind.node.step(to1(2, 2, { kind: 'vote', lastIndex: logIndex(9), lastTerm: term(1) }, 3));
    expect(behind.process()).toMatchObject([{ kind: 'vote-reply', granted: false }]);
  });

  it('R6: a learner receives the log, counts for nothing and never campaigns', () => {
    const network = new RaftNetwork();
    for (const id of [1, 2, 3]) network.add(id, stored(configuration));
    network.elect(1, 1, 2);
    network.stabilize();
    expect(network.host(3).log).toBe('2/11');
    network.propose(1, 'x');
    network.stabilize(1, 3);
    expect(network.host(3).log).toBe('2/11 2/12');
    expect(network.node(1).status().commit).toBe(11);
    network.stabilize();
    expect(network.node(3).status()).toMatchObject({ commit: 12, leader: 1 });
    network.tick(3, 50);
    network.node(3).campaign();
    expect(network.process(3)).toEqual([]);
    expect(network.node(3).status()).toMatchObject({ role: 'follower', term: 2, leader: undefined });
  });
});

describe('R8: snapshots', () => {
  it('R8: a received snapshot is given out once, with configuration and term, and with the commit index of the same change', () => {
    const host = new RaftHost(raftConfig(3), joiningState());
    const snapshot = { index: logIndex(20), term: term(4), configuration: voters(1, 2, 3), data: bytes('state') };
    host.node.step(to1(1, 5, { kind: 'snapshot', snapshot }, 3));
    expect(host.node.status().applied).toBe(0);
    const ready = host.node.ready();
    expect(ready).toMatchObject({
      snapshot,
      mustFlush: true,
      hardState: { term: 5, commit: 20 },
      entries: [],
      committed: [],
    });
    expect(ready?.messages).toMatchObject([{ kind: 'append-accepted', index: 20 }]);
    host.node.advance();
    expect(host.node.status()).toMatchObject({ applied: 20, configuration: voters(1, 2, 3) });
    expect(host.node.ready()).toBeUndefined();

    if (ready === undefined) throw new Error('nothing to write');
    const restarted = new RaftHost(raftConfig(3), write(host.disk, ready));
    expect(restarted.node.status()).toMatchObject({ applied: 20, commit: 20, term: 5, configuration: voters(1, 2, 3) });
  });

  it('R8: a snapshot of what is committed here changes nothing, and one of what is in the log only commits it', () => {
    const host = new RaftHost(raftConfig(3), stored(voters(1, 2, 3), { terms: [2, 2, 2], commit: 12 }));
    const snapshot = { index: logIndex(11), term: term(2), configuration: voters(1), data: bytes('old') };
    host.node.step(to1(1, 2, { kind: 'snapshot', snapshot }, 3));
    host.node.step(to1(1, 2, { kind: 'snapshot', snapshot: { ...snapshot, index: logIndex(13) } }, 3));
    expect(host.process()).toMatchObject([{ index: 12 }, { index: 13 }]);
    expect(host.log).toBe('2/11 2/12 2/13');
    expect(host.node.status()).toMatchObject({ commit: 13, configuration: voters(1, 2, 3) });
  });

  it('R8: entries that arrive while the snapshot is being written follow it', () => {
    const host = new RaftHost(raftConfig(3), stored(voters(1, 2, 3), { terms: [1, 1] }));
    const snapshot = { index: logIndex(20), term: term(4), configuration: voters(1, 2, 3), data: bytes('state') };
    host.node.step(to1(1, 5, { kind: 'snapshot', snapshot }, 3));
    const first = host.node.ready();
    const entries = [{ index: logIndex(21), term: term(5), data: bytes('x') }];
    const previous = { previousIndex: logIndex(20), previousTerm: term(4), commit: logIndex(21) };
    host.node.step(to1(1, 5, { kind: 'append', ...previous, entries }, 3));
    host.node.advance();
    expect(host.node.status().applied).toBe(20);
    const second = host.node.ready();
    expect(second).toMatchObject({ snapshot: undefined, entries, committed: entries });
    if (first === undefined || second === undefined) throw new Error('nothing to write');
    expect(write(write(host.disk, first), second)).toMatchObject({ snapshot: { index: 20 }, entries });
  });
});
