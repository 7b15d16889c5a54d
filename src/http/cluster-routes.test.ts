import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type TestEdge } from './test-edge.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.server.close());

const JSON_TYPE = 'Content-Type: application/json';

async function codeOf(
  method: string,
  target: string,
  headers: readonly string[] = [],
  body?: string,
): Promise<unknown> {
  const answer = await edge.ask(method, target, headers, body);
  return { status: answer.status, allow: answer.headers.allow, ...(answer.json() as object) };
}

test('the cluster is shown as it is', async () => {
  expect((await edge.ask('GET', '/v1/cluster')).json()).toEqual(edge.store.cluster());
});

describe('settings', () => {
  test('named in the body are changed, the others kept', async () => {
    expect((await edge.ask('PUT', '/v1/cluster/settings', [JSON_TYPE], '{"r":1,"durability":"os"}')).status).toBe(204);
    expect(edge.store.cluster().settings).toEqual({ r: 1, w: 'quorum', durability: 'os' });
  });

  const bad: readonly (readonly [body: string, code: string, field: string | undefined])[] = [
    ['{}', 'bad-body', undefined],
    ['{"n":3}', 'bad-body', 'n'],
    ['{"r":4}', 'bad-body', 'r'],
    ['{"w":"many"}', 'bad-body', 'w'],
    ['{"durability":"none"}', 'bad-body', 'durability'],
    ['{"w":"local_quorum"}', 'not-supported', 'w'],
  ];
  test.each(bad)('%s is refused, naming the field', async (body, code, field) => {
    const before = edge.store.cluster();
    const answer = await codeOf('PUT', '/v1/cluster/settings', [JSON_TYPE], body);
    expect(answer).toMatchObject({ status: 400, code, ...(field !== undefined && { field }) });
    expect(edge.store.cluster()).toEqual(before);
  });

  test('are JSON', async () => {
    expect(await codeOf('PUT', '/v1/cluster/settings', [], '{"r":1}')).toMatchObject({ status: 415 });
  });
});

describe('what a node has to catch up with', () => {
  test('is shown', async () => {
    expect((await edge.ask('GET', '/v1/cluster/catch-up')).json()).toEqual(edge.store.catchUp());
  });

  test('is not excepted from where there is nothing, or without a name', async () => {
    const except = (body: string) => codeOf('POST', '/v1/cluster/catch-up', [JSON_TYPE], body);
    expect(await except('{"except":"n2"}')).toMatchObject({ status: 409, code: 'conflict' });
    expect(await except('{"except":2}')).toMatchObject({ status: 400, code: 'bad-body', field: 'except' });
    expect(await except('{}')).toMatchObject({ status: 400, code: 'bad-body', field: 'except' });
    expect(await codeOf('DELETE', '/v1/cluster/catch-up')).toMatchObject({ status: 405, allow: 'GET, POST, HEAD' });
  });
});

describe('the ring', () => {
  test('is shown as a whole, or for one key', async () => {
    expect((await edge.ask('GET', '/v1/cluster/ring')).json()).toEqual(edge.store.ring());
    const one = await edge.ask('GET', '/v1/cluster/ring?bucket=b&key=a%2Fb');
    expect(one.json()).toEqual(edge.store.ringOf('b', 'a/b'));
  });

  test('wants both halves of the name, each by its own rules', async () => {
    const ring = (query: string): Promise<unknown> => codeOf('GET', `/v1/cluster/ring?${query}`);
    expect(await ring('bucket=b')).toMatchObject({ status: 400, code: 'bad-parameter', field: 'key' });
    expect(await ring('key=k')).toMatchObject({ status: 400, code: 'bad-parameter', field: 'bucket' });
    expect(await ring('bucket=b&key=k&x=1')).toMatchObject({ status: 400, code: 'bad-parameter', field: 'x' });
    expect(await ring('bucket=%20&key=k')).toMatchObject({ status: 400, code: 'bad-bucket' });
    expect(await ring('bucket=b&key=')).toMatchObject({ status: 400, code: 'bad-key' });
    expect(await ring('bucket=b&key=%ff')).toMatchObject({ status: 400, code: 'bad-key' });
    expect(await ring(`bucket=b&key=${'k'.repeat(1025)}`)).toMatchObject({ status: 414, code: 'key-too-long' });
  });
});

describe('hints', () => {
  test('are told per node that is away', async () => {
    const answer = await edge.ask('GET', '/v1/cluster/hints');
    expect([answer.status, answer.json()]).toEqual([
      200,
      {
        bytes: 900,
        bytesMax: 1_048_576,
        refused: 0,
        damaged: 0,
        targets: [{ target: 'n2', count: 3, bytes: 900, oldestMs: 1500 }],
      },
    ]);
    expect(await codeOf('GET', '/v1/cluster/hints?x=1')).toMatchObject({ status: 400, code: 'bad-parameter' });
    expect(await codeOf('PUT', '/v1/cluster/hints')).toMatchObject({ status: 405 });
  });
});

describe('routes that are not built yet', () => {
  const reserved: readonly (readonly [method: string, path: string])[] = [
    ['POST', '/v1/batch/b'],
    ['GET', '/v1/cluster/plan'],
    ['POST', '/v1/cluster/plan'],
    ['DELETE', '/v1/cluster/plan'],
    ['POST', '/v1/cluster/apply'],
    ['GET', '/v1/cluster/transfers'],
  ];
  test.each(reserved)('%s %s is not supported', async (method, path) => {
    const body = method === 'POST' ? '{}' : undefined;
    const field = path.replace('/v1/batch/b', '/v1/batch');
    expect(await codeOf(method, path, [JSON_TYPE], body)).toMatchObject({ status: 400, code: 'not-supported', field });
  });

  test('have methods of their own', async () => {
    expect(await codeOf('GET', '/v1/batch/b')).toMatchObject({ status: 405, allow: 'POST' });
    expect(await codeOf('PUT', '/v1/cluster/sync')).toMatchObject({ status: 405, allow: 'GET, HEAD' });
    expect(await codeOf('GET', '/v1/cluster/settings')).toMatchObject({ status: 405, allow: 'PUT' });
    expect(await codeOf('POST', '/v1/cluster')).toMatchObject({ status: 405, allow: 'GET, HEAD' });
  });
});

describe('the operator', () => {
  test('is told health, readiness and version', async () => {
    expect((await edge.ask('GET', '/healthz')).json()).toEqual({ status: 'ok' });
    expect((await edge.ask('GET', '/readyz')).json()).toEqual({ status: 'ready' });
    expect((await edge.ask('GET', '/v1/version')).json()).toEqual({ version: '1.2.3' });
    expect(await codeOf('GET', '/healthz?x=1')).toMatchObject({ status: 400, code: 'bad-parameter', field: 'x' });
    expect(await codeOf('POST', '/metrics')).toMatchObject({ status: 405, allow: 'GET, HEAD' });
  });

  test('sees requests counted by method and status', async () => {
    const count = async (): Promise<number> => {
      const { text } = await edge.ask('GET', '/metrics');
      return Number(/quorate_http_requests_total\{method="DELETE",status="204"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await count();
    await edge.ask('DELETE', '/v1/kv/b/k');
    await edge.ask('DELETE', '/v1/kv/b/k');
    expect(await count()).toBe(before + 2);
    const { text, headers } = await edge.ask('GET', '/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(/quorate_http_request_seconds_bucket\{method="DELETE",le="\+Inf"\} \d+\n/);
  });
});
