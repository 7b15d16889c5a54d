/** H1, H24, R3: what a folder that lost something does until its loss is known, and until it has its next grant. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isRaft, requestMethod } from '../../test/messages.ts';
import { get, put, valuesOf } from '../../test/requests.ts';
import type { Actor, Dot } from '../core/causality/dot.ts';
import { dotSetOf } from '../core/causality/dot-set.ts';
import { epoch, nodeId, objectKey } from '../core/ids.ts';
import { METHOD } from '../protocol.ts';

let cluster: InProcessCluster;
const membershipOf = (id: string) => cluster.node(id).membership;
const memberOf = (id: string) => membershipOf('n1').view?.state.members.find((member) => member.id === id);
const write = (node: string, key: string, value: string, w: number | 'all' = 'all') =>
  cluster.settle(cluster.node(node).api.write(put(key, value, { w })));
const whole = (id: string) => cluster.until(() => membershipOf(id).standing.isWhole, `${id} to have caught up`);
const actorOf = (id: string): Actor => membershipOf(id).standing.actor ?? never();
const partitionOf = (key: string) => cluster.node('n1').api.ringOf('b', key).partition;

/** The node hears of a write of its own that it has never made. */
function forgets(id: string, key: string, counter: number): Dot {
  const dot = { actor: actorOf(id), counter };
  const container = { siblings: [], context: dotSetOf([dot]) };
  const address = { epoch: epoch(1), partition: partitionOf(key), key: objectKey('b', key) };
  cluster.node(id).replica.merge({ ...address, dots: [dot], container });
  return dot;
}

/** The folder as it is now, and how to put it back. The node is down then. */
async function copied(id: string): Promise<() => Promise<void>> {
  await cluster.crash(id);
  const { log, state } = cluster.disk(id);
  cluster.disk(id).cutPower(() => 0);
  return async () => {
    if (cluster.isRunning(id)) await cluster.crash(id);
    Object.assign(cluster.disk(id), { log, state });
    await cluster.launch(id);
  };
}

const toOrFrom =
  (id: string, method: number) =>
  (from: string, to: string, message: Uint8Array): boolean =>
    (from === id || to === id) && requestMethod(message) === method;

beforeEach(async () => {
  cluster = new InProcessCluster();
  await cluster.start();
});

describe('a folder in whose place another was readmitted, put back', () => {
  it('is recognised although nobody could be asked when it started, and no leader speaks to it', async () => {
    const putBack = await copied('n2');
    cluster.wipe('n2');
    await cluster.launch('n2');
    await whole('n2');
    await write('n1', 'k', 'v');
    cluster.loses = toOrFrom('n2', METHOD.latestStart);
    await putBack();
    await cluster.pass(1500);
    cluster.loses = () => false;
    await whole('n2');
    expect(cluster.fatal.size).toBe(0);
  });

  it('does not answer reads from what it had meanwhile', async () => {
    await write('n1', 'k', 'old');
    const putBack = await copied('n2');
    cluster.wipe('n2');
    await cluster.launch('n2');
    await whole('n2');
    cluster.cut('n1', 'n3');
    cluster.cut('n2', 'n3');
    await cluster.pass(3000);
    await write('n2', 'k', 'new', 2);
    cluster.loses = toOrFrom('n2', METHOD.latestStart);
    await putBack();
    cluster.cut('n1', 'n2');
    await cluster.pass(1500);
    cluster.loses = () => false;
    cluster.mend('n1', 'n2');
    cluster.mend('n1', 'n3');
    cluster.mend('n2', 'n3');
    await whole('n2');
    expect(valuesOf(await cluster.settle(cluster.node('n2').api.get(get('k', { r: 2 }))))).toContain('new');
  });

  it('is recognised although the other never had a grant', async () => {
    const putBack = await copied('n2');
    cluster.wipe('n2');
    cluster.loses = (_, to, message) => to === 'n2' && isRaft(message);
    await cluster.launch('n2');
    await cluster.until(() => memberOf('n2')?.raft !== 2, 'n2 to be readmitted');
    await cluster.pass(500);
    cluster.loses = () => false;
    await putBack();
    await whole('n2');
    expect(cluster.fatal.size).toBe(0);
  });
});

