import { afterEach, describe, expect, it } from 'vitest';
import { BadPeerError, durabilityOf, parsePeer, versionOf } from './peer.ts';
import { type TestServer, testServer } from './test-server.ts';

const partsOf = (text: string) => {
  const { store, addresses } = parsePeer(text);
  return { name: store.name, addresses };
};

function problemOf(text: string): unknown {
  try {
    return parsePeer(text);
  } catch (error) {
    return error instanceof BadPeerError ? [error.problem, error.message] : error;
  }
}

describe('the name of a peer', () => {
  it.each([
    ['etcd=http://127.0.0.1:2379', 'etcd', ['http://127.0.0.1:2379']],
    ['etcd=http://a:1/,http://b:2', 'etcd', ['http://a:1', 'http://b:2']],
    ['consul=http://[::1]:8500', 'consul', ['http://[::1]:8500']],
    ['redis=localhost:6379,127.0.0.1:6380', 'redis', ['redis://localhost:6379', 'redis://127.0.0.1:6380']],
    ['redis=redis://localhost:6379', 'redis', ['redis://localhost:6379']],
  ])('%s', (text, name, addresses) => {
    expect(partsOf(text)).toEqual({ name, addresses });
  });

  it.each([
    ['etcd', 'no-store'],
    ['', 'no-store'],
    ['riak=http://a:1', 'unknown-store'],
    ['quorate=http://a:1', 'unknown-store'],
    ['etcd=', 'no-address'],
    ['etcd=http://a:1,', 'bad-address'],
    ['etcd=a:1', 'bad-address'],
    ['etcd=https://a:1', 'bad-address'],
    ['consul=http://a:1/v1', 'bad-address'],
    ['consul=http://user@a:1', 'bad-address'],
    ['redis=localhost', 'bad-address'],
    ['redis=http://a:1', 'bad-address'],
    ['redis=a:99999', 'bad-address'],
  ])('is refused: "%s"', (text, problem) => {
    expect(problemOf(text)).toEqual([problem, expect.stringContaining('expected')]);
  });

  it('tells redis to wait for a majority of its members', () => {
    expect(parsePeer('redis=a:1').store.writes.map(({ label }) => label)).toEqual(['SET']);
    expect(parsePeer('redis=a:1,b:1,c:1').store.writes.map(({ label }) => label)).toEqual(['SET, WAIT 1', 'SET']);
    expect(parsePeer('redis=a:1,b:1,c:1,d:1,e:1').store.writes[0]?.replicas).toBe(3);
  });
});

describe('what a peer says of itself', () => {
  let server: TestServer | undefined;
  afterEach(() => server?.close());

  it.each([
    ['etcd', '/version', '{"etcdserver":"3.5.1","etcdcluster":"3.5.0"}', '3.5.1'],
    ['consul', '/v1/agent/self', '{"Config":{"Version":"1.17.0"},"Member":{}}', '1.17.0'],
  ])('%s', async (name, path, body, version) => {
    server = await testServer((request, response) => {
      response.statusCode = request.url === path ? 200 : 404;
      response.end(body);
    });
    const peer = parsePeer(`${name}=${server.address}`);
    expect(await versionOf(peer)).toBe(version);
    expect(await durabilityOf(peer)).toBe('by default: fsync by a majority');
  });

  it('is an error when it is another store', async () => {
    server = await testServer((_request, response) => response.end('{}'));
    await expect(versionOf(parsePeer(`etcd=${server.address}`))).rejects.toThrow();
  });
});
