/** A node that was away comes back and has all that it missed, with nobody reading or writing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, send } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

describe('an owner that was away', () => {
  let cluster: RealCluster;
  beforeAll(async () => {
    cluster = await RealCluster.create();
    await cluster.start();
  }, 60_000);
  afterAll(() => cluster.remove());

  const KEYS = 300;
  const path = (i: number, query: string): string => `/v1/kv/b/away-${i}?${query}`;
  const put = (i: number, body: string, headers = {}) =>
    send(cluster.httpPort('n1'), path(i, 'w=2'), { method: 'PUT', body, headers });
  const inSync = (id: string): Promise<unknown> =>
    expect
      .poll(async () => jsonOf(await send(cluster.httpPort(id), '/v1/cluster/sync')), {
        timeout: 20_000,
        interval: 100,
      })
      .toMatchObject({ node: id, oldestMs: null, unheard: 0, partitions: [] });

  it('takes in values, overwritten ones, and deletes', { timeout: 60_000 }, async () => {
    for (let i = 0; i < KEYS; i++) expect((await put(i, `before ${i}`)).status).toBe(204);
    await cluster.kill(['n3']);
    for (let i = 0; i < KEYS; i++) {
      if (i % 3 === 0) expect((await put(i, `after ${i}`)).status).toBe(204);
      if (i % 3 === 1) {
        expect((await send(cluster.httpPort('n2'), path(i, 'w=2'), { method: 'DELETE' })).status).toBe(204);
      }
    }
    await cluster.start(['n3']);
    await inSync('n3');
    for (let i = 0; i < KEYS; i++) {
      const read = await send(cluster.httpPort('n3'), path(i, 'r=1'));
      expect(read.status).toBe(i % 3 === 1 ? 404 : 200);
      if (i % 3 !== 1) expect(read.body.toString()).toBe(i % 3 === 0 ? `after ${i}` : `before ${i}`);
    }
  });

  it('has it on its own disk then: the others may go', { timeout: 60_000 }, async () => {
    await cluster.kill(['n1', 'n2']);
    const read = await send(cluster.httpPort('n3'), path(0, 'r=1'));
    expect(read.body.toString()).toBe('after 0');
  });
});
