import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { isRaft, requestMethod, requestOf } from '../../test/messages.ts';
import { get, put, remove, valuesOf } from '../../test/requests.ts';
import { ByteWriter } from '../core/bytes.ts';
import { containerOf } from '../core/causality/causality-builders.ts';
import { actorGrant, actorMember, actorOf, type Dot, formatDot } from '../core/causality/dot.ts';
import { type DotSet, EMPTY_DOTS, floorGrant, hasDot, hasFloor } from '../core/causality/dot-set.ts';
import type { ClusterState } from '../core/cluster/cluster-state.ts';
import { type LogIndex, logIndex, memberNumber, nodeId, objectKey, type Partition, partition } from '../core/ids.ts';
import { METHOD, writeHintRequest, writeReplicateRequest } from '../protocol.ts';
import type { CallOutcome } from '../rpc/calls.ts';
import { readRetirementRequest } from './retirement-messages.ts';

const PARTITIONS = 4;
const KEYS = Array.from({ length: 12 }, (_, i) => `key-${i}`);
const LOOK_MS = 400;

let cluster: InProcessCluster;
const api = (node: string) => cluster.node(node).api;
const clocksOf = (node: string): readonly DotSet[] =>
  Array.from({ length: PARTITIONS }, (_, at) => cluster.store(node).clock(partition(at)));
const isRetirement = (message: Uint8Array): boolean => requestMethod(message) === METHOD.retirement;

function state(node: string): ClusterState {
  const view = cluster.node(node).membership.view;
  if (view === undefined) throw new Error(`${node} knows no cluster`);
  return view.state;
}

const grantOf = (id: string, as = 'n2'): LogIndex =>
  state(as).members.find((member) => member.id === id)?.grant ?? logIndex(0);
const floorOf = (id: string, as = 'n2'): number =>
  state(as).retirements.get(memberNumber(Number(id.slice(1))))?.floor ?? 0;

/** Every entry of the node's clocks is of an actor that writes now, or stands for all that have ended. */
function isFolded(node: string): boolean {
  const grants = new Map(state(node).members.map(({ number, grant }) => [number, grant]));
  return clocksOf(node).every((clock) =>
    clock.every(({ actor, runs }) => runs[0] === 0 || actorGrant(actor) === grants.get(actorMember(actor))),
  );
}

async function restart(id: string): Promise<void> {
  await cluster.crash(id);
  await cluster.pass(5);
  await cluster.start([id]);
}

async function writeAll(value: string): Promise<void> {
  for (const [i, key] of KEYS.entries()) await cluster.settle(api(`n${1 + (i % 3)}`).write(put(key, value)));
}

const foldedEverywhere = () => cluster.until(() => cluster.ids.every(isFolded), 'every clock to be folded', 30_000);
const shownOf = async (key: string) => valuesOf(await cluster.settle(api('n2').get(get(key, { r: 3 }))));

/** To `to`, the write with that dot, as its coordinator would have sent it: over everything that is there. */
function bring(to: string, from: string, key: string, dot: Dot): Promise<CallOutcome> {
  const { epoch, partition: place } = api(to).ringOf('b', key);
  const container = containerOf([dot], cluster.store(to).clock(place));
  const message = { epoch, partition: place, key: objectKey('b', key), dots: [dot], container };
  const out = new ByteWriter();
  writeReplicateRequest(out, message);
  return cluster.settle(cluster.node(from).calls.request(nodeId(to), METHOD.replicate, out.copy(), 1000));
}

beforeEach(async () => {
  cluster = new InProcessCluster({ partitions: PARTITIONS, retirementMs: LOOK_MS });
  await cluster.start();
  await writeAll('before');
});

