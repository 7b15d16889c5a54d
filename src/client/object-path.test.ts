import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketPath, keyOfPath, objectPath } from './object-path.ts';

const key = fc
  .string({ unit: 'binary', minLength: 1 })
  .filter((text) => !text.split('/').some((segment) => segment === '.' || segment === '..'));

describe('the path of a key', () => {
  it.each([
    ['42', '/v1/kv/carts/42'],
    ['a/b', '/v1/kv/carts/a/b'],
    ['a//b/', '/v1/kv/carts/a//b/'],
    ['50% + 1?#&=', '/v1/kv/carts/50%25%20%2B%201%3F%23%26%3D'],
    ['ü€\u{1F600}', '/v1/kv/carts/%C3%BC%E2%82%AC%F0%9F%98%80'],
    ['...', '/v1/kv/carts/...'],
  ])('%j is %s', (text, path) => {
    expect(objectPath('carts', text)).toBe(path);
  });

  it('survives a URL parser unchanged, whatever the key', () => {
    fc.assert(
      fc.property(key, (text) => {
        const path = objectPath('b', text);
        expect(new URL(`http://h${path}`).pathname).toBe(path);
        expect(keyOfPath('b', path)).toBe(text);
      }),
    );
  });

  it.each(['', '.', '..', 'a/../b', './a', 'a/.', '\ud800'])('key %j is refused before it is sent', (text) => {
    expect(() => objectPath('carts', text)).toThrow(
      expect.objectContaining({ code: 'bad-key', outcome: 'not_applied' }),
    );
  });

  it.each(['', '.', '..', 'a/b', 'a b', 'x'.repeat(65)])('bucket %j is refused before it is sent', (bucket) => {
    expect(() => bucketPath(bucket)).toThrow(expect.objectContaining({ code: 'bad-bucket' }));
  });

  it('of another bucket, or badly escaped, names no key', () => {
    expect([keyOfPath('b', '/v1/kv/c/1'), keyOfPath('b', '/v1/kv/b/%zz'), keyOfPath('b', '/v1/kv/b/%C3%BC')]).toEqual([
      undefined,
      undefined,
      'ü',
    ]);
  });
});
