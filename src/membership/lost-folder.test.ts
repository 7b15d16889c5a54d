/** H1, H24, R3: a folder that was emptied, or put back from a copy, is recognised; its node comes back, and nothing is missed. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Loses } from '../../test/faulty-ports.ts';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isProposal, isRaft, isReply, requestMethod } from '../../test/messages.ts';
import { errorOf, get, put, valuesOf } from '../../test/requests.ts';
import { dotSetOf } from '../core/causality/dot-set.ts';
import { epoch, nodeId, objectKey } from '../core/ids.ts';
import { raftId } from '../core/raft/types.ts';
import { METHOD } from '../protocol.ts';

/** Others hear the node, but it does not hear their answers, nor what the metadata group says. */
const deafTo =
  (node: string): Loses =>
  (_, to, message) =>
    to === node && (isReply(message) || isRaft(message));

let cluster: InProcessCluster;
const membershipOf = (id: string) => cluster.node(id).membership;
const memberOf = (id: string, seenBy = 'n1') =>
  membershipOf(seenBy).view?.state.members.find((member) => member.id === id);
const votersSeenBy = (id: string) => membershipOf(id).view?.state.metadata.voters;
const write = (node: string, key: string, value: string, w: number | 'all' = 'all') =>
  cluster.settle(cluster.node(node).api.write(put(key, value, { w })));
const read = (node: string, key: string, more = {}) => cluster.settle(cluster.node(node).api.get(get(key, more)));
const stored = (id: string, key: string) =>
  cluster.store(id).read(cluster.node(id).api.ringOf('b', key).partition, objectKey('b', key));
const isGranted = (id: string): boolean => membershipOf(id).standing.actor !== undefined;
const whole = (id: string) => cluster.until(() => membershipOf(id).standing.isWhole, `${id} to have caught up`);

async function loseFolder(id: string): Promise<void> {
  await cluster.crash(id);
  cluster.wipe(id);
  await cluster.launch(id);
}

/** The folder as it is now, to be put back later; the node has lived on since. */
async function putBackLater(id: string): Promise<() => Promise<void>> {
  await cluster.crash(id);
  const { log, state } = cluster.disk(id);
  cluster.disk(id).cutPower(() => 0);
  await cluster.start([id]);
  return async () => {
    await cluster.crash(id);
    Object.assign(cluster.disk(id), { log, state });
    await cluster.launch(id);
  };
}

