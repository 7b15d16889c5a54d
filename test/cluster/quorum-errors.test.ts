/** What is said when too few replicas can answer: 503 before anything was stored, 504 when it is not known. On real processes. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, eventually, headerOf, jsonOf, type Sent, send } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

let cluster: RealCluster;
const paused = new Set<string>();
let keys = 0;

beforeAll(async () => {
  cluster = await RealCluster.create();
  await cluster.start();
}, 60_000);
afterAll(() => cluster.remove());
afterEach(async () => {
  for (const id of [...paused]) resume(id);
  await allUp();
});

const ask = (id: string, path: string, sent?: Sent): Promise<Answer> => send(cluster.httpPort(id), path, sent);
const put = (id: string, path: string, body: string): Promise<Answer> => ask(id, path, { method: 'PUT', body });

function pause(id: string): void {
  paused.add(id);
  cluster.process(id).child.kill('SIGSTOP');
}

function resume(id: string): void {
  paused.delete(id);
  cluster.process(id).child.kill('SIGCONT');
}

/** Waits until `from` sees `id` so. */
const seenAs = (from: string, id: string, state: string) =>
  eventually(async () => {
    // A node that has just started does not know the members yet.
    const { members = [] } = jsonOf(await ask(from, '/v1/cluster')) as { members?: { id: string; seenAs: string }[] };
    return members.some((member) => member.id === id && member.seenAs === state) ? true : undefined;
  });

/** Starts what is missing and waits until every node takes writes that need all. */
async function allUp(): Promise<void> {
  const missing = cluster.ids.filter((id) => !cluster.process(id).isRunning);
  if (missing.length > 0) await cluster.start(missing);
  for (const from of cluster.ids) for (const id of cluster.ids) await seenAs(from, id, 'up');
  for (const from of cluster.ids) {
    const write = () => put(from, '/v1/kv/b/probe?w=3', 'p');
    await eventually(async () => ((await write()).status === 204 ? true : undefined));
  }
}

async function problemOf(answer: Promise<Answer>): Promise<Readonly<Record<string, unknown>>> {
  const got = await answer;
  const document = jsonOf(got);
  expect(document.status).toBe(got.status);
  if (got.headers['quorate-epoch'] !== undefined) expect(headerOf(got, 'quorate-epoch')).toBe(String(document.epoch));
  return document;
}

/** A new key, found by trying, of which `owner` is the first owner. */
async function keyOf(owner: string): Promise<string> {
  for (;;) {
    const key = `key-${++keys}`;
    const { owners } = jsonOf(await ask('n1', `/v1/cluster/ring?bucket=b&key=${key}`)) as { owners: string[] };
    if (owners[0] === owner) return key;
  }
}

describe('with one node killed', () => {
  it('w=3 is a 503 that stored nothing, r=3 is impossible; everything that needs two goes on', {
    timeout: 60_000,
  }, async () => {
    const key = await keyOf('n2');
    await cluster.kill(['n2']);
    await Promise.all(['n1', 'n3'].map((from) => seenAs(from, 'n2', 'down')));
    for (const from of ['n1', 'n3']) {
      for (const sent of [{ method: 'PUT', body: 'x' }, { method: 'DELETE' }]) {
        expect(await problemOf(ask(from, `/v1/kv/b/${key}?w=3`, sent))).toMatchObject({
          ...{ status: 503, code: 'quorum-impossible', outcome: 'not_applied', retryable: true, required: 3 },
          ...{ acked: [], failed: [{ node: 'n2', reason: 'down' }], pending: [], epoch: expect.any(Number) },
        });
      }
      const refused = await problemOf(ask(from, `/v1/kv/b/${key}?r=all`));
      expect(refused).toMatchObject({ status: 503, code: 'quorum-impossible', required: 3, retryable: true });
      expect(refused.failed).toEqual([{ node: 'n2', reason: 'down' }]);
      expect(refused.outcome).toBeUndefined();
      expect((await ask(from, `/v1/kv/b/${key}?r=2`)).status).toBe(404);
    }
    for (const from of ['n1', 'n3']) expect((await put(from, `/v1/kv/b/${key}?w=2`, from)).status).toBe(204);
    expect((await ask('n1', `/v1/kv/b/${key}?r=2`)).body.toString()).toBe('n3');
  });
});

