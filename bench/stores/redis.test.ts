import { afterEach, describe, expect, it } from 'vitest';
import { durabilityOf, parsePeer, versionOf } from './peer.ts';
import { redis } from './redis.ts';
import { newValue, type Session } from './store.ts';
import { type TestRedis, testRedis } from './test-redis.ts';

const servers: TestRedis[] = [];
const sessions: Session[] = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
  for (const server of servers.splice(0)) server.close();
});

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const PRIMARY = '*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n';
const replicaOf = (port: number): string =>
  `*5\r\n${bulk('slave')}${bulk('127.0.0.1')}:${port}\r\n${bulk('connected')}:0\r\n`;

/** A server that answers by the beginning of the command, and `ROLE` as a primary unless said otherwise. */
async function serverWith(answers: Readonly<Record<string, string>>): Promise<TestRedis> {
  const all: Readonly<Record<string, string>> = { ROLE: PRIMARY, ...answers };
  const server = await testRedis((command) => {
    const name = Object.keys(all).find((prefix) => command.startsWith(prefix));
    return name === undefined ? undefined : all[name];
  });
  servers.push(server);
  return server;
}

async function openSession({ port }: TestRedis, members = 3, timeoutMs = 5000): Promise<Session> {
  const store = redis(members);
  const [read] = store.reads;
  const [write] = store.writes;
  if (read === undefined || write === undefined) throw new Error('a store without ways');
  const nextValue = () => newValue(Buffer.from('v'));
  const session = await store.open(`redis://127.0.0.1:${port}`, { read, write, nextValue, timeoutMs });
  sessions.push(session);
  return session;
}

const commandsOf = ({ commands }: TestRedis): string[] =>
  commands.map(({ command }) => command).filter((command) => command !== 'ROLE');

describe('a session with redis', () => {
  it('reads, and tells a missing key', async () => {
    const server = await serverWith({ 'GET bench/there': bulk('v'), 'GET bench/gone': '$-1\r\n' });
    const session = await openSession(server);
    expect(await session.run({ kind: 'read', key: 'there' })).toBeUndefined();
    expect(await session.run({ kind: 'read', key: 'gone' })).toBe('not-found');
  });

  it('waits for as many replicas as make a majority with the primary', async () => {
    const server = await serverWith({ SET: '+OK\r\n', WAIT: ':1\r\n' });
    const session = await openSession(server);
    expect(await session.run({ kind: 'update', key: 'k' })).toBeUndefined();
    expect(commandsOf(server)).toEqual(['SET bench/k v', 'WAIT 1 5000']);
  });

  it('has not written when too few replicas acknowledged it', async () => {
    const session = await openSession(await serverWith({ SET: '+OK\r\n', WAIT: ':0\r\n' }));
    expect(await session.run({ kind: 'insert', key: 'k' })).toBe('too few replicas');
  });

  it('waits for nobody where there is one member', async () => {
    const server = await serverWith({ SET: '+OK\r\n' });
    const session = await openSession(server, 1);
    expect(await session.run({ kind: 'update', key: 'k' })).toBeUndefined();
    expect(commandsOf(server)).toEqual(['SET bench/k v']);
  });

  it.each([
    ['nobody wrote meanwhile', `*1\r\n+OK\r\n`, undefined],
    ['somebody did', '*-1\r\n', 'conflict'],
  ])('writes after a read in a transaction: %s', async (_case, exec, failure) => {
    const answers = { WATCH: '+OK\r\n', GET: bulk('v'), MULTI: '+OK\r\n', SET: '+QUEUED\r\n', EXEC: exec };
    const server = await serverWith({ ...answers, WAIT: ':1\r\n' });
    const session = await openSession(server);
    expect(await session.run({ kind: 'read-modify-write', key: 'k' })).toBe(failure);
    expect(commandsOf(server)).toEqual([
      'WATCH bench/k',
      'GET bench/k',
      'MULTI',
      'SET bench/k v',
      'EXEC',
      'WAIT 1 5000',
    ]);
  });

  it('writes to the primary of the replica it is at', async () => {
    const primary = await serverWith({ SET: '+OK\r\n', WAIT: ':1\r\n' });
    const replica = await serverWith({ ROLE: replicaOf(primary.port) });
    const session = await openSession(replica);
    expect(await session.run({ kind: 'update', key: 'k' })).toBeUndefined();
    expect(commandsOf(primary)).toEqual(['SET bench/k v', 'WAIT 1 5000']);
    expect(commandsOf(replica)).toEqual([]);
  });

  it('tells an error by its code, and goes on', async () => {
    const session = await openSession(await serverWith({ GET: '-LOADING Redis is loading\r\n' }));
    expect(await session.run({ kind: 'read', key: 'k' })).toBe('LOADING');
    expect(session.isOpen).toBe(true);
  });

  it('gives up at the deadline, and is over', async () => {
    const session = await openSession(await serverWith({}), 3, 60);
    expect(await session.run({ kind: 'read', key: 'k' })).toBe('timeout');
    expect(session.isOpen).toBe(false);
    expect(await session.run({ kind: 'read', key: 'k' })).toBe('connection');
  });

  it('is not opened at a member that takes connections and says nothing', async () => {
    const server = await testRedis(() => undefined);
    servers.push(server);
    await expect(openSession(server, 3, 60)).rejects.toThrow('no answer after 60 ms');
  });

  it('fails when the connection breaks', async () => {
    const server = await serverWith({});
    const session = await openSession(server);
    const answer = session.run({ kind: 'read', key: 'k' });
    server.close();
    expect(await answer).toBe('connection');
    expect(session.isOpen).toBe(false);
  });

  it('is refused where nobody listens', async () => {
    const server = await serverWith({});
    server.close();
    await expect(openSession(server)).rejects.toThrow();
  });
});

describe('what redis says of itself', () => {
  const info = { 'INFO server': bulk('# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n') };
  const aof = (enabled: number) => ({ 'INFO persistence': bulk(`# Persistence\r\naof_enabled:${enabled}\r\n`) });
  const setting = { 'CONFIG GET appendfsync': `*2\r\n${bulk('appendfsync')}${bulk('always')}` };

  it('is its version, and when it flushes', async () => {
    const server = await serverWith({ ...info, ...aof(1), ...setting });
    const peer = parsePeer(`redis=127.0.0.1:${server.port}`);
    expect(await versionOf(peer)).toBe('7.0.15');
    expect(await durabilityOf(peer)).toBe('appendfsync always');
  });

  it('is said for each member when they differ', async () => {
    const [safe, quick] = [await serverWith({ ...aof(1), ...setting }), await serverWith(aof(0))];
    const peer = parsePeer(`redis=127.0.0.1:${safe.port},127.0.0.1:${quick.port}`);
    expect(await durabilityOf(peer)).toBe('appendfsync always, no append-only file');
  });
});