describe('a process in whose place another one is taken in', () => {
  it('ends as soon as it can hear of it', async () => {
    const { store } = memberOf('n2') ?? never();
    cluster.cut('n1', 'n2');
    cluster.cut('n2', 'n3');
    const readmit = { kind: 'readmit', member: nodeId('n2'), replaces: store, store: 'another' } as const;
    await cluster.settle(membershipOf('n1').metadata?.propose(readmit, 5000) ?? never());
    await cluster.pass(10_000);
    expect(cluster.fatal.size).toBe(0);
    cluster.mend('n1', 'n2');
    await cluster.until(() => cluster.fatal.size > 0, 'n2 to end', 3000);
    expect(cluster.fatal.get('n2')).toMatchObject({
      exitCode: 2,
      message: 'n2 takes part in the cluster with another data folder than this one',
    });
  });
});

describe('a process that has forgotten a write of its own', () => {
  it('does not write to the partition before it has another grant, though it has caught up', async () => {
    const before = actorOf('n2');
    cluster.loses = (from, to, message) => (from === 'n2' || to === 'n2') && isRaft(message);
    forgets('n2', 'k', 1000);
    await cluster.pass(5000);
    expect(membershipOf('n2').standing.actorOf(partitionOf('k'))).toBeUndefined();
    cluster.loses = () => false;
    await whole('n2');
    expect(actorOf('n2')).toBeGreaterThan(before);
  });

  it('keeps the folder that has the grant, though it forgets in several partitions at once', async () => {
    const raft = memberOf('n2')?.raft;
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    const one = keys[0] ?? never();
    const other = keys.find((key) => partitionOf(key) !== partitionOf(one)) ?? never();
    const grants = () => memberOf('n2')?.starts.length ?? 0;
    const had = grants();
    forgets('n2', one, 1000);
    forgets('n2', other, 1000);
    await cluster.until(() => grants() > had, 'a grant');
    await cluster.pass(1000);
    expect(grants()).toBe(had + 1);
    await whole('n2');
    expect(memberOf('n2')?.raft).toBe(raft);
  });

  it('gives its folder up when another start has had a grant meanwhile that the folder does not know', async () => {
    await write('n1', 'k', 'v');
    const before = actorOf('n2');
    const { store, starts, host, http, rpc } = memberOf('n2') ?? never();
    const another = { kind: 'grant', member: nodeId('n2'), store, start: 'another', attempts: starts } as const;
    const addresses = { host, http, rpc };
    await cluster.settle(membershipOf('n1').metadata?.propose({ ...another, addresses }, 5000) ?? never());
    forgets('n2', 'k', 1000);
    await cluster.until(() => membershipOf('n2').standing.actor === undefined, 'the grant to be given up');
    for (const one of cluster.node('n2').api.ring().partitions)
      expect(membershipOf('n2').standing.isReadable(one.partition)).toBe(false);
    await whole('n2');
    expect(actorOf('n2')).toBeGreaterThan(before);
    expect(memberOf('n2')?.raft).not.toBe(2);
    expect(cluster.fatal.size).toBe(0);
  });

  it('notices what only the clock of another owner tells, when all keys are compared', async () => {
    await write('n2', 'k', 'v');
    const before = actorOf('n2');
    const { replica } = cluster.node('n2');
    replica.absorbClock(partitionOf('k'), dotSetOf([{ actor: before, counter: 1000 }]));
    expect(membershipOf('n2').catchUp.isOpen(partitionOf('k'))).toBe(true);
    await whole('n2');
    await cluster.until(() => actorOf('n2') > before, 'another grant');
  });
});

function never(): never {
  throw new Error('not to be');
}
