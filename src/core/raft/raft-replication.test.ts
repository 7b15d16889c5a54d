import { describe, expect, it } from 'vitest';
import { bytes, RaftNetwork, stored, text, voters } from '../../../test/raft/raft-network.ts';
import { logIndex } from '../ids.ts';
import { joiningState, raftId } from './types.ts';

/** The transcripts of etcd-io/raft on replication. Ids, indexes and limits are theirs; terms begin at 1 with the snapshot. */

describe('probe and replicate', () => {
  // Figure 7 of the Raft paper, ten indexes further on; commit is what the transcript shows.
  const logs: readonly { readonly terms: readonly number[]; readonly term: number; readonly commit: number }[] = [
    { terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], term: 7, commit: 18 },
    { terms: [1, 1, 1, 4, 4, 5, 5, 6, 6], term: 6, commit: 18 },
    { terms: [1, 1, 1, 4], term: 7, commit: 14 },
    { terms: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], term: 6, commit: 18 },
    { terms: [1, 1, 1, 4, 4, 5, 5, 6, 7, 7, 7, 7], term: 7, commit: 18 },
    { terms: [1, 1, 1, 4, 4, 4, 4], term: 7, commit: 15 },
    { terms: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], term: 7, commit: 13 },
  ];

  function elected(): RaftNetwork {
    const network = new RaftNetwork();
    for (const [position, log] of logs.entries()) network.add(position + 1, stored(voters(1, 2, 3, 4, 5, 6, 7), log));
    network.stabilize(1);
    network.node(1).campaign();
    network.stabilize(1);
    network.stabilize(2, 3, 4, 5, 6, 7);
    network.stabilize(1);
    network.stabilize(2, 3, 4, 5, 6, 7);
    return network;
  }

  it('the voters are those whose logs are not ahead, and the leader probes everyone after its last old entry', () => {
    const network = elected();
    expect(network.deliver(1)).toEqual([
      '2->1 vote-reply@8 granted',
      '3->1 vote-reply@8 granted',
      '4->1 vote-reply@8 refused',
      '5->1 vote-reply@8 refused',
      '6->1 vote-reply@8 granted',
      '7->1 vote-reply@8 granted',
    ]);
    expect(network.process(1)).toEqual([2, 3, 4, 5, 6, 7].map((id) => `1->${id} append@8 6/20 commit=18 [8/21]`));
  });

  it.each([
    [2, '2->1 append-rejected@8 20 hint=6/19', '1->2 append@8 6/19 commit=18 [6/20 8/21]'],
    [3, '3->1 append-rejected@8 20 hint=4/14', '1->3 append@8 4/14 commit=18 [4/15 5/16 5/17 6/18 6/19 6/20 8/21]'],
    [5, '5->1 append-rejected@8 20 hint=6/18', '1->5 append@8 6/18 commit=18 [6/19 6/20 8/21]'],
    [6, '6->1 append-rejected@8 20 hint=4/17', '1->6 append@8 4/15 commit=18 [5/16 5/17 6/18 6/19 6/20 8/21]'],
    [
      7,
      '7->1 append-rejected@8 20 hint=3/20',
      '1->7 append@8 1/13 commit=18 [4/14 4/15 5/16 5/17 6/18 6/19 6/20 8/21]',
    ],
  ])('follower %i is caught up in a single round trip after its rejection', (id, rejection, append) => {
    const network = elected();
    network.stabilize(1);
    expect(network.stabilize(1, id)).toEqual([rejection, append, `${id}->1 append-accepted@8 21`]);
    expect(network.host(id).log).toBe(network.host(1).log);
  });

  it('follower 4 has the probed entry and replaces what follows it', () => {
    const network = elected();
    network.stabilize(1);
    expect(network.stabilize(1, 4)).toEqual(['4->1 append-accepted@8 21']);
    expect(network.host(4).log).toBe(network.host(1).log);
  });

  it('all end with the leader\u2019s log, committed', () => {
    const network = elected();
    network.stabilize();
    for (const host of network.hosts.values()) {
      expect(host.log).toBe('1/11 1/12 1/13 4/14 4/15 5/16 5/17 6/18 6/19 6/20 8/21');
      expect(host.node.status().commit).toBe(21);
    }
  });
});

