/** Changes of who takes part, one server at a time: a committed entry says so, and takes effect where it is applied. */
import { describe, expect, it } from 'vitest';
import { bytes, ids, RaftNetwork, stored, voters } from '../../../test/raft/raft-network.ts';
import { joiningState } from './types.ts';

const without2 = { voters: ids(1, 3), outgoing: [], learners: ids(4) };
const with4 = { voters: ids(1, 3, 4), outgoing: [], learners: [] };

/** Three voters, 1 the leader of a term that has committed its first entry. */
function led(): RaftNetwork {
  const network = RaftNetwork.of(3);
  network.elect(1);
  network.stabilize();
  return network;
}

describe('R5: a change of the configuration', () => {
  it('R5: is taken by a leader alone, and only once an entry of its term is committed', () => {
    const network = RaftNetwork.of(3);
    network.node(1).campaign();
    while (network.node(1).status().role !== 'leader') {
      for (const id of [2, 1]) {
        network.process(id);
        network.deliver(id);
      }
    }
    expect(network.node(1).status().role).toBe('leader');
    expect(network.node(1).proposeReconfiguration(bytes('x'))).toMatchObject({ kind: 'refused', reason: 'dropped' });
    expect(network.node(2).proposeReconfiguration(bytes('x'))).toMatchObject({ kind: 'refused', reason: 'no-leader' });
    network.stabilize();
    expect(network.node(1).proposeReconfiguration(bytes('x')).kind).toBe('appended');
  });

  it('R5: waits until the one before is applied', () => {
    const network = led();
    expect(network.node(1).proposeReconfiguration(bytes('x')).kind).toBe('appended');
    expect(network.node(1).proposeReconfiguration(bytes('y'))).toMatchObject({ kind: 'refused', reason: 'dropped' });
    network.stabilize();
    expect(network.node(1).proposeReconfiguration(bytes('y')).kind).toBe('appended');
  });

  it('R5: is left alone by a new leader until what its predecessor left is committed', () => {
    const network = led();
    network.node(1).proposeReconfiguration(bytes('x'));
    network.process(1);
    network.deliver(3);
    while (network.process(3).length > 0);
    network.drop();
    network.elect(3, 2, 3);
    expect(network.node(3).status().role).toBe('leader');
    expect(network.node(3).status().commit).toBeGreaterThanOrEqual(12);
    expect(network.node(3).proposeReconfiguration(bytes('y')).kind).toBe('appended');
  });

  it('counts the voters that are left, and brings a newcomer the whole log', () => {
    const network = led();
    network.add(4, joiningState());
    for (const id of [1, 2, 3]) network.node(id).reconfigure(without2);
    network.tick(1);
    network.stabilize(1, 3, 4);
    network.tick(1);
    network.stabilize(1, 3, 4);
    network.propose(1, 'x');
    network.stabilize(1, 3, 4);
    expect(network.node(1).status().commit).toBe(12);
    expect(network.node(4).status()).toMatchObject({ lastIndex: 12, configuration: { voters: ids(1, 2, 3) } });
  });

  it('lets fewer voters commit what waited for one that is gone', () => {
    const network = led();
    network.propose(1, 'x');
    network.process(1);
    network.drop();
    expect(network.node(1).status().commit).toBe(11);
    network.node(1).reconfigure({ voters: ids(1), outgoing: [], learners: [] });
    expect(network.node(1).status().commit).toBe(12);
  });

  it('R7: a leader that no longer votes steps down', () => {
    const network = led();
    network.node(1).reconfigure({ voters: ids(2, 3), outgoing: [], learners: [] });
    expect(network.node(1).status()).toMatchObject({ role: 'follower', leader: undefined });
    network.node(1).campaign();
    expect(network.node(1).status().role).toBe('follower');
  });

  it('is not campaigned past: who has not applied what it knows to be committed may not know the voters', () => {
    const network = new RaftNetwork();
    const host = network.add(1, stored(voters(1), { terms: [1], commit: 11 }));
    host.node.campaign();
    expect(host.node.status().role).toBe('follower');
    host.process();
    host.node.campaign();
    expect(host.node.status().role).toBe('candidate');
  });

  it('gives a learner that has caught up its vote', () => {
    const network = led();
    network.add(4, stored(without2));
    for (const id of [1, 3]) network.node(id).reconfigure(with4);
    network.node(4).reconfigure(with4);
    network.tick(1);
    network.stabilize(1, 3, 4);
    network.propose(1, 'x');
    network.stabilize(1, 4);
    expect(network.node(1).status().commit).toBe(12);
  });
});
