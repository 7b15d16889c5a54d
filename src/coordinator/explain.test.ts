import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { requestMethod } from '../../test/messages.ts';
import { errorOf, get, put, remove } from '../../test/requests.ts';
import { formatDot } from '../core/causality/dot.ts';
import { METHOD } from '../protocol.ts';
import type { GetRequest, WriteRequest } from './api.ts';
import type { ReadExplanation, WriteExplanation } from './explanation.ts';

/** Four nodes with n = 3: one of them, the stranger, owns nothing of the key. */
describe('an explanation', () => {
  let cluster: InProcessCluster;
  let stranger: string;
  const key = 'k';
  const api = (node: string) => cluster.node(node).api;
  const owner = (place: number): string => api('n1').ringOf('b', key).owners[place] ?? '';
  const read = async (node: string, more: Partial<GetRequest> = {}): Promise<ReadExplanation | undefined> =>
    (await cluster.settle(api(node).get(get(key, { explain: true, ...more })))).explanation;
  const write = (node: string, request: WriteRequest) => cluster.settle(api(node).write(request));
  const explained = (request: WriteRequest): WriteRequest => ({ ...request, explain: true });
  const loseTo = (method: number, ...nodes: string[]): void => {
    cluster.loses = (_, to, message) => nodes.includes(to) && requestMethod(message) === method;
  };
  const atMs = expect.any(Number);

  beforeEach(async () => {
    cluster = new InProcessCluster({ nodes: 4, n: 3 });
    await cluster.start();
    stranger = cluster.ids.find((id) => !api('n1').ringOf('b', key).owners.includes(id)) ?? '';
  });

  it('is given only when it is asked for', async () => {
    expect(await write(owner(0), put(key, 'v'))).not.toHaveProperty('explanation');
    expect(await cluster.settle(api(owner(0)).get(get(key)))).not.toHaveProperty('explanation');
    const error = await errorOf(api(owner(0)).get(get(key, { r: 4 })));
    expect(error.details).not.toHaveProperty('explain');
  });

  it('of a read says who was asked, what each held and when', async () => {
    const { explanation } = await write(owner(0), explained(put(key, 'v', { w: 'all' })));
    const siblings = [explanation?.dot];
    expect(await read(owner(1))).toEqual({
      ...{ kind: 'read', coordinator: owner(1), epoch: 1, required: 2 },
      replicas: [1, 0].map((place) => {
        return { node: owner(place), askedAs: 'owner', askedMs: 0, answeredMs: atMs, siblings };
      }),
      ...{ quorumMs: atMs, merged: siblings, writtenBack: [], repaired: [] },
    });
  });

  it('of a read says whom it hedged with, who failed and who took the place', async () => {
    await write(owner(0), put(key, 'v', { w: 'all' }));
    loseTo(METHOD.read, owner(1));
    const hedged = await read(owner(0));
    expect(hedged?.replicas.map(({ node, askedAs }) => [node, askedAs])).toEqual([
      [owner(0), 'owner'],
      [owner(1), 'owner'],
      [owner(2), 'hedge'],
    ]);
    expect(hedged?.replicas[1]).toEqual({ node: owner(1), askedAs: 'owner', askedMs: 0 });
    expect(hedged?.replicas[2]?.askedMs).toBeGreaterThan(0);
    cluster.loses = () => false;
    cluster.pause(owner(1));
    const open = read(owner(0));
    const lost = owner(1);
    await cluster.pass(1);
    await cluster.crash(lost);
    expect((await open)?.replicas.map(({ askedAs, failed }) => [askedAs, failed])).toEqual([
      ['owner', undefined],
      ['owner', 'disconnected'],
      ['replacement', undefined],
    ]);
    expect((await read(owner(0)))?.replicas[0]).toEqual({ node: lost, askedAs: 'owner', failed: 'down' });
  });

  it('of a read says what it wrote back, and whom it will repair', async () => {
    await write(owner(0), put(key, 'old', { w: 'all' }));
    loseTo(METHOD.replicate, owner(1), owner(2));
    const { explanation } = await write(owner(0), explained(put(key, 'new', { w: 1 })));
    cluster.loses = () => false;
    const first = await read(owner(0));
    expect(first).toMatchObject({ merged: [explanation?.dot], repaired: [] });
    expect(first?.writtenBack).toEqual([{ node: owner(1), askedMs: atMs, durableMs: atMs }]);
    expect(first?.replicas[1]?.siblings).not.toEqual(first?.merged);
  });

  it('of a read that fails goes with the error', async () => {
    loseTo(METHOD.read, owner(1), owner(2));
    const error = await errorOf(cluster.settle(api(owner(0)).get(get(key, { explain: true, timeoutMs: 100 }))));
    expect(error).toMatchObject({ code: 'deadline-exceeded', details: { required: 2, explain: { kind: 'read' } } });
    const { replicas } = error.details.explain as ReadExplanation;
    expect(replicas.map(({ answeredMs }) => answeredMs !== undefined)).toEqual([true, false, false]);
  });

  it('of a write says who coordinated it and which owners have it', async () => {
    loseTo(METHOD.replicate, owner(2));
    const { explanation, siblings } = await write(stranger, explained(put(key, 'v', { returnValue: true })));
    expect(siblings).toBeUndefined();
    expect(explanation).toEqual({
      ...{ kind: 'write', epoch: 1, required: 2, dot: expect.any(String) },
      coordinators: [{ node: owner(0), askedMs: 0, endedMs: atMs }],
      replicas: [{ node: owner(0), durableMs: atMs }, { node: owner(1), durableMs: atMs }, { node: owner(2) }],
    });
    const shown = await cluster.settle(api(stranger).get(get(key)));
    expect(shown.siblings.map(({ dot }) => formatDot(dot))).toEqual([explanation?.dot]);
    const removed = await write(owner(0), explained(remove(key)));
    expect(removed.explanation?.coordinators).toHaveLength(1);
  });

  it('of a write that fails says why, owner by owner', async () => {
    const [first, second, third] = [owner(0), owner(1), owner(2)];
    for (const id of [second, third]) await cluster.crash(id);
    await cluster.pass(1);
    const error = await errorOf(write(first, explained(put(key, 'v', { sloppy: false }))));
    expect(error).toMatchObject({ code: 'quorum-impossible', details: { outcome: 'not_applied' } });
    const { coordinators, replicas } = error.details.explain as WriteExplanation;
    expect(coordinators).toEqual([{ node: first, askedMs: 0, endedMs: atMs }]);
    expect(replicas).toEqual([{ node: first }, ...[second, third].map((node) => ({ node, failed: 'down' }))]);
  });

  it('names the fallbacks that stood in for owners that are away', async () => {
    const [first, second, third] = [owner(0), owner(1), owner(2)];
    for (const id of [second, third]) await cluster.crash(id);
    await cluster.pass(1);
    const standIn = { node: stranger, askedAs: 'fallback', askedMs: 0, standsInFor: expect.any(String) };
    const error = await errorOf(cluster.settle(api(first).get(get(key, { explain: true }))));
    const before = error.details.explain as ReadExplanation;
    expect(before.replicas).toContainEqual({ ...standIn, failed: 'no-hint' });
    const { explanation } = await write(first, explained(put(key, 'v')));
    expect(explanation?.replicas).toEqual([
      { node: first, durableMs: atMs },
      ...[{ node: second }, { node: third }],
      { node: stranger, fallback: true, durableMs: atMs },
    ]);
    const merged = [explanation?.dot];
    const found = await read(first);
    expect(found).toMatchObject({ merged, writtenBack: [], repaired: [] });
    expect(found?.replicas.filter(({ node }) => node === stranger)).toEqual([
      { ...standIn, answeredMs: atMs, siblings: merged },
    ]);
  });

  it('of a write says which owners would not coordinate it', async () => {
    const [first, second] = [owner(0), owner(1)];
    await cluster.crash(first);
    const { explanation } = await write(stranger, explained(put(key, 'v')));
    expect(explanation?.coordinators).toEqual([
      { node: first, askedMs: 0, endedMs: atMs, refused: 'unreachable' },
      { node: second, askedMs: atMs, endedMs: atMs },
    ]);
  });
});
