import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge, type TestEdge } from './test-edge.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.server.close());

const JSON_TYPE = 'Content-Type: application/json';

describe('the properties of a bucket', () => {
  test('are the defaults where nothing is set', async () => {
    const answer = await edge.ask('GET', '/v1/buckets/unset');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    expect(answer.json()).toEqual({ r: 'quorum', w: 'quorum', conflict: 'siblings', valueBytes: 1024 * 1024 });
    expect((await edge.ask('HEAD', '/v1/buckets/unset')).headers['content-length']).toBe(String(answer.body.length));
  });

  test('are replaced as a whole, and listed', async () => {
    const first = await edge.ask('PUT', '/v1/buckets/a', [JSON_TYPE], '{"r":1,"w":"all","valueBytes":10}');
    expect([first.status, first.body.length]).toEqual([204, 0]);
    expect((await edge.ask('GET', '/v1/buckets/a')).json()).toMatchObject({ r: 1, w: 'all', valueBytes: 10 });
    await edge.ask('PUT', '/v1/buckets/a?timeout=1s', ['Content-Type: application/json; charset=utf-8'], '{"r":2}');
    expect((await edge.ask('GET', '/v1/buckets/a')).json()).toMatchObject({ r: 2, w: 'quorum' });
    expect((await edge.ask('GET', '/v1/buckets')).json()).toEqual({
      buckets: [{ bucket: 'a', properties: { r: 2 } }],
    });
  });

  test('can be put back as they were read', async () => {
    const { body } = await edge.ask('GET', '/v1/buckets/back');
    expect((await edge.ask('PUT', '/v1/buckets/back', [JSON_TYPE], body)).status).toBe(204);
  });
});

const BAD: readonly (readonly [body: string, code: string, field: string | undefined])[] = [
  ['', 'bad-body', undefined],
  ['{', 'bad-body', undefined],
  ['[]', 'bad-body', undefined],
  ['null', 'bad-body', undefined],
  ['"x"', 'bad-body', undefined],
  ['{"x":1}', 'bad-body', 'x'],
  ['{"r":0}', 'bad-body', 'r'],
  ['{"r":4}', 'bad-body', 'r'],
  ['{"r":1.5}', 'bad-body', 'r'],
  ['{"r":"2"}', 'bad-body', 'r'],
  ['{"w":"most"}', 'bad-body', 'w'],
  ['{"w":null}', 'bad-body', 'w'],
  ['{"valueBytes":0}', 'bad-body', 'valueBytes'],
  ['{"valueBytes":1048577}', 'bad-body', 'valueBytes'],
  ['{"valueBytes":"1MiB"}', 'bad-body', 'valueBytes'],
  ['{"conflict":"latest"}', 'bad-body', 'conflict'],
  ['{"conflict":"lww"}', 'not-supported', 'conflict'],
  ['{"ttl":"1d"}', 'not-supported', 'ttl'],
  ['{"r":"local_quorum"}', 'not-supported', 'r'],
  ['{"w":"each_quorum"}', 'not-supported', 'w'],
];

describe('a change of a bucket', () => {
  test.each(BAD)('%s is refused, naming the field', async (body, code, field) => {
    const answer = await edge.ask('PUT', '/v1/buckets/bad', [JSON_TYPE], body);
    expect([answer.status, answer.json()]).toMatchObject([400, { code, ...(field !== undefined && { field }) }]);
    expect((await edge.ask('GET', '/v1/buckets/bad')).json()).toMatchObject({ r: 'quorum', w: 'quorum' });
  });

  test('must be JSON in UTF-8 of at most 64 KiB', async () => {
    const put = async (headers: readonly string[], body: string | Buffer): Promise<unknown[]> => {
      const answer = await edge.ask('PUT', '/v1/buckets/bad', headers, body);
      return [answer.status, (answer.json() as { readonly code: string }).code];
    };
    expect(await put([], '{}')).toEqual([415, 'unsupported-media-type']);
    expect(await put(['Content-Type: text/json'], '{}')).toEqual([415, 'unsupported-media-type']);
    expect(await put(['Content-Type: application/jsonx'], '{}')).toEqual([415, 'unsupported-media-type']);
    expect(await put([JSON_TYPE, 'Content-Encoding: gzip'], '{}')).toEqual([415, 'unsupported-encoding']);
    expect(await put([JSON_TYPE], Buffer.from([0x22, 0xff, 0x22]))).toEqual([400, 'bad-body']);
    expect(await put([JSON_TYPE], `{}${' '.repeat(65_536)}`)).toEqual([413, 'value-too-large']);
  });
});

test('names, parameters and methods are checked', async () => {
  const ask = async (method: string, target: string): Promise<unknown[]> => {
    const answer = await edge.ask(method, target);
    return [answer.status, (answer.json() as { readonly code: string }).code];
  };
  expect(await ask('GET', '/v1/buckets/a%20b')).toEqual([400, 'bad-bucket']);
  expect(await ask('GET', '/v1/buckets/..')).toEqual([400, 'bad-bucket']);
  expect(await ask('GET', '/v1/buckets/a?x=1')).toEqual([400, 'bad-parameter']);
  expect(await ask('GET', '/v1/buckets?x=1')).toEqual([400, 'bad-parameter']);
  expect(await ask('PUT', '/v1/buckets/a?r=1')).toEqual([400, 'bad-parameter']);
  expect(await ask('DELETE', '/v1/buckets/a')).toEqual([405, 'method-not-allowed']);
  expect(await ask('POST', '/v1/buckets')).toEqual([405, 'method-not-allowed']);
});
