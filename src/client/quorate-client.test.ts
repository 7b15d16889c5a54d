import { afterEach, describe, expect, it } from 'vitest';
import {
  type CannedAnswer,
  CannedServer,
  closedAddress,
  FACTS,
  problem,
  type RecordedRequest,
} from '../../test/canned-server.ts';
import { ClientError } from './client-error.ts';
import { QuorateClient } from './quorate-client.ts';

const servers: CannedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function answering(answer: CannedAnswer | ((request: RecordedRequest) => CannedAnswer)): Promise<CannedServer> {
  const server = await CannedServer.start(typeof answer === 'function' ? answer : () => answer);
  servers.push(server);
  return server;
}

async function clientOf(answer: CannedAnswer) {
  const server = await answering(answer);
  return { server, client: new QuorateClient([server.address]) };
}

/** The error that `work` ends with. */
async function failure(work: Promise<unknown>): Promise<ClientError> {
  const error = await work.then(
    (value) => value,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ClientError)) throw new Error(`expected a ClientError, got ${JSON.stringify(error)}`);
  return error;
}

describe('get', () => {
  it('answers the value with its type, metadata, context and what the answer proved', async () => {
    const headers = {
      ...FACTS,
      'content-type': 'image/png',
      'quorate-meta-Owner': 'ann',
      'last-modified': 'Fri, 20 Nov 2026 00:00:00 GMT',
    };
    const { client, server } = await clientOf({ status: 200, headers, body: Uint8Array.of(0, 255, 10) });
    expect(await client.get('carts', '42', { r: 2, pr: 'one', sloppy: false, timeoutMs: 250 })).toEqual({
      kind: 'value',
      value: Uint8Array.of(0, 255, 10),
      contentType: 'image/png',
      meta: { owner: 'ann' },
      lastModified: 'Fri, 20 Nov 2026 00:00:00 GMT',
      context: 'AbC_-1',
      facts: { quorum: 'r=2/2; owners=2; fallbacks=0; hedged=0', epoch: 17, node: 'n2' },
    });
    expect(server.requests[0]).toMatchObject({
      method: 'GET',
      target: '/v1/kv/carts/42?r=2&pr=one&sloppy=false&timeout=250ms',
    });
  });

  it('sends nothing that the server would refuse: no Origin, no parameters that were not given', async () => {
    const { client, server } = await clientOf({ status: 200, headers: FACTS });
    expect(await client.get('b', 'k')).toMatchObject({ kind: 'value', value: new Uint8Array() });
    expect(server.requests[0]?.target).toBe('/v1/kv/b/k');
    expect(server.requests[0]?.headers).not.toHaveProperty('origin');
  });

  it('answers siblings, text and bytes alike', async () => {
    const siblings = [
      { dot: 'd1', contentType: 'text/plain', value: 'é', lastModified: '2026-11-20T00:00:00Z', meta: { by: 'ann' } },
      { dot: 'd2', contentType: 'image/png', valueBase64: 'AP8=', lastModified: '2026-11-20T00:00:01Z', meta: {} },
    ];
    const { client } = await clientOf({ status: 300, headers: FACTS, body: JSON.stringify({ siblings }) });
    const result = await client.get('b', 'k');
    expect(result).toMatchObject({ kind: 'siblings', context: 'AbC_-1' });
    expect(
      result.kind === 'siblings' && result.siblings.map(({ dot, value, meta }) => [dot, [...value], meta]),
    ).toEqual([
      ['d1', [0xc3, 0xa9], { by: 'ann' }],
      ['d2', [0, 255], {}],
    ]);
  });

  it('takes a 404 as an answer, with its context', async () => {
    const missing = problem(404, 'not-found', 'Not found', 'nothing is there');
    const { client } = await clientOf(
      typeof missing === 'string' ? missing : { ...missing, headers: { ...missing.headers, ...FACTS } },
    );
    expect(await client.get('b', 'k')).toMatchObject({ kind: 'missing', context: 'AbC_-1', facts: { node: 'n2' } });
  });

  it('does not take the 404 of some other server for an absent key', async () => {
    const { client } = await clientOf({ status: 404, headers: { 'content-type': 'text/html' }, body: '<h1>404</h1>' });
    expect(await failure(client.get('b', 'k'))).toMatchObject({ code: 'bad-answer' });
  });
});