describe('actors that have ended', () => {
  it('leave one floor per member in the clocks, however often their nodes have started', async () => {
    for (let round = 0; round < 3; round++) {
      for (const id of cluster.ids) await restart(id);
      await writeAll(`round ${round}`);
    }
    await foldedEverywhere();
    for (const clock of clocksOf('n1')) expect(clock.length).toBeLessThanOrEqual(6);
    for (const id of cluster.ids) expect(clocksOf(id)).toEqual(clocksOf('n1'));
    for (const key of KEYS) expect(await shownOf(key)).toEqual(['round 2']);
  });

  it('leave nothing of what was deleted', async () => {
    for (const id of cluster.ids) await restart(id);
    for (const key of KEYS) {
      const { context } = await cluster.settle(api('n1').get(get(key)));
      await cluster.settle(api('n3').write(remove(key, { context })));
    }
    await foldedEverywhere();
    await cluster.pass(3000);
    for (const id of cluster.ids) {
      expect(cluster.node(id).replica.residueCount).toBe(0);
      for (let at = 0; at < PARTITIONS; at++) expect(cluster.store(id).scan(partition(at), undefined, 10)).toEqual([]);
    }
  });

  it('stay folded when the power fails', async () => {
    await restart('n1');
    await foldedEverywhere();
    // What is folded is flushed with the next exchange.
    await cluster.pass(5000);
    await cluster.crash('n2');
    await cluster.launch('n2');
    await cluster.until(() => cluster.isRunning('n2'), 'the node to run');
    expect(clocksOf('n2').every((clock) => floorGrant(clock, memberNumber(1)) === grantOf('n1', 'n3') - 1)).toBe(true);
  });

  it('are left alone while a node is away', async () => {
    await cluster.crash('n3');
    await cluster.pass(1000);
    let asked = 0;
    cluster.loses = (_, __, message) => {
      if (isRetirement(message)) asked++;
      return false;
    };
    await restart('n1');
    await cluster.pass(5000);
    expect([asked, floorOf('n1')]).toEqual([0, 0]);
    await cluster.start(['n3']);
    await cluster.until(() => floorOf('n1') === grantOf('n1') - 1, 'the retirement');
  });

  it('are left alone while owners differ in what they wrote', async () => {
    const key = 'lone';
    // What the first node writes last reaches one other owner, and no exchange passes it on.
    const isExchange = (message: Uint8Array) =>
      [METHOD.sync, METHOD.missing].some((one) => one === requestMethod(message));
    cluster.loses = (from, to, message) =>
      isExchange(message) || (from === 'n1' && to === 'n3' && requestMethod(message) === METHOD.replicate);
    await cluster.settle(api('n1').write(put(key, 'lone', { w: 2, sloppy: false })));
    await cluster.pass(100);
    await restart('n1');
    await cluster.pass(4000);
    expect(floorOf('n1')).toBe(0);
    cluster.loses = () => false;
    await foldedEverywhere();
    expect(await shownOf(key)).toEqual(['lone']);
  });
});

describe('a late write of an actor that has ended', () => {
  const stray = (grant: LogIndex): Dot => ({ actor: actorOf(memberNumber(1), grant), counter: 999 });

  it('is taken in as long as nobody has promised anything', async () => {
    const grant = grantOf('n1');
    expect(await bring('n2', 'n3', 'key-0', stray(grant))).toMatchObject({ kind: 'reply' });
  });

  it('is refused after the retirement, and overwrites nothing', async () => {
    const grant = grantOf('n1');
    await restart('n1');
    await foldedEverywhere();
    const outcome = await bring('n2', 'n3', 'key-0', stray(grant));
    expect(outcome).toMatchObject({ kind: 'refused', code: 'conflict' });
    expect(await shownOf('key-0')).toEqual(['before']);
    expect(cluster.node('n2').endedActors.refused).toBe(1);
  });

  it('is refused after a promise that led to nothing, by a later start of the node too', async () => {
    const grant = grantOf('n1');
    let asked = 0;
    cluster.loses = (_, to, message) => isRetirement(message) && to !== 'n1' && ++asked > 1;
    await restart('n1');
    await cluster.until(() => asked > 1, 'the promises');
    await cluster.pass(100);
    // Whoever leads has asked itself, and been asked by nobody else.
    const promised = cluster.node('n1').membership.leader ?? 'n1';
    expect([promised === 'n1', floorOf('n1')]).toEqual([false, 0]);
    expect(await bring(promised, 'n1', 'key-0', stray(grant))).toMatchObject({ kind: 'refused', code: 'conflict' });
    cluster.loses = (_, __, message) => isRetirement(message);
    await restart(promised);
    expect(await bring(promised, 'n1', 'key-0', stray(grant))).toMatchObject({ kind: 'refused', code: 'conflict' });
    expect(await shownOf('key-0')).toEqual(['before']);
  });
});