describe('a member whose folder was emptied', () => {
  beforeEach(async () => {
    cluster = new InProcessCluster();
    await cluster.start();
  });

  it('catches up with every other owner, and then holds what they hold (C8)', async () => {
    for (let i = 0; i < 50; i++) await write('n1', `k${i}`, `v${i}`);
    await loseFolder('n2');
    await whole('n2');
    for (let i = 0; i < 50; i++) expect(stored('n2', `k${i}`)).toEqual(stored('n1', `k${i}`));
    expect(membershipOf('n2').catchUp.isOver).toBe(true);
  });

  it('gets another folder and another Raft id, and its vote back (H24)', async () => {
    const before = memberOf('n2');
    await loseFolder('n2');
    await whole('n2');
    const after = memberOf('n2');
    expect(after?.store).not.toBe(before?.store);
    expect(after?.raft).not.toBe(before?.raft);
    await cluster.until(() => votersSeenBy('n1')?.includes(after?.raft ?? raftId(0)) === true, 'n2 to vote');
    expect(votersSeenBy('n1')).toEqual([1, 3, after?.raft]);
    await cluster.crash('n1');
    await cluster.until(
      () => membershipOf('n3').leader !== undefined && membershipOf('n3').leader !== 'n1',
      'a leader',
    );
    await cluster.settle(membershipOf('n2').putBucket('b', { r: 1 }, 5000));
  });

  it('neither reads nor coordinates a partition until every other owner has been exchanged with', async () => {
    const key =
      [1, 2, 3, 4, 5, 6, 7, 8].map(String).find((one) => cluster.node('n1').api.ringOf('b', one).owners[0] === 'n3') ??
      '';
    const exchanges: readonly unknown[] = [METHOD.replicate, METHOD.hint, METHOD.sync, METHOD.missing, METHOD.compare];
    const between = (from: string, to: string, message: Uint8Array): boolean =>
      [from, to].sort().join() === 'n1,n3' && exchanges.includes(requestMethod(message));
    cluster.loses = between;
    await write('n3', key, 'v', 2);
    // Only n3 is left of those that have it, and it can say so, but cannot be had from.
    const pulls: readonly unknown[] = [METHOD.missing, METHOD.compare];
    cluster.loses = (from, to, message) =>
      between(from, to, message) || (from === 'n2' && to === 'n3' && pulls.includes(requestMethod(message)));
    await loseFolder('n2');
    await cluster.until(
      () => isGranted('n2') && cluster.node('n2').api.catchUp().partitions.length === 1,
      'all else to be caught up with',
    );
    await cluster.pass(5000);
    const { standing } = membershipOf('n2');
    const { partition } = cluster.node('n2').api.ringOf('b', key);
    expect(cluster.node('n2').api.catchUp().partitions).toEqual([{ partition, waitsFor: ['n3'] }]);
    expect([standing.isReadable(partition), standing.actorOf(partition)]).toEqual([false, undefined]);
    expect(valuesOf(await read('n2', key, { r: 2 }))).toEqual(['v']);
    expect(await errorOf(read('n2', key, { r: 3 }))).toMatchObject({
      code: 'quorum-impossible',
      details: { failed: [expect.objectContaining({ node: 'n2', reason: expect.stringContaining('catching up') })] },
    });
    const through = await write('n2', key, 'after', 2);
    expect(through.quorum.owners).toBe(2);
    cluster.loses = () => false;
    await whole('n2');
    expect(standing.isReadable(partition)).toBe(true);
  });

  it('is not what makes a read miss what it had acknowledged together with one other owner', async () => {
    cluster.cut('n1', 'n3');
    cluster.cut('n2', 'n3');
    await cluster.pass(2000);
    await write('n1', 'k', 'v', 2);
    cluster.mend('n1', 'n3');
    cluster.mend('n2', 'n3');
    cluster.loses = (from, to, message) =>
      (from === 'n3' || to === 'n3') && requestMethod(message) === METHOD.replicate;
    await loseFolder('n2');
    await whole('n2');
    expect(stored('n2', 'k')).toEqual(stored('n1', 'k'));
  });

  it('goes on catching up after a restart', async () => {
    await write('n1', 'k', 'v');
    cluster.loses = (from, to, message) => from === 'n2' && to === 'n3' && requestMethod(message) === METHOD.sync;
    await loseFolder('n2');
    await cluster.until(() => isGranted('n2'), 'n2 to be granted');
    await cluster.pass(2000);
    await cluster.crash('n2');
    await cluster.launch('n2');
    await cluster.until(() => membershipOf('n2').standing.actor !== undefined, 'n2 to be granted again');
    expect(membershipOf('n2').standing.isWhole).toBe(false);
    cluster.loses = () => false;
    await whole('n2');
  });

  it('waits while nobody can say whether it had a folder', async () => {
    for (const id of ['n2', 'n3']) await cluster.crash(id);
    cluster.wipe('n2');
    await cluster.launch('n2');
    await cluster.pass(10_000);
    expect(cluster.fatal.size).toBe(0);
    expect(membershipOf('n2').view).toBeUndefined();
    expect(membershipOf('n2').standing.mayRead).toBe(false);
    await cluster.launch('n3');
    await whole('n2');
  });

  it('may lose its folder again and again', async () => {
    await write('n1', 'k', 'v');
    for (let i = 0; i < 3; i++) {
      await loseFolder('n2');
      await whole('n2');
      await cluster.until(() => votersSeenBy('n1')?.length === 3, 'n2 to vote');
    }
    expect(stored('n2', 'k')).toEqual(stored('n1', 'k'));
  });
});

