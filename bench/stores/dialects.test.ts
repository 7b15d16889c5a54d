/** What each store over HTTP is asked, and how its answers are understood, as its documentation has it. */
import { describe, expect, it } from 'vitest';
import { CONSUL } from './consul.ts';
import { ETCD } from './etcd.ts';
import type { HttpAnswer, HttpDialect } from './http-dialect.ts';
import { quorate } from './quorate.ts';
import { newValue, type Store, type Way } from './store.ts';

const value = newValue(Buffer.from('bar'));

const answer = (status: number, body = '', head = ''): HttpAnswer => ({
  status,
  head: `HTTP/1.1 ${status} X\r\n${head}`,
  body: Buffer.from(body),
});

function dialectOf({ dialect }: Store): HttpDialect {
  if (dialect === undefined) throw new Error('no dialect');
  return dialect;
}

function wayOf(ways: readonly Way[], label: string): Way {
  const way = ways.find((one) => one.label === label);
  if (way === undefined) throw new Error(`no way ${label}`);
  return way;
}

describe('quorate', () => {
  const store = quorate(3);
  const dialect = dialectOf(store);
  const r2 = wayOf(store.reads, 'GET r=2');
  const w2 = wayOf(store.writes, 'PUT w=2');

  it('has every r and w, and knows its majority', () => {
    expect(store.reads.map(({ label, strength }) => `${label} ${strength}`)).toEqual([
      'GET r=3 other',
      'GET r=2 quorum',
      'GET r=1 one',
    ]);
    expect(store.writes.map(({ replicas }) => replicas)).toEqual([3, 2, 1]);
    expect(quorate(5).writes.find(({ strength }) => strength === 'quorum')?.label).toBe('PUT w=3');
  });

  it('is asked with the quorum in the query', () => {
    expect(dialect.read('foo', r2)).toEqual({ method: 'GET', path: '/v1/kv/bench/foo?r=2' });
    expect(dialect.write('foo', value, w2)).toEqual({ method: 'PUT', path: '/v1/kv/bench/foo?w=2', body: value.bytes });
  });

  it('gets the context of the read with the write', () => {
    const seen = answer(200, 'bar', 'Quorate-Node: n1\r\nCausal-Context: abc_-=\r\nX: y');
    const written = dialect.writeAfter('foo', value, w2, seen);
    expect(written).toEqual({ ...dialect.write('foo', value, w2), headers: { 'Causal-Context': 'abc_-=' } });
  });

  it('has succeeded with a value, siblings or an acknowledgement', () => {
    expect([200, 204, 300].map((status) => dialect.failureOf('read', answer(status)))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([404, 503, 504].map((status) => dialect.failureOf('read', answer(status)))).toEqual(['404', '503', '504']);
  });
});

describe('etcd', () => {
  const dialect = dialectOf(ETCD);
  const [put] = ETCD.writes;
  if (put === undefined) throw new Error('no way to write');
  const range =
    '{"header":{"revision":"9"},"kvs":[{"key":"YmVuY2gvZm9v","create_revision":"2","mod_revision":"7"}],"count":"1"}';

  it.each([
    ['linearizable range', false],
    ['serializable range', true],
  ])('is asked for a %s', (label, serializable) => {
    const { method, path, body } = dialect.read('foo', wayOf(ETCD.reads, label));
    expect([method, path, JSON.parse(`${body}`)]).toEqual([
      'POST',
      '/v3/kv/range',
      { key: 'YmVuY2gvZm9v', serializable },
    ]);
  });

  it('puts keys and values in base64', () => {
    const { method, path, body } = dialect.write('foo', value, put);
    expect([method, path, JSON.parse(`${body}`)]).toEqual([
      'POST',
      '/v3/kv/put',
      { key: 'YmVuY2gvZm9v', value: 'YmFy' },
    ]);
  });

  it('writes after a read by a transaction on the revision that was seen', () => {
    const { path, body } = dialect.writeAfter('foo', value, put, answer(200, range));
    expect(path).toBe('/v3/kv/txn');
    expect(JSON.parse(`${body}`)).toEqual({
      compare: [{ key: 'YmVuY2gvZm9v', target: 'MOD', result: 'EQUAL', mod_revision: '7' }],
      success: [{ request_put: { key: 'YmVuY2gvZm9v', value: 'YmFy' } }],
    });
  });

  it('says in its body what its status does not', () => {
    expect(dialect.failureOf('read', answer(200, range))).toBeUndefined();
    expect(dialect.failureOf('read', answer(200, '{"header":{"revision":"9"}}'))).toBe('not-found');
    expect(dialect.failureOf('write', answer(200, '{"header":{}}'))).toBeUndefined();
    expect(dialect.failureOf('write-after', answer(200, '{"header":{},"succeeded":true}'))).toBeUndefined();
    expect(dialect.failureOf('write-after', answer(200, '{"header":{}}'))).toBe('conflict');
    expect(dialect.failureOf('write', answer(503, '{"error":"etcdserver: request timed out"}'))).toBe('503');
  });
});

describe('consul', () => {
  const dialect = dialectOf(CONSUL);
  const [put] = CONSUL.writes;
  if (put === undefined) throw new Error('no way to write');

  it.each([
    ['consistent read', '/v1/kv/bench/foo?raw&consistent', '/v1/kv/bench/foo?consistent'],
    ['default read', '/v1/kv/bench/foo?raw', '/v1/kv/bench/foo'],
    ['stale read', '/v1/kv/bench/foo?raw&stale', '/v1/kv/bench/foo?stale'],
  ])('is asked for a %s', (label, path, pathBeforeWrite) => {
    const way = wayOf(CONSUL.reads, label);
    expect(dialect.read('foo', way)).toEqual({ method: 'GET', path });
    expect(dialect.readBeforeWrite('foo', way)).toEqual({ method: 'GET', path: pathBeforeWrite });
  });

  it('puts values as they are', () => {
    expect(dialect.write('foo', value, put)).toEqual({ method: 'PUT', path: '/v1/kv/bench/foo', body: value.bytes });
  });

  it('writes after a read by check-and-set on the index that was seen', () => {
    const seen = answer(200, '[{"LockIndex":0,"Key":"bench/foo","Value":"YmFy","CreateIndex":100,"ModifyIndex":200}]');
    expect(dialect.writeAfter('foo', value, put, seen).path).toBe('/v1/kv/bench/foo?cas=200');
  });

  it('answers a write with true or false', () => {
    expect(dialect.failureOf('write-after', answer(200, 'true\n'))).toBeUndefined();
    expect(dialect.failureOf('write-after', answer(200, 'false\n'))).toBe('conflict');
    expect(dialect.failureOf('read', answer(200, 'anything'))).toBeUndefined();
    expect(dialect.failureOf('read', answer(404))).toBe('404');
    expect(dialect.failureOf('write', answer(500, 'No cluster leader'))).toBe('500');
  });
});
