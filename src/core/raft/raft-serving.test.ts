import { describe, expect, it } from 'vitest';
import { bytes, RaftNetwork, stored, voters } from '../../../test/raft/raft-network.ts';
import { raftId } from './types.ts';

describe('R11: reads without leases', () => {
  it('R11: the leader answers only after a quorum has answered a heartbeat sent after the read came', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.tick(1);
    network.process(1);
    const earlier = network.flying;
    network.flying = [];
    expect(network.node(1).readIndex('a')).toEqual({ kind: 'pending' });
    network.process(1);
    const later = network.flying;
    network.flying = earlier;
    network.stabilize();
    expect(network.host(1).reads).toEqual([]);
    network.flying = later;
    network.stabilize();
    expect(network.host(1).reads).toMatchObject([{ token: 'a', index: 11 }]);
  });

  it('R11: a leader that was deposed without knowing it confirms nothing', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.tick(2, 3);
    network.tick(3, 3);
    network.drop();
    network.elect(2, 2, 3);
    network.drop();
    expect(network.node(1).status().role).toBe('leader');
    network.node(1).readIndex('a');
    network.stabilize();
    expect(network.host(1).reads).toEqual([]);
    expect(network.node(1).status()).toMatchObject({ role: 'follower', term: 3 });
  });

  it('R11: a new leader answers only once an entry of its own term is committed, and then at that index', () => {
    const network = RaftNetwork.of(3);
    network.node(1).campaign();
    for (let hop = 0; hop < 2; hop++) {
      network.process(1);
      network.stabilize(2);
      network.deliver(1);
    }
    expect(network.node(1).status()).toMatchObject({ role: 'leader', commit: 10 });
    network.node(1).readIndex('a');
    network.stabilize(1);
    expect(network.host(1).reads).toEqual([]);
    network.stabilize();
    expect(network.host(1).reads).toMatchObject([{ token: 'a', index: 11 }]);
  });

  it('R11: a follower asks the leader, and takes each answer once', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.node(3).readIndex('a');
    network.process(3);
    network.flying.push(...network.flying);
    network.stabilize();
    expect(network.host(3).reads).toMatchObject([{ token: 'a', index: 11 }]);
    expect(network.host(1).reads).toEqual([]);
  });

  it('R11: a lone leader confirms at once, and a node that knows no leader refuses', () => {
    const host = RaftNetwork.of(1).host(1);
    expect(host.node.readIndex('a')).toEqual({ kind: 'refused', reason: 'no-leader' });
    host.node.campaign();
    while (host.process() !== undefined);
    host.node.readIndex('b');
    host.process();
    expect(host.reads).toMatchObject([{ token: 'b', index: 11 }]);
  });
});