describe('an owner that will never come back', () => {
  const except = (owner: string) => cluster.settle(cluster.node('n2').api.exceptOwner(owner));
  beforeEach(async () => {
    cluster = new InProcessCluster({ nodes: 5, n: 3 });
    await cluster.start();
  });

  it('is waited for, until an operator says that it is not to be', async () => {
    await write('n1', 'k', 'v');
    await cluster.crash('n3');
    await loseFolder('n2');
    await cluster.until(() => isGranted('n2'), 'n2 to be granted');
    await cluster.pass(5000);
    const { partitions } = cluster.node('n2').api.catchUp();
    expect(partitions.length).toBeGreaterThan(0);
    for (const { waitsFor } of partitions) expect(waitsFor).toEqual(['n3']);
    const view = await except('n3');
    expect(view.excepted).toEqual(['n3']);
    await whole('n2');
    expect(cluster.node('n2').api.catchUp()).toEqual({ node: 'n2', partitions: [], excepted: [] });
  });

  it('is waited for again when it comes back before the catch-up has ended', async () => {
    await cluster.crash('n3');
    await cluster.crash('n4');
    await loseFolder('n2');
    await cluster.launch('n4');
    await cluster.until(() => isGranted('n2'), 'n2 to be granted');
    cluster.loses = (from, to, message) => from === 'n2' && to === 'n4' && requestMethod(message) === METHOD.sync;
    await except('n3');
    cluster.loses = (from, to, message) =>
      from === 'n2' && (to === 'n4' || to === 'n3') && requestMethod(message) === METHOD.sync;
    await cluster.launch('n3');
    await cluster.until(
      () =>
        cluster
          .node('n2')
          .api.catchUp()
          .partitions.some(({ waitsFor }) => waitsFor.includes(nodeId('n3'))),
      'n3 to be waited for',
    );
    cluster.loses = () => false;
    await whole('n2');
  });

  it('is not excepted while it can be reached, nor when nothing waits, nor when it is no other member', async () => {
    expect(await errorOf(except('n3'))).toMatchObject({ code: 'conflict' });
    cluster.loses = (from, to, message) => from === 'n2' && to === 'n3' && requestMethod(message) === METHOD.sync;
    await loseFolder('n2');
    await cluster.until(() => isGranted('n2'), 'n2 to be granted');
    await cluster.pass(3000);
    expect(await errorOf(except('n3'))).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('connected'),
    });
    for (const owner of ['n2', 'n9', ''])
      expect(await errorOf(except(owner))).toMatchObject({ code: 'bad-body', details: { field: 'except' } });
  });
});

describe('a member whose folder was lost before its first grant', () => {
  it('is readmitted, since it may have voted', async () => {
    cluster = new InProcessCluster();
    cluster.loses = (_, __, message) => isRaft(message);
    for (const id of cluster.ids) await cluster.launch(id);
    await cluster.pass(3000);
    await cluster.crash('n3');
    cluster.wipe('n3');
    cluster.loses = () => false;
    await cluster.launch('n3');
    await whole('n3');
    expect(memberOf('n3')?.raft).not.toBe(3);
  });

  it('is recognised by a node that joined late as well', async () => {
    cluster = new InProcessCluster({ nodes: 5 });
    cluster.loses = deafTo('n1');
    for (const id of cluster.ids) await cluster.launch(id);
    await cluster.until(() => membershipOf('n2').view !== undefined, 'the cluster to be created');
    await cluster.crash('n5');
    cluster.loses = () => false;
    await cluster.until(() => membershipOf('n1').standing.actor !== undefined, 'n1 to join');
    expect(memberOf('n5')?.grant).toBe(0);
    cluster.wipe('n5');
    cluster.loses = (from, to, message) => to === 'n5' && from !== 'n1' && !isRaft(message);
    await cluster.launch('n5');
    await cluster.until(() => memberOf('n5')?.raft !== 5, 'n5 to be readmitted');
  });
});

describe('a member beyond the voters whose folder was lost before its first grant', () => {
  it('is readmitted, since it may have acknowledged', async () => {
    cluster = new InProcessCluster({ nodes: 6 });
    for (const id of cluster.ids.slice(0, 5)) await cluster.launch(id);
    await cluster.until(() => membershipOf('n1').view !== undefined, 'the cluster to be created');
    cluster.loses = (from, _, message) => from === 'n6' && isProposal(message);
    await cluster.launch('n6');
    await cluster.until(() => membershipOf('n6').view !== undefined, 'n6 to join');
    await cluster.pass(1000);
    expect(memberOf('n6')?.grant).toBe(0);
    await cluster.crash('n6');
    cluster.wipe('n6');
    cluster.loses = () => false;
    await cluster.launch('n6');
    await whole('n6');
    expect(memberOf('n6')?.raft).not.toBe(6);
    expect(cluster.log.filter((line) => line.includes('n6 warn this data folder is older'))).toEqual([]);
  });
});

