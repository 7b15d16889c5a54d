/** The proxy does to a connection what its faults are named for: otherwise a cluster that survives them has survived nothing. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LinkProxy } from './link-proxy.ts';

/** One end of a connection, and what it has received. */
class End {
  readonly socket: Socket;
  text = '';
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  has(text: string): Promise<void> {
    return expect.poll(() => this.text).toBe(text);
  }

  closes(): Promise<void> {
    return expect.poll(() => this.isClosed).toBe(true);
  }
}

let server: Server;
let proxy: LinkProxy;
let accepted: End[];

beforeEach(async () => {
  accepted = [];
  server = createServer((socket) => accepted.push(new End(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  proxy = await LinkProxy.to(typeof address === 'object' && address !== null ? address.port : 0);
});
afterEach(() => {
  proxy.close();
  server.close();
});

const dial = (): End => new End(connect({ host: '127.0.0.1', port: proxy.port }));

/** Both ends of a connection that works. */
async function established(): Promise<readonly [dialer: End, listener: End]> {
  const before = accepted.length;
  const dialer = dial();
  dialer.socket.write('a');
  await expect.poll(() => accepted[before]?.text).toBe('a');
  const listener = accepted[before];
  if (listener === undefined) throw new Error('nothing was accepted');
  listener.socket.write('b');
  await dialer.has('b');
  return [dialer, listener];
}

describe('a link', () => {
  it('passes bytes and the end of a connection on, both ways', async () => {
    const [dialer, listener] = await established();
    dialer.socket.end();
    await listener.closes();
    const [other, end] = await established();
    end.socket.end();
    await other.closes();
  });

  it('holds one way back while the other goes on, and delivers late what it held', async () => {
    const [dialer, listener] = await established();
    proxy.set('there', 'held');
    dialer.socket.write('late');
    listener.socket.write('c');
    await dialer.has('bc');
    expect(listener.text).toBe('a');
    proxy.set('there', 'open');
    await listener.has('alate');
    expect([dialer.isClosed, listener.isClosed]).toEqual([false, false]);
  });

  it('loses what goes one way, and breaks the connection only when it is open again', async () => {
    const [dialer, listener] = await established();
    proxy.set('back', 'lost');
    listener.socket.write('lost');
    dialer.socket.write('c');
    await listener.has('ac');
    expect([dialer.text, dialer.isClosed, listener.isClosed]).toEqual(['b', false, false]);
    proxy.set('back', 'open');
    await Promise.all([dialer.closes(), listener.closes()]);
    expect(dialer.text).toBe('b');
  });

  it('does not break a connection on which nothing was lost', async () => {
    const [dialer, listener] = await established();
    for (const passage of ['lost', 'open', 'held', 'open'] as const) proxy.set('there', passage);
    dialer.socket.write('c');
    await listener.has('ac');
  });

  it('does not tell of an end while it is cut', async () => {
    const [dialer, listener] = await established();
    proxy.set('there', 'lost');
    dialer.socket.destroy();
    await dialer.closes();
    listener.socket.write('c');
    expect(listener.isClosed).toBe(false);
    proxy.set('there', 'open');
    await listener.closes();
  });

  it('never completes a connection that was dialed while it was cut', async () => {
    proxy.set('there', 'held');
    const dialer = dial();
    dialer.socket.write('stale');
    await expect.poll(() => accepted.length).toBe(1);
    proxy.set('there', 'open');
    await dialer.closes();
    await accepted[0]?.closes();
    expect(accepted[0]?.text).toBe('');
  });

  it('refuses: ends what there is and what comes, until it is told to stop that', async () => {
    const [dialer, listener] = await established();
    proxy.refuse(true);
    await Promise.all([dialer.closes(), listener.closes()]);
    await dial().closes();
    expect(accepted).toHaveLength(1);
    proxy.refuse(false);
    await established();
  });
});
