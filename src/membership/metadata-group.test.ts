import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isRaft } from '../../test/messages.ts';
import { errorOf } from '../../test/requests.ts';

let cluster: InProcessCluster;
const leader = () => cluster.node('n1').membership.leader ?? cluster.node('n2').membership.leader ?? '';
const membership = (id: string) => cluster.node(id).membership;
const bucketsAt = (id: string) => membership(id).view?.state.buckets ?? new Map();
const followers = () => cluster.ids.filter((id) => id !== leader());
const putBucket = (id: string, bucket: string, timeoutMs = 10_000) =>
  cluster.node(id).api.putBucket(bucket, { r: 1 }, timeoutMs);
const allAgree = () =>
  cluster.until(
    () => new Set(cluster.ids.map((id) => membership(id).view?.epoch)).size === 1,
    'all nodes to have one state',
  );

beforeEach(async () => {
  cluster = new InProcessCluster();
  await cluster.start();
});

describe('a proposal', () => {
  it('is seen through by a follower and the leader alike, and reaches every node', async () => {
    for (const id of cluster.ids) await cluster.settle(putBucket(id, `by-${id}`));
    await allAgree();
    for (const id of cluster.ids) expect([...bucketsAt(id).keys()].sort()).toEqual(['by-n1', 'by-n2', 'by-n3']);
  });

  it('survives the loss of the leader that it was sent to, and is applied once', async () => {
    const [first = '', second = ''] = followers();
    const old = leader();
    const before = membership(first).view?.epoch ?? 0;
    cluster.pause(old);
    const proposed = putBucket(first, 'survives');
    await cluster.pass(5);
    await cluster.crash(old);
    await cluster.settle(proposed);
    await cluster.launch(old);
    await allAgree();
    expect(leader()).not.toBe(old);
    for (const id of [first, second]) expect(membership(id).view?.epoch).toBe(before + 1);
  });

  it('is applied once, however often it is repeated because the answer is late', async () => {
    const [first = ''] = followers();
    const before = membership(first).view?.epoch ?? 0;
    // What it sends arrives, but it does not hear of the log's progress.
    cluster.loses = (_, to, message) => to === first && isRaft(message);
    const proposed = putBucket(first, 'repeated', 30_000);
    await cluster.pass(900);
    cluster.loses = () => false;
    await cluster.settle(proposed);
    await cluster.pass(3000);
    await allAgree();
    expect(membership(first).view?.epoch).toBe(before + 1);
  });

  it('is not refused because a later one of the same node has overtaken it', async () => {
    const [first = ''] = followers();
    let isFirst = true;
    cluster.loses = (from, to, message) => {
      const isLost = from === first && to === leader() && isRaft(message) && isFirst;
      if (isLost && Buffer.from(message).includes('propose')) isFirst = false;
      return isLost;
    };
    const proposed = Array.from({ length: 5 }, (_, i) => putBucket(first, `bucket-${i}`));
    await cluster.settle(Promise.all(proposed));
    expect(isFirst).toBe(false);
    expect(bucketsAt(first).size).toBe(5);
  });

  it('is given up at its deadline when there is no leader, and later ones before it at theirs', async () => {
    for (const id of followers()) await cluster.crash(id);
    const alone = leader();
    const startMs = cluster.clock.monotonicMs();
    const long = errorOf(putBucket(alone, 'long', 6000));
    const short = errorOf(putBucket(alone, 'short', 500));
    expect(await cluster.settle(short)).toMatchObject({ code: 'no-leader' });
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(700);
    expect(await cluster.settle(long)).toMatchObject({ code: 'no-leader' });
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(6300);
  });

  it('ends with the node', async () => {
    const [first = ''] = followers();
    cluster.loses = (_, __, message) => isRaft(message);
    const proposed = errorOf(putBucket(first, 'ends', 60_000));
    await cluster.pass(10);
    await cluster.stop(first);
    expect(await cluster.settle(proposed, 1000)).toMatchObject({ code: 'no-leader' });
  });

  it('that is invalid is refused with its reason', async () => {
    const error = await errorOf(cluster.settle(cluster.node('n1').api.putSettings({ r: 9 }, 2000)));
    expect(error).toMatchObject({ code: 'bad-body', message: expect.stringContaining('r: expected at most n = 3') });
  });
});

