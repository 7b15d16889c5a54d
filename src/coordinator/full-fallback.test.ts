/** Writes that no owner can take, where not every fallback can either. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InProcessCluster } from '../../test/in-process-cluster.ts';
import { errorOf, get, put, valuesOf } from '../../test/requests.ts';
import type { WriteRequest, WriteResult } from './api.ts';

const KEY = 'k';
let cluster: InProcessCluster;
let fallbacks: readonly string[];
const fallback = (place: number): string => fallbacks[place] ?? '';
const write = (node: string, more: Partial<WriteRequest> = {}, value = 'v'): Promise<WriteResult> =>
  cluster.settle(cluster.node(node).api.write(put(KEY, value, more)));
const hintsAt = (place: number): number => cluster.node(fallback(place)).hints.count;

/** Only these fallbacks have room for hints, and no owner is there. */
async function start(...withRoom: readonly number[]): Promise<void> {
  cluster = new InProcessCluster({ nodes: 5, n: 3 });
  const { config } = cluster;
  await cluster.start();
  const { preferenceList } = cluster.node('n1').api.ringOf('b', KEY);
  fallbacks = preferenceList.slice(3);
  for (const [place, id] of fallbacks.entries()) {
    if (withRoom.includes(place)) continue;
    await cluster.stop(id);
    cluster.configs.set(id, { ...config, limits: { ...config.limits, hintBytes: 1 } });
  }
  await cluster.start(cluster.ids.filter((id) => !cluster.isRunning(id)));
  await cluster.pass(500);
  for (const id of preferenceList.slice(0, 3)) await cluster.crash(id);
  await cluster.pass(1);
}

describe('a fallback without room for hints', () => {
  beforeEach(() => start(1));

  it('leaves a write to the next one, wherever that was asked', async () => {
    for (const node of fallbacks) expect((await write(node, { w: 1 }, node)).quorum).toMatchObject({ fallbacks: 1 });
    expect(hintsAt(0)).toBe(0);
    expect(hintsAt(1)).toBeGreaterThan(0);
  });

  it('does so too with a write that has a context', async () => {
    const { context } = await write(fallback(0), { w: 1 });
    await write(fallback(0), { w: 1, context }, 'after');
    const found = await cluster.settle(cluster.node(fallback(0)).api.get(get(KEY, { r: 1 })));
    expect([valuesOf(found), hintsAt(0)]).toEqual([['after'], 0]);
  });

  it('is told of as unknown where the next one needs it', async () => {
    expect(await errorOf(write(fallback(0), { w: 2 }))).toMatchObject({
      code: 'quorum-not-met',
      details: { outcome: 'unknown', failed: expect.arrayContaining([expect.objectContaining({ node: fallback(0) })]) },
    });
  });
});

it('fallbacks that have no room, none of them, let the client come again later', async () => {
  await start();
  for (const node of fallbacks) {
    const error = await errorOf(write(node, { w: 1 }));
    expect(error).toMatchObject({ code: 'overloaded', details: { outcome: 'not_applied', retryable: true } });
    expect(error.details.failed?.map(({ node: id }) => id)).toEqual(expect.arrayContaining([...fallbacks]));
  }
});

it('a fallback with a damaged hint of the key leaves a write to the next one', async () => {
  await start(0, 1);
  await write(fallback(0), { w: 1 });
  await cluster.pass(50);
  const store = cluster.store(fallback(0));
  const [record] = store.metaWithPrefix('hint/');
  store.applyMeta([{ key: record?.key ?? '', value: Uint8Array.of(9) }]);
  const blind = await write(fallback(0), { w: 1, explain: true }, 'blind');
  const after = await write(fallback(0), { w: 1, explain: true, context: blind.context }, 'after');
  for (const { explanation } of [blind, after]) {
    expect(explanation?.coordinators).toMatchObject([
      { node: fallback(0), refused: 'a damaged hint' },
      { node: fallback(1) },
    ]);
  }
  const found = await cluster.settle(cluster.node(fallback(1)).api.get(get(KEY, { r: 1 })));
  expect(valuesOf(found)).toEqual(['after']);
});
