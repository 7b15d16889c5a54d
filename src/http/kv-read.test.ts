import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, startEdge, type TestEdge } from './test-edge.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.server.close());

/** Two siblings under the key: both writers had seen nothing. */
async function twoSiblings(key: string, first: string | Buffer, second: string | Buffer): Promise<void> {
  await edge.ask('PUT', `/v1/kv/b/${key}`, ['Causal-Context: 0', 'Content-Type: text/plain'], first);
  await edge.ask('PUT', `/v1/kv/b/${key}`, ['Causal-Context: 0', 'Quorate-Meta-By: bob'], second);
}

interface SiblingsJson {
  readonly siblings: readonly Record<string, unknown>[];
}

const siblingsOf = (answer: Answer): readonly Record<string, unknown>[] => (answer.json() as SiblingsJson).siblings;

describe('a value', () => {
  test('is answered with its bytes, its type, its metadata and what the read proved', async () => {
    await edge.ask('PUT', '/v1/kv/b/v', ['Content-Type: text/x', 'QUORATE-META-Color: Red; x'], 'hello');
    const answer = await edge.ask('GET', '/v1/kv/b/v');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('hello');
    expect(answer.headers).toMatchObject({
      'content-type': 'text/x',
      'content-length': '5',
      'quorate-meta-color': 'Red; x',
      'quorate-quorum': 'r=1/1; owners=1; fallbacks=0; hedged=0',
      'quorate-epoch': '1',
      'quorate-node': 'n1',
      'server-timing': 'n1;dur=0',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers['causal-context']).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(answer.headers.etag).toMatch(/^"[^"]+"$/);
    expect(Date.parse(answer.headers['last-modified'] ?? '')).toBeGreaterThan(0);
    expect(answer.headers.vary).toBeUndefined();
  });

  test('of no bytes is 200 with length 0', async () => {
    await edge.ask('PUT', '/v1/kv/b/empty', [], '');
    const answer = await edge.ask('GET', '/v1/kv/b/empty');
    expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, '0', 0]);
  });

  test('comes back byte for byte, small and large', async () => {
    for (const length of [1, 255, 2048, 2049, 70_000, 1024 * 1024]) {
      const value = Buffer.alloc(
        length,
        Uint8Array.from({ length: 256 }, (_, i) => i),
      );
      expect((await edge.ask('PUT', '/v1/kv/b/bytes', [], value)).status).toBe(204);
      expect((await edge.ask('GET', '/v1/kv/b/bytes')).body.equals(value)).toBe(true);
    }
  });

  test('is never refused because of Accept', async () => {
    await edge.ask('PUT', '/v1/kv/b/v', ['Content-Type: text/plain'], 'hello');
    const answer = await edge.ask('GET', '/v1/kv/b/v', ['Accept: image/png;q=1, */*;q=0']);
    expect([answer.status, answer.text]).toEqual([200, 'hello']);
  });

  test('without a type has the default one', async () => {
    await edge.ask('PUT', '/v1/kv/b/v', [], 'x');
    expect((await edge.ask('GET', '/v1/kv/b/v')).headers['content-type']).toBe('application/octet-stream');
  });

  test('answers HEAD with the head of a GET', async () => {
    await edge.ask('PUT', '/v1/kv/b/head', ['Content-Type: text/plain'], 'hello');
    const [head, get] = [await edge.ask('HEAD', '/v1/kv/b/head'), await edge.ask('GET', '/v1/kv/b/head')];
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '5', 0]);
  });
});

describe('nothing', () => {
  test('is a 404 problem with the context of what was seen', async () => {
    const answer = await edge.ask('GET', '/v1/kv/b/nothing');
    expect(answer.status).toBe(404);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'quorate-quorum': 'r=1/1; owners=1; fallbacks=0; hedged=0',
    });
    expect(answer.headers['causal-context']).toBeDefined();
    expect(answer.json()).toEqual({
      type: 'about:blank',
      title: 'Not found',
      status: 404,
      code: 'not-found',
      detail: 'nothing is there under this key',
      instance: '/v1/kv/b/nothing',
      retryable: false,
      epoch: 1,
    });
  });

  test('answers HEAD with the length of the problem and no body', async () => {
    const [head, get] = [await edge.ask('HEAD', '/v1/kv/b/nothing'), await edge.ask('GET', '/v1/kv/b/nothing')];
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([404, String(get.body.length), 0]);
  });
});