describe('writes', () => {
  it('put sends value, context, type, metadata and quorum, and returns the new context', async () => {
    const { client, server } = await clientOf({ status: 204, headers: FACTS });
    const options = { w: 'all', pw: 1, context: 'OLD', contentType: 'text/plain', meta: { by: 'ann' } } as const;
    expect(await client.put('carts', 'a b', 'héllo', options)).toMatchObject({
      context: 'AbC_-1',
      facts: { epoch: 17 },
    });
    expect(server.requests[0]).toMatchObject({
      method: 'PUT',
      target: '/v1/kv/carts/a%20b?w=all&pw=1',
      body: 'héllo',
      headers: { 'causal-context': 'OLD', 'content-type': 'text/plain', 'quorate-meta-by': 'ann' },
    });
  });

  it('put of nothing sends a body of length 0', async () => {
    const { client, server } = await clientOf({ status: 204, headers: FACTS });
    await client.put('b', 'k', new Uint8Array());
    expect(server.requests[0]?.headers['content-length']).toBe('0');
  });

  it('delete sends the context and no body', async () => {
    const { client, server } = await clientOf({ status: 204, headers: FACTS });
    await client.delete('b', 'k', { context: 'OLD' });
    expect(server.requests[0]).toMatchObject({
      method: 'DELETE',
      target: '/v1/kv/b/k',
      body: '',
      headers: { 'causal-context': 'OLD' },
    });
  });

  it('post returns the key that the server has made', async () => {
    const { client } = await clientOf({ status: 201, headers: { ...FACTS, location: '/v1/kv/b/x%2Fy' } });
    expect(await client.post('b', 'v')).toMatchObject({ key: 'x/y', context: 'AbC_-1' });
  });

  it('metadata that no header can carry is refused before anything is sent', async () => {
    const { client, server } = await clientOf({ status: 204, headers: FACTS });
    expect(await failure(client.put('b', 'k', 'v', { meta: { x: 'a\nb' } }))).toMatchObject({ code: 'bad-header' });
    expect(server.requests).toEqual([]);
  });
});

describe('errors', () => {
  it('carry the problem document and read as one line', async () => {
    const quorum = {
      required: 2,
      acked: ['n2'],
      failed: [{ node: 'n1', reason: 'down' }],
      pending: ['n3'],
      outcome: 'unknown',
      retryable: true,
      epoch: 17,
    };
    const { client } = await clientOf(
      problem(504, 'quorum-not-met', 'Write quorum not met', '1 of 2 required', quorum),
    );
    const error = await failure(client.put('b', 'k', 'v'));
    expect(error.problem).toEqual({
      code: 'quorum-not-met',
      title: 'Write quorum not met',
      detail: '1 of 2 required',
      status: 504,
      ...quorum,
    });
    expect(error.message).toBe('Write quorum not met: 1 of 2 required (quorum-not-met), outcome unknown');
  });

  it('say when to come back', async () => {
    const full = problem(429, 'overloaded', 'Overloaded', '4096 requests');
    const { client } = await clientOf(
      typeof full === 'string' ? full : { ...full, headers: { ...full.headers, 'retry-after': '1' } },
    );
    expect((await failure(client.get('b', 'k'))).problem).toMatchObject({ code: 'overloaded', retryAfterS: 1 });
  });

  it('of a node that is not there: unreachable, and a write was not applied', async () => {
    const client = new QuorateClient([await closedAddress()]);
    expect(await failure(client.put('b', 'k', 'v'))).toMatchObject({ code: 'unreachable', outcome: 'not_applied' });
    expect((await failure(client.get('b', 'k'))).message).toMatch(
      /^Cannot connect: http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)/,
    );
  });

  it('of a connection cut after the request: no-answer, and the outcome of a write is unknown', async () => {
    const { client } = await clientOf('cut');
    expect(await failure(client.delete('b', 'k'))).toMatchObject({ code: 'no-answer', outcome: 'unknown' });
    expect((await failure(client.get('b', 'k'))).outcome).toBeUndefined();
  });

  it('of a node that is silent past the deadline: no-answer', async () => {
    const server = await answering('silence');
    const client = new QuorateClient([server.address], { deadlineMs: 50 });
    expect(await failure(client.put('b', 'k', 'v'))).toMatchObject({ code: 'no-answer', outcome: 'unknown' });
  });

  it.each([[[]], [['ftp://h']], [['h:1/path']], [['not a url']]])('of URLs %j: bad-parameter', (urls) => {
    expect(() => new QuorateClient(urls)).toThrow(expect.objectContaining({ code: 'bad-parameter' }));
  });
});