describe('with two nodes killed', () => {
  it('reads r=1 and writes w=1 go on, more is impossible, and settings have no leader', {
    timeout: 90_000,
  }, async () => {
    await put('n3', '/v1/kv/b/kept?w=3', 'kept');
    await cluster.kill(['n1', 'n2']);
    await Promise.all(['n1', 'n2'].map((id) => seenAs('n3', id, 'down')));
    expect((await ask('n3', '/v1/kv/b/kept?r=1')).body.toString()).toBe('kept');
    expect((await put('n3', '/v1/kv/b/kept?w=1', 'alone')).status).toBe(204);
    expect((await ask('n3', '/v1/kv/b/kept?r=1')).body.toString()).toBe('alone');
    expect((await ask('n3', '/v1/kv/b/kept?w=1', { method: 'DELETE' })).status).toBe(204);
    expect((await ask('n3', '/readyz')).status).toBe(200);
    const failed = expect.arrayContaining(['n1', 'n2'].map((node) => ({ node, reason: 'down' })));
    const write = await problemOf(put('n3', '/v1/kv/b/kept', 'x'));
    expect(write).toMatchObject({
      status: 503,
      code: 'quorum-impossible',
      required: 2,
      outcome: 'not_applied',
      failed,
    });
    expect(await problemOf(ask('n3', '/v1/kv/b/kept'))).toMatchObject({
      status: 503,
      code: 'quorum-impossible',
      failed,
    });
    for (const path of ['/v1/cluster/settings', '/v1/buckets/b']) {
      const sent = { method: 'PUT', body: '{"r":1}', headers: { 'Content-Type': 'application/json' } };
      const answer = await ask('n3', `${path}?timeout=1s`, sent);
      expect(jsonOf(answer)).toMatchObject({ status: 503, code: 'no-leader', retryable: true });
      expect(headerOf(answer, 'retry-after')).toMatch(/^\d+$/);
    }
    await cluster.kill(['n3']);
    // Alone after a restart it has no grant: it reads provisionally in the end, and until then it is not ready.
    cluster.launch('n3');
    const early = await eventually(() => ask('n3', '/v1/kv/b/kept?r=1').catch(() => undefined));
    expect(jsonOf(early)).toMatchObject({ status: 503, code: 'not-ready', retryable: true });
    expect(headerOf(early, 'retry-after')).toMatch(/^\d+$/);
    expect((await ask('n3', '/readyz')).status).toBe(503);
    expect((await ask('n3', '/healthz')).status).toBe(200);
  });
});

describe('with one node paused', () => {
  it('a write that needs it is a 504 with an unknown outcome, whoever is asked, and says who has it', {
    timeout: 60_000,
  }, async () => {
    const key = await keyOf('n1');
    pause('n2');
    const { acked, ...document } = await problemOf(put('n3', `/v1/kv/b/${key}?w=3&timeout=400ms`, 'unknown'));
    expect(document).toMatchObject({
      ...{ status: 504, code: 'quorum-not-met', required: 3, failed: [], pending: ['n2'] },
      ...{ outcome: 'unknown', retryable: true, epoch: expect.any(Number) },
    });
    expect([acked].flat().sort()).toEqual(['n1', 'n3']);
    // It was applied where it was acknowledged: unknown says no more than that.
    expect((await ask('n3', `/v1/kv/b/${key}?r=2`)).body.toString()).toBe('unknown');
  });

  it('a write that it should coordinate is unknown too, and is not done again elsewhere', async () => {
    const key = await keyOf('n2');
    pause('n2');
    const document = await problemOf(put('n3', `/v1/kv/b/${key}?w=1&timeout=300ms`, 'late'));
    expect(document).toMatchObject({
      status: 504,
      code: 'quorum-not-met',
      outcome: 'unknown',
      acked: [],
      pending: ['n2'],
    });
    for (const id of ['n1', 'n3']) expect((await ask(id, `/v1/kv/b/${key}?r=1`)).status).toBe(404);
  });

  it('once it is suspected, a write that needs it is refused before anything is stored', {
    timeout: 60_000,
  }, async () => {
    const key = await keyOf('n2');
    pause('n2');
    await Promise.all(['n1', 'n3'].map((from) => seenAs(from, 'n2', 'suspect')));
    expect(await problemOf(put('n1', `/v1/kv/b/${key}?w=3`, 'refused'))).toMatchObject({
      ...{
        status: 503,
        code: 'quorum-impossible',
        outcome: 'not_applied',
        failed: [{ node: 'n2', reason: 'suspect' }],
      },
    });
    expect((await ask('n1', `/v1/kv/b/${key}?r=2`)).status).toBe(404);
    expect((await put('n1', `/v1/kv/b/${key}?w=2`, 'taken')).status).toBe(204);
  });

  it('a read that needs it is past its deadline at the time it asked for, and says who answered', async () => {
    await put('n1', '/v1/kv/b/read?w=3', 'v');
    pause('n2');
    const start = performance.now();
    const { acked, ...document } = await problemOf(ask('n1', '/v1/kv/b/read?r=3&timeout=300ms'));
    expect(performance.now() - start).toBeGreaterThan(290);
    expect(document).toMatchObject({
      ...{ status: 504, code: 'deadline-exceeded', required: 3, failed: [], pending: ['n2'], retryable: true },
    });
    expect([acked].flat().sort()).toEqual(['n1', 'n3']);
    expect(document.outcome).toBeUndefined();
  });

  it('a read of two is answered by the others, hedged', async () => {
    await put('n1', '/v1/kv/b/hedged?w=3', 'v');
    pause('n2');
    for (const from of ['n1', 'n3']) {
      const answer = await ask(from, '/v1/kv/b/hedged?r=2');
      expect(answer.status).toBe(200);
      expect(headerOf(answer, 'quorate-quorum')).toMatch(/^r=2\/2; owners=2; fallbacks=0; hedged=[01]$/);
    }
  });
});