describe('a member whose folder is an older copy', () => {
  beforeEach(async () => {
    cluster = new InProcessCluster();
    await cluster.start();
  });

  it('takes no part under the Raft id that it had, and catches up', async () => {
    await write('n1', 'k', 'old');
    const putBack = await putBackLater('n2');
    await write('n2', 'k', 'new');
    await write('n2', 'k2', 'v');
    await putBack();
    expect(membershipOf('n2').metadata).toBeUndefined();
    await whole('n2');
    expect(memberOf('n2')?.raft).not.toBe(2);
    for (const key of ['k', 'k2']) expect(stored('n2', key)).toEqual(stored('n1', key));
  });

  it('is recognised at its grant at the latest, when nobody could be asked before', async () => {
    const putBack = await putBackLater('n2');
    await write('n2', 'k', 'v');
    cluster.loses = (from, to, message) =>
      (from === 'n2' || to === 'n2') && requestMethod(message) === METHOD.latestStart;
    await putBack();
    await cluster.pass(1500);
    await whole('n2');
    expect(memberOf('n2')?.raft).not.toBe(2);
    expect(stored('n2', 'k')).toEqual(stored('n1', 'k'));
  });

  it('is recognised by others that are just starting themselves', async () => {
    const putBack = await putBackLater('n2');
    await write('n2', 'k', 'v');
    for (const id of ['n1', 'n3']) await cluster.crash(id);
    for (const id of ['n1', 'n3']) await cluster.launch(id);
    await putBack();
    await whole('n2');
    expect(memberOf('n2')?.raft).not.toBe(2);
    expect(stored('n2', 'k')).toEqual(stored('n1', 'k'));
  });

  it('is recognised by others that do not know yet what of their logs is committed', async () => {
    const putBack = await putBackLater('n2');
    for (const id of ['n1', 'n3']) {
      await cluster.crash(id);
      cluster.disk(id).cutPower(() => 0);
    }
    cluster.loses = (_, __, message) => isRaft(message);
    for (const id of ['n1', 'n3']) await cluster.launch(id);
    await putBack();
    await cluster.pass(1500);
    expect(cluster.log.filter((line) => line.includes('n2 warn this data folder is older'))).toHaveLength(1);
    cluster.loses = () => false;
    await whole('n2');
    expect(memberOf('n2')?.raft).not.toBe(2);
  });

  it('has forgotten entries of the metadata log that it acknowledged, and is not counted on any more', async () => {
    const putBack = await putBackLater('n2');
    for (let i = 0; i < 5; i++) await cluster.settle(membershipOf('n2').putBucket(`b${i}`, { r: 1 }, 5000));
    await putBack();
    await whole('n2');
    await cluster.until(() => votersSeenBy('n1')?.length === 3, 'n2 to vote');
    expect(cluster.fatal.size).toBe(0);
  });

  it('is the latest one after restarts without a leader, however many', async () => {
    await cluster.crash('n2');
    cluster.loses = (_, __, message) => isRaft(message);
    for (let i = 0; i < 3; i++) {
      await cluster.launch('n2');
      await cluster.pass(500);
      await cluster.crash('n2');
    }
    cluster.loses = () => false;
    await cluster.start(['n2']);
    expect(memberOf('n2')?.raft).toBe(2);
  });
});

describe('a process that hears of a write of its own that it has forgotten', () => {
  beforeEach(async () => {
    cluster = new InProcessCluster();
    await cluster.start();
  });

  it('catches up with that partition before it serves it again, and writes under another grant then', async () => {
    await write('n2', 'k', 'v');
    const { partition } = cluster.node('n2').api.ringOf('b', 'k');
    const before = membershipOf('n2').standing.actor ?? never();
    const dot = { actor: before, counter: 1000 };
    const container = { siblings: [], context: dotSetOf([dot]) };
    const { replica } = cluster.node('n2');
    replica.merge({ epoch: epoch(1), partition, key: objectKey('b', 'k'), dots: [dot], container });
    expect(membershipOf('n2').standing.actorOf(partition)).toBeUndefined();
    expect(
      cluster
        .node('n2')
        .api.catchUp()
        .partitions.map((one) => one.partition),
    ).toEqual([partition]);
    await whole('n2');
    await cluster.until(() => membershipOf('n2').standing.actor !== before, 'another grant');
    expect(membershipOf('n2').standing.actor).toBeGreaterThan(before);
    expect((await write('n2', 'k', 'w')).quorum.owners).toBe(3);
  });

  it('does not take what others hold of its writes for forgotten', async () => {
    for (let i = 0; i < 20; i++) await write('n2', `k${i}`, 'v');
    await cluster.crash('n3');
    await cluster.start(['n3']);
    await cluster.pass(3000);
    for (const id of cluster.ids) expect(membershipOf(id).catchUp.isOver).toBe(true);
  });
});

function never(): never {
  throw new Error('n2 has no grant');
}
