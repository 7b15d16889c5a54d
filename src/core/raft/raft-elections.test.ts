import { describe, expect, it } from 'vitest';
import { RaftNetwork } from '../../../test/raft/raft-network.ts';

/** The transcripts of etcd-io/raft on elections, with pre-vote and check-quorum always on. */

describe('campaign', () => {
  it('a node wins an election, commits the entry of its term and tells the others', () => {
    const network = RaftNetwork.of(3);
    network.node(1).campaign();
    expect(network.process(1)).toEqual(['1->2 pre-vote@2 1/10', '1->3 pre-vote@2 1/10']);
    expect(network.deliver(2)).toHaveLength(1);
    expect(network.process(2)).toEqual(['2->1 pre-vote-reply@2 granted']);
    network.deliver(1);
    expect(network.process(1)).toEqual(['1->2 vote@2 1/10', '1->3 vote@2 1/10']);
    expect(network.host(1).disk.hardState).toMatchObject({ term: 2, vote: 1 });
    network.deliver(2);
    expect(network.process(2)).toEqual(['2->1 vote-reply@2 granted']);
    network.deliver(1);
    expect(network.node(1).status().role).toBe('leader');
    expect(network.process(1)).toEqual(['1->2 append@2 1/10 commit=10 [2/11]', '1->3 append@2 1/10 commit=10 [2/11]']);

    network.stabilize();
    for (const host of network.hosts.values()) {
      expect(host.node.status()).toMatchObject({ leader: 1, commit: 11, applied: 11 });
      expect(host.log).toBe('2/11');
    }
  });
});

describe('check-quorum', () => {
  it('a leader that hears from no quorum for two election time-outs steps down', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.tick(1, 3);
    expect(network.node(1).status().role).toBe('leader');
    network.tick(1, 3);
    expect(network.node(1).status()).toMatchObject({ role: 'follower', leader: undefined, term: 2 });
  });

  it('a leader that hears from a quorum stays', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    for (let tick = 0; tick < 20; tick++) {
      network.tick(1);
      network.stabilize(1, 2);
    }
    expect(network.node(1).status().role).toBe('leader');
  });

  it('once the leader is silent, who did not hear from it helps another; who just did does not', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.tick(1, 6);
    network.node(2).campaign();
    network.process(1);
    network.process(2);
    expect(network.deliver(1, (message) => message.kind === 'pre-vote')).toEqual(['2->1 pre-vote@3 2/11']);
    expect(network.deliver(3, (message) => message.kind === 'pre-vote')).toEqual(['2->3 pre-vote@3 2/11']);
    expect(network.process(1)).toEqual(['1->2 pre-vote-reply@3 granted']);
    expect(network.process(3)).toEqual([]);
    network.drop(3);
    network.deliver(2, (message) => message.kind === 'pre-vote-reply');
    network.drop();
    expect(network.process(2)).toEqual(['2->1 vote@3 2/11', '2->3 vote@3 2/11']);
    network.stabilize();
    expect(network.roles()).toEqual(['follower', 'leader', 'follower']);
    expect(network.node(3).status()).toMatchObject({ leader: 2, term: 3, commit: 12 });
  });

  it('a leader of an earlier term that comes back is told so and follows', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.tick(2, 3);
    network.tick(3, 3);
    network.drop();
    network.elect(2, 2, 3);
    network.drop();
    network.tick(1);
    network.process(1);
    network.deliver(3);
    expect(network.process(3)).toEqual(['3->1 stale-term@3']);
    network.deliver(1);
    expect(network.node(1).status()).toMatchObject({ role: 'follower', term: 3 });
  });
});

describe('pre-vote', () => {
  it('a node that is behind gets no pre-votes, disturbs nobody and catches up', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.propose(1, 'one');
    network.process(1);
    network.deliver(2);
    network.process(2);
    network.tick(1, 6);
    network.tick(2, 3);
    network.drop();
    network.host(1).process();
    network.host(2).process();

    network.node(3).campaign();
    expect(network.process(3)).toEqual(['3->1 pre-vote@3 2/11', '3->2 pre-vote@3 2/11']);
    network.deliver(1);
    network.deliver(2);
    expect(network.process(1)).toEqual(['1->3 pre-vote-reply@2 refused']);
    expect(network.process(2)).toEqual(['2->3 pre-vote-reply@2 refused']);
    network.deliver(3);
    expect(network.node(3).status()).toMatchObject({ role: 'follower', term: 2 });

    network.node(2).campaign();
    network.stabilize();
    expect(network.roles()).toEqual(['follower', 'leader', 'follower']);
    expect(network.host(3).log).toBe('2/11 2/12 3/13');
  });

  it('a node that was cut off for long comes back in the same term', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    for (let tick = 0; tick < 30; tick++) {
      for (const id of [1, 2, 3]) network.tick(id);
      network.process(3);
      network.drop(1, 2);
      network.stabilize(1, 2);
      network.drop(3);
    }
    expect(network.node(3).status()).toMatchObject({ term: 2, leader: undefined });
    network.tick(1);
    network.stabilize();
    expect(network.roles()).toEqual(['leader', 'follower', 'follower']);
    expect(network.node(3).status()).toMatchObject({ term: 2, leader: 1 });
  });
});

describe('pre-vote and check-quorum', () => {
  it('nobody who hears the leader grants a pre-vote', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.node(2).campaign();
    expect(network.stabilize()).toEqual(['2->1 pre-vote@3 2/11', '2->3 pre-vote@3 2/11']);
    expect(network.node(1).status()).toMatchObject({ role: 'leader', term: 2 });
  });

  it('one voter that has not heard the leader for an election time-out is enough for another to win', () => {
    const network = RaftNetwork.of(3, { random: () => 0.9 });
    network.elect(1);
    network.tick(2, 3);
    network.node(3).campaign();
    network.stabilize();
    expect(network.roles()).toEqual(['follower', 'follower', 'leader']);
    expect(network.node(1).status()).toMatchObject({ term: 3, leader: 3, commit: 12 });
  });

  it('two that campaign both replace a leader that only they believe to be dead', () => {
    const network = RaftNetwork.of(3);
    network.elect(3);
    network.node(1).campaign();
    expect(network.stabilize()).toEqual(['1->2 pre-vote@3 2/11', '1->3 pre-vote@3 2/11']);
    network.node(2).campaign();
    network.stabilize();
    expect(network.roles()).toEqual(['follower', 'leader', 'follower']);
    expect(network.node(3).status()).toMatchObject({ term: 3, leader: 2, commit: 12 });
  });
});