describe('several nodes', () => {
  const refuses = (code: string, status = 503) =>
    problem(status, code, 'No', 'no', code === 'quorum-not-met' ? { outcome: 'unknown' } : {});

  it.each(['not-ready', 'overloaded', 'quorum-impossible'])('the next one is asked when one says %s', async (code) => {
    const first = await answering(refuses(code));
    const second = await answering({ status: 204, headers: FACTS });
    const client = new QuorateClient([first.address, `http://${second.address}/`]);
    await client.put('b', 'k', 'v');
    await client.put('b', 'k', 'w');
    expect(first.requests).toHaveLength(1);
    expect(second.requests.map(({ body }) => body)).toEqual(['v', 'w']);
  });

  it('the next one is asked when one cannot be reached', async () => {
    const second = await answering({ status: 204, headers: FACTS });
    const client = new QuorateClient([await closedAddress(), second.address]);
    expect(await client.delete('b', 'k')).toMatchObject({ context: 'AbC_-1' });
  });

  it('a write that may have been applied is not repeated elsewhere, a read is', async () => {
    const first = await answering('cut');
    const second = await answering({ status: 200, headers: FACTS });
    const urls = [first.address, second.address];
    expect(await failure(new QuorateClient(urls).put('b', 'k', 'v'))).toMatchObject({ outcome: 'unknown' });
    expect(second.requests).toEqual([]);
    expect(await new QuorateClient(urls).get('b', 'k')).toMatchObject({ kind: 'value' });
  });

  it.each(['quorum-not-met', 'bad-context', 'deadline-exceeded'])('%s is final', async (code) => {
    const first = await answering(refuses(code, 504));
    const second = await answering({ status: 204, headers: FACTS });
    expect(await failure(new QuorateClient([first.address, second.address]).put('b', 'k', 'v'))).toMatchObject({
      code,
    });
    expect(second.requests).toEqual([]);
  });
});

describe('looking at the cluster', () => {
  const json = (body: object): CannedAnswer => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

  it('returns the documents', async () => {
    const cluster = { cluster: 'demo', epoch: 3, members: [] };
    expect(await (await clientOf(json(cluster))).client.cluster()).toEqual(cluster);
    const ring = { epoch: 3, partitions: [] };
    expect(await (await clientOf(json(ring))).client.ring()).toEqual(ring);
  });

  it('asks for the place of one key with bucket and key encoded', async () => {
    const placement = { epoch: 3, partition: 7, owners: ['n1'], preferenceList: ['n1'] };
    const { client, server } = await clientOf(json(placement));
    expect(await client.placement('b', 'a+b c')).toEqual(placement);
    expect(server.requests[0]?.target).toBe('/v1/cluster/ring?bucket=b&key=a%2Bb%20c');
  });

  it('takes no other document for one', async () => {
    expect(await failure((await clientOf(json({ ok: true }))).client.cluster())).toMatchObject({ code: 'bad-answer' });
  });
});