describe('the metadata log', () => {
  /** More entries than are kept. */
  const fill = async (id: string, count: number) => {
    for (let i = 0; i < count; i++) await cluster.settle(putBucket(id, `fill-${i % 7}`));
  };

  it('is compacted, and a restart finds the state again', async () => {
    await fill(leader(), 1100);
    await allAgree();
    const { state } = membership('n1').view ?? {};
    for (const id of cluster.ids) {
      expect(cluster.store(id).metaWithPrefix('raft/entry/').length).toBeLessThan(300);
      await cluster.crash(id);
    }
    await cluster.start();
    await allAgree();
    const restored = membership('n1').view?.state;
    expect(restored?.epoch).toBe(state?.epoch);
    expect(restored?.buckets).toEqual(state?.buckets);
    expect(restored?.ownership).toEqual(state?.ownership);
  });

  it('reaches a node that missed more than is kept, and soon so when the first snapshot is lost with its connection', async () => {
    const [first = ''] = followers();
    await cluster.crash(first);
    await fill(leader(), 1100);
    let lost = 0;
    cluster.loses = (_, to, message) => {
      const isSnapshot = to === first && isRaft(message) && Buffer.from(message).includes('snapshot');
      if (isSnapshot) lost++;
      return isSnapshot;
    };
    await cluster.launch(first);
    await cluster.until(() => lost > 0, 'a snapshot to be sent');
    cluster.loses = () => false;
    cluster.cut(leader(), first);
    await cluster.pass(10);
    cluster.mend(leader(), first);
    const mendedMs = cluster.clock.monotonicMs();
    await cluster.until(() => membership(first).standing.actor !== undefined, 'the node to be granted', 20_000);
    await allAgree();
    expect(lost).toBe(1);
    // Without the connection's word for it the leader would wait for two election time-outs.
    expect(cluster.clock.monotonicMs() - mendedMs).toBeLessThan(800);
  });
});

describe('what a node is told when it asks for the latest state', () => {
  const group = (id: string) => membership(id).metadata;

  it('includes every change that was acknowledged before it asked', async () => {
    const [first = ''] = followers();
    for (let i = 0; i < 20; i++) {
      await cluster.settle(putBucket(leader(), `b${i}`));
      await cluster.settle(group(first)?.refresh(5000) ?? Promise.resolve(false));
      expect(bucketsAt(first).has(`b${i}`)).toBe(true);
    }
  });

  it('also when the answer overtakes the entries that it speaks of', async () => {
    const [first = ''] = followers();
    cluster.loses = (_, to, message) => to === first && isRaft(message) && Buffer.from(message).includes('append');
    await cluster.settle(putBucket(leader(), 'overtaken'));
    const caughtUp = group(first)?.refresh(5000) ?? Promise.resolve(false);
    await cluster.pass(150);
    expect(bucketsAt(first).has('overtaken')).toBe(false);
    cluster.loses = () => false;
    expect(await cluster.settle(caughtUp)).toBe(true);
    expect(bucketsAt(first).has('overtaken')).toBe(true);
  });

  it('is nothing without a leader, in time, and nothing from a leader that was cut off', async () => {
    const old = leader();
    for (const id of followers()) cluster.cut(old, id);
    expect(await cluster.settle(group(old)?.refresh(500) ?? Promise.resolve(true))).toBe(false);
    cluster.loses = (_, __, message) => isRaft(message);
    await cluster.pass(5000);
    for (const id of cluster.ids)
      expect(await cluster.settle(group(id)?.refresh(500) ?? Promise.resolve(true))).toBe(false);
  });
});
