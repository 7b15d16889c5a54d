import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameReader } from './frame.ts';
import { SocketWriter } from './socket-writer.ts';
import { until } from './test-ports.ts';
import { HOST } from './test-tcp-cluster.ts';

const QUEUE_BYTES_MAX = 4 * 1024 * 1024;

describe('a socket writer', () => {
  let server: Server;
  let near: Socket;
  let far: Socket;

  beforeEach(async () => {
    server = createServer({ pauseOnConnect: true });
    server.listen(0, HOST);
    await once(server, 'listening');
    const address = server.address();
    near = connect({ host: HOST, port: address !== null && typeof address === 'object' ? address.port : 0 });
    [far] = await once(server, 'connection');
    near.on('error', () => {});
  });
  afterEach(() => {
    near.destroy();
    far.destroy();
    server.close();
  });

  /** Each message names itself, over and over. */
  const message = (index: number) => Buffer.alloc(1_000 + (index % 7) * 100, `${index} `);

  /** Sends turn by turn until the system takes no more, then until the queue is full; returns how many were taken. */
  const fill = async (writer: SocketWriter): Promise<number> => {
    let sent = 0;
    for (let isFull = false; !isFull; await new Promise((resolve) => setImmediate(resolve))) {
      for (let count = 0; count < 100 && !isFull; count++) {
        isFull = writer.send(message(sent)) === 'full';
        if (!isFull) sent++;
      }
    }
    return sent;
  };
  const collect = () => {
    const received: Buffer[] = [];
    const reader = new FrameReader(1_000_000, (frame) => received.push(Buffer.from(frame)));
    far.on('data', (chunk) => reader.push(chunk));
    far.resume();
    return received;
  };

  it('keeps what waits for a slow reader unchanged and in order, and sends all of it without another call', async () => {
    const writer = new SocketWriter(near, QUEUE_BYTES_MAX);
    const sent = await fill(writer);
    const received = collect();
    await until(() => received.length === sent);
    expect(received.every((frame, index) => frame.equals(message(index)))).toBe(true);
  });

  it('counts what is being written into the bound of its queue', async () => {
    const writer = new SocketWriter(near, QUEUE_BYTES_MAX);
    await until(() => {
      const isBusy = near.writableLength > 0;
      for (let count = 0; count < 1_500 && !isBusy; count++) writer.send(message(0));
      return isBusy;
    });
    const writing = near.writableLength;
    expect(writing).toBeGreaterThan(0);
    let taken = 0;
    while (writer.send(message(0)) === 'sent') taken += message(0).length;
    expect(writing + taken).toBeLessThanOrEqual(QUEUE_BYTES_MAX);
  });

  it('hands on everything before it closes the socket, for a slow reader too', async () => {
    const writer = new SocketWriter(near, QUEUE_BYTES_MAX);
    const sent = await fill(writer);
    writer.end();
    const received = collect();
    await until(() => near.destroyed && received.length === sent);
  });
});
