import { describe, expect, it } from 'vitest';
import {
  bytes,
  ids,
  RaftHost,
  RaftNetwork,
  raftConfig,
  stored,
  text,
  voters,
} from '../../../test/raft/raft-network.ts';
import { term } from '../ids.ts';
import { InvariantViolation } from '../invariant.ts';
import { foundingState, joiningState, raftId } from './types.ts';

describe('a group', () => {
  it('is founded by voters that start alike, and gives its state to a learner that starts with nothing', () => {
    const configuration = { voters: ids(1, 2), outgoing: [], learners: ids(3) };
    const network = new RaftNetwork();
    for (const id of [1, 2]) network.add(id, foundingState(configuration, bytes('founding state')));
    const learner = network.add(3, joiningState());
    network.node(1).campaign();
    network.stabilize();
    network.tick(1);
    network.stabilize();
    expect(learner.node.status()).toMatchObject({ leader: 1, commit: 2, applied: 2, configuration });
    expect(text(learner.disk.snapshot.data)).toBe('founding state');
    expect(learner.log).toBe('2/2');
  });

  it('of one needs nobody else', () => {
    const host = new RaftHost(raftConfig(1), foundingState(voters(1), bytes('state')));
    for (let tick = 0; tick < 20; tick++) {
      host.node.tick();
      while (host.process() !== undefined);
    }
    expect(host.node.status()).toMatchObject({ role: 'leader', commit: 2, applied: 2 });
  });
});

describe('time', () => {
  it.each([
    [0, 10],
    [0.5, 15],
    [0.99, 19],
  ])('a follower campaigns after between one and two election time-outs: drawn %f, after %i ticks', (drawn, ticks) => {
    const config = raftConfig(1, { electionTicks: 10, random: () => drawn });
    const host = new RaftHost(config, stored(voters(1, 2, 3)));
    for (let tick = 1; tick < ticks; tick++) host.node.tick();
    expect(host.node.status().role).toBe('follower');
    host.node.tick();
    expect(host.node.status().role).toBe('pre-candidate');
  });

  it('a leader sends heartbeats at its interval, and they keep the followers from campaigning', () => {
    const network = RaftNetwork.of(3, { electionTicks: 6, heartbeatTicks: 2 });
    network.elect(1);
    for (let tick = 1; tick <= 30; tick++) {
      for (const id of [1, 2, 3]) network.tick(id);
      expect(network.stabilize().filter((line) => line.includes(' heartbeat@'))).toHaveLength(tick % 2 === 0 ? 2 : 0);
    }
    expect(network.roles()).toEqual(['leader', 'follower', 'follower']);
  });

  it('a candidate that is not answered tries again, in the same term until its pre-election is won', () => {
    const network = RaftNetwork.of(3);
    network.tick(1, 30);
    expect(network.node(1).status()).toMatchObject({ role: 'pre-candidate', term: 1 });
  });
});

describe('ready and advance', () => {
  it('go one after the other', () => {
    const host = RaftNetwork.of(3).host(1);
    expect(() => host.node.advance()).toThrow(InvariantViolation);
    expect(host.node.ready()).toBeUndefined();
    host.node.campaign();
    expect(host.node.ready()).toBeDefined();
    host.node.campaign();
    expect(host.node.ready()).toBeUndefined();
    host.node.advance();
    expect(host.node.ready()).toBeDefined();
  });

  it('an own vote of an earlier campaign, flushed late, counts for nothing in a later one', () => {
    const host = RaftNetwork.of(1).host(1);
    host.node.campaign();
    expect(host.node.ready()?.hardState).toMatchObject({ term: 2, vote: 1 });
    host.node.campaign();
    expect(host.node.status()).toMatchObject({ role: 'candidate', term: 3 });
    host.node.advance();
    expect(host.node.status().role).toBe('candidate');
    host.process();
    expect(host.node.status()).toMatchObject({ role: 'leader', term: 3 });
  });
});

describe('what waits for a slow flush', () => {
  it('is bounded: forwarded proposals are dropped above the limit, until a Ready takes them along', () => {
    const network = RaftNetwork.of(3, { uncommittedBytesMax: 10 });
    network.elect(1);
    const forwarded = Array.from({ length: 12 }, () => network.node(2).propose(bytes('a')).kind);
    expect(forwarded.filter((kind) => kind === 'forwarded')).toHaveLength(10);
    network.process(2);
    expect(network.node(2).propose(bytes('a')).kind).toBe('forwarded');
  });
});

describe('our own mistakes', () => {
  it('crash: empty proposals, endless tokens, limits of nothing, a stored term below the log\u2019s, no id', () => {
    const { node } = RaftNetwork.of(1).host(1);
    expect(() => node.propose(new Uint8Array(0))).toThrow(InvariantViolation);
    expect(() => node.readIndex('a'.repeat(129))).toThrow(InvariantViolation);
    const disk = stored(voters(1), { terms: [2] });
    const rolledBack = { ...disk, hardState: { ...disk.hardState, term: term(1) } };
    expect(() => new RaftHost(raftConfig(1), rolledBack)).toThrow(InvariantViolation);
    for (const wrong of [{ id: raftId(0) }, { inflightAppendsMax: 0 }, { heartbeatTicks: 0 }, { electionTicks: 1 }]) {
      expect(() => new RaftHost(raftConfig(1, wrong), disk)).toThrow(InvariantViolation);
    }
  });

  it('crash: two leaders in one term', () => {
    const host = RaftNetwork.of(3).host(1);
    const heartbeat = (from: number) =>
      host.node.step({
        kind: 'heartbeat',
        from: raftId(from),
        to: raftId(1),
        term: term(5),
        commit: host.node.status().commit,
        round: 0,
      });
    heartbeat(2);
    expect(() => heartbeat(3)).toThrow(InvariantViolation);
  });
});