describe('slow follower after compaction', () => {
  it('a throttled follower whose missing entries were compacted gets the snapshot after a heartbeat', () => {
    const network = RaftNetwork.of(3, { inflightAppendsMax: 2 });
    network.elect(1);
    for (const data of ['12', '13', '14']) network.propose(1, data);
    network.stabilize();
    expect(network.progress(1)).toEqual([1, 2, 3].map((id) => `${id}: replicate match=14 next=15`));

    for (const data of ['15', '16', '17', '18']) network.propose(1, data);
    network.stabilize(1, 2);
    expect(network.progress(1)).toEqual([
      '1: replicate match=18 next=19',
      '2: replicate match=18 next=19',
      '3: replicate match=14 next=17 paused inflight=2',
    ]);
    expect(network.drop(3)).toEqual(['1->3 append@2 2/14 commit=14 [2/15]', '1->3 append@2 2/15 commit=14 [2/16]']);

    network.node(1).compact(logIndex(17), bytes('state at 17'));
    network.tick(1);
    const sent = network.stabilize();
    expect(sent).toContain('1->3 snapshot@2 2/17');
    expect(network.progress(1)).toEqual([1, 2, 3].map((id) => `${id}: replicate match=18 next=19`));
    expect(network.host(3).disk.snapshot).toMatchObject({ index: 17, term: 2, configuration: voters(1, 2, 3) });
    expect(text(network.host(3).disk.snapshot.data)).toBe('state at 17');
    expect(network.host(3).log).toBe('2/18');
  });
});

describe('a snapshot', () => {
  it('that brings the follower level is answered by an acceptance, which makes it replicate again', () => {
    const network = new RaftNetwork();
    for (const id of [1, 2]) network.add(id, stored(voters(1, 2, 3)));
    network.node(1).campaign();
    network.stabilize(1, 2);
    network.node(1).compact(logIndex(11), bytes('state at 11'));
    network.drop(3);
    expect(network.progress(1)[2]).toBe('3: probe match=0 next=11 paused');

    network.add(3, joiningState());
    network.tick(1);
    expect(network.process(1)).toEqual(['1->2 heartbeat@2 commit=11', '1->3 heartbeat@2 commit=0']);
    expect(network.stabilize(3)).toEqual(['3->1 heartbeat-reply@2']);
    expect(network.stabilize(1)).toEqual(['1->3 snapshot@2 2/11']);
    expect(network.progress(1)[2]).toBe('3: snapshot match=0 next=12 paused snapshot=11');

    expect(network.stabilize(3)).toEqual(['3->1 append-accepted@2 11']);
    expect(network.node(3).status()).toMatchObject({ applied: 11, configuration: voters(1, 2, 3) });
    network.stabilize(1);
    expect(network.progress(1)).toEqual([1, 2, 3].map((id) => `${id}: replicate match=11 next=12`));
  });

  it('that is older than the one the leader waits for recovers the follower too', () => {
    const network = new RaftNetwork();
    for (const id of [1, 2]) network.add(id, stored(voters(1, 2, 3)));
    network.add(3, stored(voters(1, 2, 3), { index: 5 }));
    network.elect(1, 1, 2);
    const older = network.node(1).compact(logIndex(11), bytes('state at 11'), 1);
    network.propose(1, '12');
    network.stabilize(1, 2);
    const newer = network.node(1).compact(logIndex(12), bytes('state at 12'), 2);
    expect([older?.index, newer?.index, network.node(1).status().firstIndex]).toEqual([11, 12, 11]);
    network.deliver(3, (message) => message.kind === 'append');
    network.process(3);
    network.deliver(1);
    expect(network.process(1)).toEqual(['1->3 snapshot@2 2/12']);
    network.drop(3);

    if (older === undefined) throw new Error('no snapshot');
    network.flying.push({
      kind: 'snapshot',
      from: raftId(1),
      to: raftId(3),
      term: network.node(1).status().term,
      snapshot: older,
    });
    expect(network.stabilize(3)).toEqual(['3->1 append-accepted@2 11']);
    expect(network.stabilize(1)).toEqual(['1->3 append@2 2/11 commit=12 [2/12]']);
    network.stabilize();
    expect(network.progress(1)[2]).toBe('3: replicate match=12 next=13');
  });

  it('that was lost is sent again after a report and a heartbeat', () => {
    const network = RaftNetwork.of(2);
    network.add(3, joiningState());
    for (const id of [1, 2]) network.add(id, stored(voters(1, 2, 3)));
    network.elect(1, 1, 2);
    network.tick(1);
    expect(network.stabilize()).toContain('1->3 snapshot@2 1/10');

    const other = RaftNetwork.of(3);
    other.elect(1);
    other.propose(1, '12');
    other.stabilize(1, 2);
    other.drop(3);
    other.node(1).compact(logIndex(12), bytes('state'));
    other.node(1).reportUnreachable(raftId(3));
    other.tick(1);
    other.process(1);
    other.stabilize(3);
    expect(other.stabilize(1)).toContain('1->3 snapshot@2 2/12');
    other.drop(3);
    other.node(1).reportSnapshot(raftId(3), false);
    expect(other.progress(1)[2]).toBe('3: probe match=11 next=12 paused');
    expect(other.stabilize()).not.toContain('1->3 snapshot@2 2/12');
    other.tick(1);
    expect(other.stabilize()).toContain('1->3 snapshot@2 2/12');
    expect(other.progress(1)[2]).toBe('3: replicate match=12 next=13');
  });
});