describe('siblings', () => {
  test('are a 300 in JSON: text as value, other bytes as valueBase64', async () => {
    await twoSiblings('two', 'grün', Buffer.from([0xff, 0xfe, 0]));
    const answer = await edge.ask('GET', '/v1/kv/b/two');
    expect(answer.status).toBe(300);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', vary: 'Accept' });
    expect(answer.headers.location).toBeUndefined();
    const [first, second] = siblingsOf(answer);
    expect(first).toMatchObject({ contentType: 'text/plain', value: 'grün', meta: {} });
    expect(second).toMatchObject({
      contentType: 'application/octet-stream',
      valueBase64: '//4A',
      meta: { by: 'bob' },
    });
    expect(second).not.toHaveProperty('value');
    expect(first?.lastModified).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('are one value each when a dot is named, and 404 when it is gone', async () => {
    await twoSiblings('dots', 'a', 'b');
    const [first] = siblingsOf(await edge.ask('GET', '/v1/kv/b/dots'));
    const answer = await edge.ask('GET', `/v1/kv/b/dots?dot=${first?.dot}`);
    expect([answer.status, answer.text]).toEqual([200, 'a']);
    expect((await edge.ask('GET', '/v1/kv/b/dots?dot=7.7.7')).status).toBe(404);
  });

  test('are merged by a write that sends their context', async () => {
    await twoSiblings('merged', 'a', 'b');
    const { headers } = await edge.ask('GET', '/v1/kv/b/merged');
    await edge.ask('PUT', '/v1/kv/b/merged', [`Causal-Context: ${headers['causal-context']}`], 'ab');
    expect((await edge.ask('GET', '/v1/kv/b/merged')).text).toBe('ab');
  });

  test('are multipart on Accept, under a boundary that no value contains', async () => {
    await twoSiblings('parts', 'a', 'b');
    const before = await edge.ask('GET', '/v1/kv/b/parts', ['Accept: multipart/mixed']);
    const [, guess = ''] = /boundary=(.+)$/.exec(before.headers['content-type'] ?? '') ?? [];
    const [first] = siblingsOf(await edge.ask('GET', '/v1/kv/b/parts'));
    expect(guess).not.toBe('');
    expect(before.text.split(`--${guess}`)).toHaveLength(4);
    expect(before.text).toContain(`\r\nQuorate-Dot: ${first?.dot}\r\n`);
    expect(before.text).toContain('\r\nQuorate-Meta-by: bob\r\n\r\nb\r\n--');
    expect(before.text.endsWith(`--${guess}--\r\n`)).toBe(true);
    expect(before.headers).toMatchObject({ vary: 'Accept', 'content-length': String(before.body.length) });
  });

  test('prefer what Accept weighs higher, and JSON when it does not care', async () => {
    await twoSiblings('weights', 'a', 'b');
    const typeFor = async (accept: string): Promise<string | undefined> =>
      (await edge.ask('GET', '/v1/kv/b/weights', [`Accept: ${accept}`])).headers['content-type']?.split(';')[0];
    expect(await typeFor('*/*')).toBe('application/json');
    expect(await typeFor('application/json;q=0.5, multipart/*;q=0.9')).toBe('multipart/mixed');
    expect(await typeFor('multipart/mixed;q=0.1, application/json;q=0.2')).toBe('application/json');
    expect(await typeFor('*/*, application/json;q=0')).toBe('multipart/mixed');
  });

  test('are 406 when neither form is accepted', async () => {
    await twoSiblings('refused', 'a', 'b');
    const answer = await edge.ask('GET', '/v1/kv/b/refused', ['Accept: image/png']);
    expect([answer.status, answer.json()]).toMatchObject([406, { code: 'not-acceptable', field: 'Accept' }]);
  });

  test('answer HEAD with the head of the form that a GET would have', async () => {
    await twoSiblings('head2', 'a', 'b');
    for (const accept of ['application/json', 'multipart/mixed']) {
      const head = await edge.ask('HEAD', '/v1/kv/b/head2', [`Accept: ${accept}`]);
      const get = await edge.ask('GET', '/v1/kv/b/head2', [`Accept: ${accept}`]);
      expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' });
      expect([head.status, head.body.length]).toEqual([300, 0]);
    }
  });
});

describe('If-None-Match', () => {
  test('that lists the tag is 304 with the context and without a body', async () => {
    await edge.ask('PUT', '/v1/kv/b/tag', [], 'x');
    const { headers } = await edge.ask('GET', '/v1/kv/b/tag');
    for (const tags of [headers.etag, `"other", W/${headers.etag}`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await edge.ask(method, '/v1/kv/b/tag', [`If-None-Match: ${tags}`]);
        expect([answer.status, answer.body.length]).toEqual([304, 0]);
        expect(answer.headers).toMatchObject({ etag: headers.etag, 'causal-context': headers['causal-context'] });
      }
    }
  });

  test('that lists another tag, or meets nothing, has no effect', async () => {
    await edge.ask('PUT', '/v1/kv/b/tag', [], 'x');
    expect((await edge.ask('GET', '/v1/kv/b/tag', ['If-None-Match: "1.1.999999"'])).status).toBe(200);
    expect((await edge.ask('GET', '/v1/kv/b/no-tag', ['If-None-Match: *'])).status).toBe(404);
  });

  test('tells the forms of siblings apart', async () => {
    await twoSiblings('tags', 'a', 'b');
    const { headers } = await edge.ask('GET', '/v1/kv/b/tags');
    const same = await edge.ask('GET', '/v1/kv/b/tags', [`If-None-Match: ${headers.etag}`]);
    const other = await edge.ask('GET', '/v1/kv/b/tags', [`If-None-Match: ${headers.etag}`, 'Accept: multipart/mixed']);
    expect([same.status, same.headers.vary, other.status]).toEqual([304, 'Accept', 300]);
  });
});

test('conditions that a read does not know are refused, not passed over', async () => {
  for (const name of ['If-Match', 'If-Unmodified-Since']) {
    const answer = await edge.ask('GET', '/v1/kv/b/v', [`${name}: "x"`]);
    expect([answer.status, answer.json()]).toMatchObject([400, { code: 'not-supported', field: name }]);
  }
});
