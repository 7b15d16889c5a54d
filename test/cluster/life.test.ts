/** Nodes that are killed, stopped and started again under load: what was acknowledged is there, and stopping is orderly. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, eventually, jsonOf, RawConnection, type Sent, send } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

let cluster: RealCluster;
/** Key to value of every write that was acknowledged. */
const acknowledged = new Map<string, string>();
/** The problem documents of those that were not. */
const refusals: string[] = [];
let written = 0;

beforeAll(async () => {
  cluster = await RealCluster.create();
  await cluster.start();
}, 60_000);
afterAll(() => cluster.remove());

const ask = (id: string, path: string, sent?: Sent): Promise<Answer> => send(cluster.httpPort(id), path, sent);

/** One write of a new key; says whether it was acknowledged by two. */
async function write(id: string): Promise<number> {
  const key = `life-${++written}`;
  const sent = { method: 'PUT', body: `value of ${key}` };
  const answer = await ask(id, `/v1/kv/b/${key}?w=2`, sent).catch(() => undefined);
  if (answer?.status === 204) acknowledged.set(key, sent.body);
  else if (answer !== undefined) refusals.push(answer.body.toString());
  return answer?.status ?? 0;
}

/** Writes to the nodes in turn, `width` at a time, until `stop`; returns the statuses in the order of the answers. */
async function writeUntil(ids: readonly string[], stop: () => boolean, width = 8): Promise<readonly number[]> {
  const statuses: number[] = [];
  const worker = async (_: unknown, i: number) => {
    while (!stop()) statuses.push(await write(ids[(i + statuses.length) % ids.length] ?? 'n1'));
  };
  await Promise.all(Array.from({ length: width }, worker));
  return statuses;
}

async function expectAllThere(): Promise<void> {
  const lost: string[] = [];
  const keys = [...acknowledged.keys()];
  const worker = async (_: unknown, i: number) => {
    for (let at = i; at < keys.length; at += 8) {
      const key = keys[at] ?? '';
      const answer = await ask(`n${(at % 3) + 1}`, `/v1/kv/b/${key}?r=2&timeout=10s`);
      if (answer.body.toString() !== acknowledged.get(key)) lost.push(`${key}: ${answer.status}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(lost).toEqual([]);
}

describe('kill -9', () => {
  it('of one node under writes: the others go on with w=2, and it comes back', { timeout: 60_000 }, async () => {
    let isOver = false;
    const writing = writeUntil(['n1', 'n3'], () => isOver);
    await eventually(async () => (acknowledged.size > 100 ? true : undefined));
    await cluster.kill(['n2']);
    const before = acknowledged.size;
    await eventually(async () => (acknowledged.size > before + 300 ? true : undefined));
    await cluster.start(['n2']);
    isOver = true;
    const statuses = await writing;
    // In the moment of the kill outcomes may be unknown; nothing else fails.
    expect(statuses.filter((status) => status !== 204 && status !== 504 && status !== 503)).toEqual([]);
    expect(statuses.filter((status) => status !== 204).length).toBeLessThan(100);
    await expectAllThere();
  });

  it('of all nodes under writes: every acknowledged one is read back', { timeout: 60_000 }, async () => {
    let isOver = false;
    const writing = writeUntil(cluster.ids, () => isOver);
    const before = acknowledged.size;
    await eventually(async () => (acknowledged.size > before + 200 ? true : undefined));
    const killing = cluster.kill();
    isOver = true;
    await Promise.all([writing, killing]);
    await cluster.start();
    await expectAllThere();
  });

  it('of each node in turn, twice over, started again each time', { timeout: 90_000 }, async () => {
    let isOver = false;
    const writing = writeUntil(cluster.ids, () => isOver, 4);
    for (let round = 0; round < 2; round++) {
      for (const id of cluster.ids) {
        await cluster.kill([id]);
        await cluster.start([id]);
      }
    }
    isOver = true;
    await writing;
    await expectAllThere();
  });

  it('two nodes away: the data path works without a metadata leader', { timeout: 60_000 }, async () => {
    await cluster.kill(['n1', 'n2']);
    const alone = (path: string, sent?: Sent) => ask('n3', path, sent);
    await eventually(async () => {
      const { status } = await alone('/v1/kv/b/alone?w=1', { method: 'PUT', body: 'alone' });
      return status === 204 ? true : undefined;
    });
    await eventually(async () => (jsonOf(await alone('/v1/cluster')).leader === null ? true : undefined));
    expect((await alone('/v1/kv/b/alone?w=1', { method: 'PUT', body: 'still' })).status).toBe(204);
    expect((await alone('/v1/kv/b/alone?r=1')).body.toString()).toBe('still');
    await cluster.start(['n1', 'n2']);
    await expectAllThere();
  });
});

describe('SIGTERM', () => {
  it('answers what is under way, takes nothing new, and ends with 0', { timeout: 60_000 }, async () => {
    const head = 'PUT /v1/kv/b/draining?w=2 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';
    const underWay = new RawConnection(cluster.httpPort('n1')).write(head, 'first');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const node = cluster.process('n1');
    node.child.kill('SIGTERM');
    await cluster.says(node, /n1: stopping \(SIGTERM\)/);
    await expect(ask('n1', '/v1/kv/b/new', { method: 'PUT', body: 'x' })).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
    underWay.write('-last');
    expect(await underWay.whole()).toMatch(/^HTTP\/1\.1 204 /);
    const { code, stderr } = await cluster.end(node);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining('"level":"error"') });
    expect((await ask('n2', '/v1/kv/b/draining?r=2')).body.toString()).toBe('first-last');
    await cluster.start(['n1']);
  });

  it('of every node in turn under writes: a rolling restart costs no write', {
    timeout: 90_000,
  }, async () => {
    const statuses: number[] = [];
    for (const id of cluster.ids) {
      let isOver = false;
      const others = cluster.ids.filter((other) => other !== id);
      const writing = writeUntil(others, () => isOver, 4);
      const [end] = await cluster.kill([id], 'SIGTERM');
      expect(end?.code).toBe(0);
      await cluster.start([id]);
      isOver = true;
      statuses.push(...(await writing));
    }
    expect(statuses.length).toBeGreaterThan(100);
    const refused = statuses.filter((status) => status !== 204);
    expect(refused.length, refusals.slice(-refused.length).join('\n')).toBe(0);
    await expectAllThere();
  });
});