describe('a follower that is down', () => {
  it('is sent no snapshot before it answers a heartbeat again', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    for (let tick = 0; tick < 6; tick++) {
      network.tick(1);
      network.stabilize(1, 2);
    }
    network.drop(3);
    network.propose(1, '12');
    network.stabilize(1, 2);
    network.drop(3);
    network.node(1).compact(logIndex(12), bytes('state at 12'));
    network.node(1).reportUnreachable(raftId(3));
    network.propose(1, '13');
    expect(network.stabilize(1, 2).filter((line) => line.includes('snapshot'))).toEqual([]);
    network.tick(1);
    expect(network.stabilize()).toContain('1->3 snapshot@2 2/12');
    expect(network.node(3).status().commit).toBe(13);
  });
});

describe('a snapshot that is lost without anybody noticing', () => {
  it('is sent again after a while', () => {
    const network = RaftNetwork.of(2);
    for (const id of [1, 2]) network.add(id, stored(voters(1, 2, 3)));
    const joining = network.add(3, joiningState());
    network.elect(1, 1, 2);
    let lost = 0;
    for (let tick = 0; tick < 20; tick++) {
      network.tick(1);
      for (const id of [1, 2, 3, 1]) {
        network.stabilize(id);
        const before = network.flying.length;
        if (lost === 0) network.flying = network.flying.filter((message) => message.kind !== 'snapshot');
        lost += before - network.flying.length;
      }
    }
    network.stabilize();
    expect(lost).toBe(1);
    expect(joining.node.status()).toMatchObject({ applied: 11, leader: 1 });
  });
});

describe('heartbeat', () => {
  it('an answer takes a follower that is caught up from probing back to replicating', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.node(1).reportUnreachable(raftId(2));
    expect(network.progress(1)[1]).toBe('2: probe match=11 next=12');
    network.tick(1);
    expect(network.stabilize()).toEqual([
      '1->2 heartbeat@2 commit=11',
      '1->3 heartbeat@2 commit=11',
      '2->1 heartbeat-reply@2',
      '3->1 heartbeat-reply@2',
      '1->2 append@2 2/11 commit=11 []',
      '2->1 append-accepted@2 11',
    ]);
    expect(network.progress(1)).toEqual([1, 2, 3].map((id) => `${id}: replicate match=11 next=12`));
  });

  it('commits no further than was acknowledged; its answer brings the append that does (lagging commit)', () => {
    const network = RaftNetwork.of(3);
    network.elect(1);
    network.propose(1, '12');
    network.propose(1, '13');
    network.process(1);
    network.deliver(2);
    network.deliver(3);
    expect(network.process(3)).toEqual(['3->1 append-accepted@2 12', '3->1 append-accepted@2 13']);
    expect(network.drop(1)).toHaveLength(2);
    network.stabilize(1, 2);
    expect(network.drop(3).length).toBeGreaterThan(0);
    expect(network.progress(1)[2]).toBe('3: replicate match=11 next=14 inflight=2');

    network.tick(1);
    expect(network.process(1)).toEqual(['1->2 heartbeat@2 commit=13', '1->3 heartbeat@2 commit=11']);
    expect(network.stabilize(1, 3)).toEqual([
      '3->1 heartbeat-reply@2',
      '1->3 append@2 2/13 commit=13 []',
      '3->1 append-accepted@2 13',
    ]);
    expect(network.node(3).status()).toMatchObject({ commit: 13, applied: 13 });
  });
});

describe('replication pauses', () => {
  it('at a full window, lets one empty append through for each heartbeat answered, and so finds what was lost', () => {
    const network = RaftNetwork.of(3, { inflightAppendsMax: 3 });
    network.elect(1);
    for (const data of ['12', '13', '14']) network.propose(1, data);
    network.process(1);
    expect(network.progress(1)).toEqual([
      '1: replicate match=14 next=15',
      '2: replicate match=11 next=15 paused inflight=3',
      '3: replicate match=11 next=15 paused inflight=3',
    ]);
    network.stabilize(1, 2);
    expect(network.drop(3)).toHaveLength(3);
    for (const data of ['15', '16', '17']) network.propose(1, data);
    expect(network.progress(1)).toEqual([
      '1: replicate match=14 next=15',
      '2: replicate match=14 next=18 paused inflight=3',
      '3: replicate match=11 next=15 paused inflight=3',
    ]);
    network.stabilize(1, 2);
    expect(network.progress(1)[1]).toBe('2: replicate match=17 next=18');

    network.tick(1);
    expect(network.stabilize(1)).toEqual(['1->2 heartbeat@2 commit=17', '1->3 heartbeat@2 commit=11']);
    network.stabilize(2, 3);
    expect(network.stabilize(1)).toEqual(['1->3 append@2 2/14 commit=17 []']);
    expect(network.stabilize(3)).toEqual(['3->1 append-rejected@2 14 hint=2/11']);
    network.stabilize();
    expect(network.progress(1)).toEqual([1, 2, 3].map((id) => `${id}: replicate match=17 next=18`));
  });
});
