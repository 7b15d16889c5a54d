import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpConnection } from './http-connection.ts';
import type { HttpRequest } from './http-dialect.ts';
import { portOf, type TestServer, testServer } from './test-server.ts';

const get: HttpRequest = { method: 'GET', path: '/' };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function connected(server: TestServer, timeoutMs = 5000): Promise<HttpConnection> {
  const connection = await HttpConnection.open(server.address, timeoutMs);
  closers.push(() => connection.close(), server.close);
  return connection;
}

/** A server that does with each connection's first bytes as it is told. */
async function rawServer(react: (socket: Socket) => void): Promise<TestServer> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => react(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { address: `http://127.0.0.1:${portOf(server.address())}`, close };
}

describe('a connection', () => {
  it('sends method, path, headers and body, and gives back status, head and body', async () => {
    const server = await testServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.statusCode = 201;
        response.setHeader('x-seen', `${request.method} ${request.url} ${request.headers['x-a']}`);
        response.end(Buffer.concat(chunks));
      });
    });
    const connection = await connected(server);
    for (const body of [Buffer.from([0, 255, 13, 10]), 'text']) {
      const answer = await connection.ask({ method: 'PUT', path: '/k?w=2', headers: { 'X-A': 'b' }, body });
      if (typeof answer === 'string') throw new Error(answer);
      expect(answer.status).toBe(201);
      expect(answer.head).toContain('x-seen: PUT /k?w=2 b');
      expect(answer.body).toEqual(Buffer.from(body));
    }
    expect(connection.isOpen).toBe(true);
  });

  it('gives a request up at its deadline, and takes no late answer for the next', async () => {
    const connection = await connected(await testServer(() => {}), 50);
    expect(await connection.ask(get)).toBe('timeout');
    expect(connection.isOpen).toBe(false);
    expect(await connection.ask(get)).toBe('connection');
  });

  it('counts the deadline from each request', async () => {
    let requests = 0;
    const server = await testServer((_request, response) => {
      if (requests++ < 4) setTimeout(() => response.end(), 100);
    });
    const connection = await connected(server, 300);
    for (let i = 0; i < 4; i++) expect(await connection.ask(get)).toMatchObject({ status: 200 });
    expect(await connection.ask(get)).toBe('timeout');
  });

  it.each([
    ['is broken', (socket: Socket) => socket.resetAndDestroy()],
    [
      'is ended in the middle of an answer',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab'),
    ],
    ['brings something else than an answer', (socket: Socket) => socket.write('what?\r\n\r\n')],
  ])('fails when it %s', async (_how, react) => {
    const connection = await connected(await rawServer(react));
    expect(await connection.ask(get)).toBe('connection');
    expect(connection.isOpen).toBe(false);
  });

  it('is over after an answer that says so', async () => {
    const server = await testServer((_request, response) => {
      response.setHeader('Connection', 'close');
      response.end('last');
    });
    const connection = await connected(server);
    expect(await connection.ask(get)).toMatchObject({ status: 200, body: Buffer.from('last') });
    expect(connection.isOpen).toBe(false);
  });

  it('is refused where nobody listens', async () => {
    const server = await testServer(() => {});
    await server.close();
    await expect(HttpConnection.open(server.address, 1000)).rejects.toThrow('ECONNREFUSED');
  });
});