describe('R13: limits', () => {
  it('R13: proposals above the limit of uncommitted bytes are dropped, until something is committed', () => {
    const network = RaftNetwork.of(3, { uncommittedBytesMax: 10 });
    network.elect(1);
    expect(network.node(1).propose(bytes('a'.repeat(30)))).toMatchObject({ kind: 'appended', index: 12 });
    expect(network.node(1).propose(bytes('a'))).toEqual({ kind: 'refused', reason: 'dropped' });
    expect(network.node(1).status().uncommittedBytes).toBe(30);
    network.stabilize();
    expect(network.node(1).status().uncommittedBytes).toBe(0);
    for (let count = 0; count < 10; count++) expect(network.node(1).propose(bytes('a')).kind).toBe('appended');
    expect(network.node(1).propose(bytes('a'))).toEqual({ kind: 'refused', reason: 'dropped' });
  });

  it('R13: bytes that an earlier leader left uncommitted count too', () => {
    const network = new RaftNetwork();
    for (const id of [1, 2, 3])
      network.add(id, stored(voters(1, 2, 3), { terms: [1, 1, 1, 1] }), { uncommittedBytesMax: 10 });
    network.node(1).campaign();
    network.stabilize(1);
    network.stabilize(2);
    network.stabilize(1);
    network.stabilize(2);
    network.deliver(1);
    expect(network.node(1).status()).toMatchObject({ role: 'leader', uncommittedBytes: 20 });
    expect(network.node(1).propose(bytes('a'))).toEqual({ kind: 'refused', reason: 'dropped' });
  });

  it('R13: no more appends are under way to a follower than its window holds', () => {
    const network = RaftNetwork.of(3, { inflightAppendsMax: 4 });
    network.elect(1);
    for (let count = 0; count < 50; count++) network.propose(1, 'x');
    network.process(1);
    expect(network.flying.filter((message) => message.to === 2)).toHaveLength(4);
    network.stabilize();
    expect(network.node(2).status().commit).toBe(61);
  });

  it('R13: an append carries no more than its limit, but always an entry', () => {
    const network = RaftNetwork.of(3, { appendBytesMax: 100 });
    network.elect(1);
    network.node(1).reportUnreachable(raftId(2));
    for (const size of [30, 30, 30, 500, 30]) network.propose(1, 'x'.repeat(size));
    network.stabilize(1, 3);
    network.drop(2);
    network.tick(1);
    const appends = network.stabilize().filter((line) => line.startsWith('1->2 append@2') && !line.endsWith('[]'));
    expect(appends.map((line) => line.slice(line.indexOf('[')))).toEqual(['[2/12 2/13]', '[2/14]', '[2/15]', '[2/16]']);
  });

  it('R13: reads beyond the limit are dropped, at the leader and at a follower', () => {
    const network = RaftNetwork.of(3, { pendingReadsMax: 2 });
    network.elect(1);
    for (const id of [1, 2]) {
      const results = ['a', 'b', 'c'].map((token) => network.node(id).readIndex(token).kind);
      expect(results).toEqual(['pending', 'pending', 'refused']);
    }
  });
});

describe('proposals', () => {
  it('made at a follower are forwarded to the leader, and committed by it', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    expect(network.node(3).propose(bytes('x'))).toEqual({ kind: 'forwarded', to: 1 });
    network.stabilize();
    expect(network.host(2).applied.at(-1)).toMatchObject({ index: 12, term: 2, data: bytes('x') });
  });

  it('are refused where no leader is known', () => {
    const network = RaftNetwork.of(3);
    expect(network.node(1).propose(bytes('x'))).toEqual({ kind: 'refused', reason: 'no-leader' });
    network.elect(1);
    network.tick(2, 3);
    expect(network.node(2).propose(bytes('x'))).toEqual({ kind: 'refused', reason: 'no-leader' });
  });

  it('that reach a node which does not lead are not passed on again', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    const term = network.node(1).status().term;
    network.node(2).step({ kind: 'propose', from: raftId(3), to: raftId(2), term, data: bytes('x') });
    expect(network.stabilize()).toEqual([]);
  });

  it('are applied by everyone in one order, each once, also after a restart', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    for (let count = 0; count < 20; count++) network.propose(1 + (count % 3), `p${count}`);
    network.stabilize();
    const applied = network.host(1).applied.map((entry) => entry.index);
    expect(applied).toEqual(Array.from({ length: 21 }, (_, position) => 11 + position));
    expect(network.host(2).applied).toEqual(network.host(1).applied);
    const restarted = network.add(3, network.host(3).disk);
    expect(restarted.node.status()).toMatchObject({ commit: 31, applied: 10, lastIndex: 31 });
    restarted.process();
    expect(restarted.applied).toEqual(network.host(1).applied);
  });
});

describe('a commit', () => {
  it('that moves nothing but the commit index need not be flushed', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    const last = network.host(2).readies.at(-1);
    expect(last).toMatchObject({ mustFlush: false, hardState: { commit: 11 }, entries: [] });
    expect(last?.committed).toHaveLength(1);
  });
});