describe('a late write of an actor that has ended, and that a fallback was to keep', () => {
  /** An owner in whose place it is kept, and the fallback. Neither leads. */
  const [owner, fallback] = ['n3', 'n4'];
  const isPromise = (message: Uint8Array): boolean => {
    const request = requestOf(message);
    return request?.method === METHOD.retirement && readRetirementRequest(request.body).entries !== undefined;
  };

  /** To the fallback, the write with that dot, as its coordinator would have sent it: beside everything that is there. */
  function leave(at: Partition, key: string, dot: Dot): Promise<CallOutcome> {
    const address = { epoch: state('n1').epoch, partition: at, key: objectKey('b', key) };
    const out = new ByteWriter();
    writeHintRequest(out, { target: memberNumber(3), ...address, dots: [dot], container: containerOf([dot]) });
    return cluster.settle(cluster.node('n1').calls.request(nodeId(fallback), METHOD.hint, out.copy(), 1000));
  }

  it('is not lost when it passes on to its owner between what the two of them promise', async () => {
    cluster = new InProcessCluster({ nodes: 4, n: 3, partitions: PARTITIONS, retirementMs: LOOK_MS });
    await cluster.start();
    expect(cluster.node('n1').membership.leader).toBe('n1');
    const ownersOf = (each: string) => api('n1').ringOf('b', each).owners;
    const key = KEYS.find((each) => !ownersOf(each).includes(nodeId(fallback))) ?? '';
    const { partition: at, owners } = api('n1').ringOf('b', key);
    const storedAt = (id: string) => cluster.store(id).read(at, objectKey('b', key));
    const stray = { actor: actorOf(memberNumber(2), grantOf('n2', 'n1')), counter: 999 };
    let heldBack: Uint8Array | undefined;
    cluster.loses = (_, to, message) => {
      if (to !== fallback || heldBack !== undefined || !isPromise(message)) return false;
      heldBack = Uint8Array.from(message);
      return true;
    };
    await restart('n2');
    await cluster.until(() => heldBack !== undefined, 'the promises');
    // All others have given theirs.
    await cluster.pass(100);
    expect(await leave(at, key, stray)).toMatchObject({ kind: 'reply' });
    await cluster.until(() => cluster.node(fallback).hints.count === 0, 'the hint to be delivered');
    expect(hasDot(cluster.store(owner).clock(at), stray)).toBe(true);
    cluster.send('n1', fallback, heldBack ?? new Uint8Array(0));
    await cluster.until(() => floorOf('n2', 'n1') === grantOf('n2', 'n1') - 1, 'the retirement');
    const { entries } = state('n1').retirements.get(memberNumber(2)) ?? {};
    expect(hasDot(entries?.get(at) ?? EMPTY_DOTS, stray)).toBe(true);
    await foldedEverywhere();
    for (const id of owners) expect(Buffer.from(storedAt(id) ?? []).includes(formatDot(stray))).toBe(true);
  });
});

describe('a node that does not hear of a retirement', () => {
  it('exchanges with those that have folded, at no cost, and folds later', async () => {
    // The first node leads from the start on, and goes on to.
    const behind = 'n2';
    const others = ['n1', 'n3'];
    let asked = 0;
    cluster.loses = (_, to, message) => {
      if (isRetirement(message) && to === behind) asked++;
      return asked > 1 && to === behind && isRaft(message);
    };
    await restart('n3');
    await cluster.until(
      () => others.every(isFolded) && others.every((id) => hasFloor(clocksOf(id)[0] ?? [])),
      'the others',
    );
    expect(isFolded(behind)).toBe(false);
    await writeAll('after');
    await cluster.pass(6000);
    for (const id of cluster.ids) expect(cluster.node(id).antiEntropy.pulled.comparisons).toBe(0);
    expect(cluster.node(behind).antiEntropy.view().partitions).toMatchObject(
      Array.from({ length: 2 * PARTITIONS }, () => ({ missingHere: 0, missingThere: 0 })),
    );
    for (const key of KEYS) expect(await shownOf(key)).toEqual(['after']);
    cluster.loses = () => false;
    await foldedEverywhere();
  });
});
