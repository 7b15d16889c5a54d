import { describe, expect, it } from 'vitest';
import { newValue, type Operation, type Store } from '../stores/store.ts';
import { Client, connectClients } from './client.ts';
import { type TestSession, TestStore } from './test-store.ts';

const operation: Operation = { kind: 'read', key: 'key-1' };
const addresses = ['a', 'b', 'c'];

function optionsOf(store: Store) {
  const [read] = store.reads;
  const [write] = store.writes;
  if (read === undefined || write === undefined) throw new Error('a store without ways');
  return { store, addresses, session: { read, write, nextValue: () => newValue(Buffer.from('v')), timeoutMs: 1000 } };
}

describe('clients', () => {
  it('are spread over the members', async () => {
    const store = new TestStore(async () => undefined);
    await connectClients(optionsOf(store), 6);
    expect(store.sessions.map(({ address }) => address).sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  });

  it('keep their session while it is open, also after an error', async () => {
    const store = new TestStore(async () => '503');
    const client = new Client(optionsOf(store), 0);
    expect([await client.run(operation), await client.run(operation)]).toEqual(['503', '503']);
    expect(store.sessions).toHaveLength(1);
  });

  it('go to the next member when their session broke', async () => {
    const store = new TestStore(async (_operation, address) => {
      if (address !== 'a') return undefined;
      for (const session of store.sessions) breakSession(session);
      return 'connection';
    });
    const client = new Client(optionsOf(store), 0);
    expect([await client.run(operation), await client.run(operation)]).toEqual(['connection', undefined]);
    expect(store.sessions.map(({ address }) => address)).toEqual(['a', 'b']);
  });

  it('pass over members that take no connection', async () => {
    const store = new TestStore(async () => undefined);
    store.unreachable.add('a').add('b');
    expect(await new Client(optionsOf(store), 0).run(operation)).toBeUndefined();
    expect(store.sessions.map(({ address }) => address)).toEqual(['c']);
  });

  it('have nothing to be measured when no member takes a connection', async () => {
    const store = new TestStore(async () => undefined);
    for (const address of addresses) store.unreachable.add(address);
    expect(await new Client(optionsOf(store), 0).run(operation)).toBe('connection');
    await expect(connectClients(optionsOf(store), 2)).rejects.toThrow('cannot connect to test at a, b, c');
  });
});

const breakSession = (session: TestSession): void => session.close();
