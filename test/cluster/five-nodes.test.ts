/** Five nodes, three owners for each key: any node serves any request. And one node alone, with limits that a test can reach. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerOf, jsonOf, RawConnection, send } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

describe('five nodes, n=3', () => {
  let cluster: RealCluster;
  beforeAll(async () => {
    cluster = await RealCluster.create({ nodes: 5, n: 3 });
    await cluster.start();
  }, 60_000);
  afterAll(() => cluster.remove());

  it('every node serves reads, blind writes, writes with a context and deletes of every key, owner or not', async () => {
    let foreign = 0;
    for (let i = 0; i < 10; i++) {
      const path = `/v1/kv/b/any-${i}`;
      const ring = await send(cluster.httpPort('n1'), `/v1/cluster/ring?bucket=b&key=any-${i}`);
      const { owners } = jsonOf(ring) as { owners: string[] };
      expect(new Set(owners).size).toBe(3);
      for (const id of cluster.ids) {
        const port = cluster.httpPort(id);
        if (!owners.includes(id)) foreign++;
        const first = await send(port, `${path}?w=3`, { method: 'PUT', body: `${id} blind` });
        expect(first).toMatchObject({ status: 204, headers: { 'quorate-node': id } });
        expect(headerOf(first, 'quorate-quorum')).toBe('w=3/3; owners=3; fallbacks=0; durable=flush');
        expect((await send(port, `${path}?r=3`)).body.toString()).toBe(`${id} blind`);
        const headers = { 'Causal-Context': headerOf(first, 'causal-context') };
        await send(port, `${path}?w=3`, { method: 'PUT', body: `${id} knowing`, headers });
        const read = await send(port, `${path}?r=3`);
        expect(read).toMatchObject({ status: 200, body: Buffer.from(`${id} knowing`) });
        const timed = [...headerOf(read, 'server-timing').matchAll(/(n\d);dur/g)].map(([, node]) => node);
        expect(timed.sort()).toEqual([...owners].sort());
        expect((await send(port, `${path}?w=3`, { method: 'DELETE' })).status).toBe(204);
        expect((await send(port, `${path}?r=3`)).status).toBe(404);
      }
    }
    expect(foreign).toBe(20);
  });

  it('more than n is no quorum, on any node', async () => {
    for (const id of cluster.ids) {
      const answer = await send(cluster.httpPort(id), '/v1/kv/b/k?r=4');
      expect(jsonOf(answer)).toMatchObject({ status: 400, code: 'bad-parameter', field: 'r' });
    }
  });
});

describe('one node with small limits', () => {
  let cluster: RealCluster;
  beforeAll(async () => {
    const settings = 'limits: { requests: 3, bodyBytes: 1MiB, valueBytes: 600KiB }';
    cluster = await RealCluster.create({ nodes: 1, settings });
    await cluster.start();
  }, 60_000);
  afterAll(() => cluster.remove());

  const put = (key: string, length: number): string =>
    `PUT /v1/kv/b/${key} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
  const connect = () => new RawConnection(cluster.httpPort('n1'));
  const admin = (path: string) => send(cluster.httpPort('n1'), path);

  it('over the number of requests at once: 429 with Retry-After, and nothing was done; later it is taken', async () => {
    const held = ['a', 'b', 'c'].map((key) => connect().write(put(key, 2), 'v'));
    await expect.poll(async () => (await admin('/v1/version')).status).toBe(429);
    const refused = await send(cluster.httpPort('n1'), '/v1/kv/b/refused', { method: 'PUT', body: 'x' });
    expect(jsonOf(refused)).toMatchObject({ status: 429, code: 'overloaded', retryable: true });
    expect(headerOf(refused, 'retry-after')).toMatch(/^\d+$/);
    // What an operator watches is still answered.
    for (const path of ['/healthz', '/readyz', '/metrics']) expect((await admin(path)).status).toBe(200);
    for (const connection of held) expect(await connection.write('!').whole()).toMatch(/^HTTP\/1\.1 204 /);
    expect((await admin('/v1/kv/b/refused')).status).toBe(404);
    expect((await admin('/v1/kv/b/a')).body.toString()).toBe('v!');
  });

  it('over the bytes of bodies at once: 429; what was held is given back, also by clients that went away', async () => {
    const large = 600 * 1024;
    for (let round = 0; round < 5; round++) {
      const held = connect().write(put('held', large), 'begun');
      const refusal = async () => {
        const connection = connect().write(put('over', large), Buffer.alloc(large));
        return /^HTTP\/1\.1 (\d+) /.exec(await connection.whole())?.[1];
      };
      await expect.poll(refusal).toBe('429');
      held.socket.destroy();
      await expect.poll(refusal).toBe('204');
    }
    expect((await admin('/v1/kv/b/held')).status).toBe(404);
  });
});
