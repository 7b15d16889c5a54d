/** Bytes that no client should send, on real sockets: each gets its answer or loses its connection, and the node goes on. */
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ByteWriter } from '../../src/core/bytes.ts';
import { eventually, RawConnection, send } from './http-request.ts';
import { RealCluster } from './real-cluster.ts';

let cluster: RealCluster;
let counter = 0;
let filesAtFirst = 0;
const connections: RawConnection[] = [];

beforeAll(async () => {
  cluster = await RealCluster.create();
  await cluster.start();
  filesAtFirst = openFiles();
}, 60_000);
afterAll(() => cluster.remove());

/** Files and sockets that n1 has open; 0 where the system does not tell. */
function openFiles(): number {
  const files = `/proc/${cluster.process('n1').child.pid}/fd`;
  return existsSync(files) ? readdirSync(files).length : 0;
}

/** After each of these every node answers a write and a read that need all three: no process and no link between them was lost. */
afterEach(async () => {
  for (const { socket } of connections.splice(0)) socket.destroy();
  const value = `after ${++counter}`;
  for (const id of cluster.ids) {
    const written = await send(cluster.httpPort(id), '/v1/kv/b/normal?w=3', { method: 'PUT', body: value });
    expect({ id, status: written.status, body: written.body.toString() }).toMatchObject({ id, status: 204 });
    expect((await send(cluster.httpPort(id), '/v1/kv/b/normal?r=3')).body.toString()).toBe(value);
    expect(cluster.process(id).isRunning).toBe(true);
  }
});

function open(port: number = cluster.httpPort('n1')): RawConnection {
  const connection = new RawConnection(port);
  connections.push(connection);
  return connection;
}

const lines = (...head: string[]): string => `${head.join('\r\n')}\r\n\r\n`;
const readBack = (key: string) => send(cluster.httpPort('n2'), `/v1/kv/b/${key}?r=3`);

/** The status line of each answer in what arrived. */
const statusesIn = (text: string): readonly number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

describe('garbage on the HTTP port', () => {
  it.each([
    ['no HTTP at all', 'hello there\r\n\r\n', 400],
    ['bytes of TLS', Buffer.from('16030100a5010000a10303000102', 'hex'), 400],
    ['zeros', Buffer.alloc(1000), 400],
    ['an unknown method', lines('FROB /v1/kv/b/k HTTP/1.1', 'Host: a'), 400],
    ['HTTP/9.9', lines('GET /v1/kv/b/k HTTP/9.9', 'Host: a'), 400],
    ['a header without a colon', lines('GET /v1/kv/b/k HTTP/1.1', 'Host: a', 'no colon here'), 400],
    ['a control character in a header', lines('GET /v1/kv/b/k HTTP/1.1', 'Host: a', 'X: \u0001'), 400],
    ['a blank before the colon', lines('GET /v1/kv/b/k HTTP/1.1', 'Host : a'), 400],
    ['no Host', lines('GET /v1/kv/b/k HTTP/1.1', 'Connection: close'), 400],
    ['two Hosts', lines('GET /v1/kv/b/k HTTP/1.1', 'Host: a', 'Host: b', 'Connection: close'), 400],
    ['a negative length', lines('PUT /v1/kv/b/raw HTTP/1.1', 'Host: a', 'Content-Length: -1'), 400],
    ['a length of letters', lines('PUT /v1/kv/b/raw HTTP/1.1', 'Host: a', 'Content-Length: ten'), 400],
    ['two lengths', `${lines('PUT /v1/kv/b/raw HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Content-Length: 2')}x`, 400],
    ['a huge length', lines('PUT /v1/kv/b/raw HTTP/1.1', 'Host: a', 'Content-Length: 99999999999999999999'), 400],
    [
      'a length and chunks (request smuggling)',
      `${lines('PUT /v1/kv/b/raw HTTP/1.1', 'Host: a', 'Content-Length: 3', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      400,
    ],
    ['an unknown transfer encoding', lines('PUT /v1/kv/b/raw HTTP/1.1', 'Host: a', 'Transfer-Encoding: gzip'), 400],
    [
      'a bad chunk',
      `${lines('PUT /v1/kv/b/raw HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')}zz\r\nvalue\r\n`,
      400,
    ],
    ['CONNECT', lines('CONNECT example.com:443 HTTP/1.1', 'Host: example.com:443'), 405],
    ['a bad escape', lines('PUT /v1/kv/b/%zz HTTP/1.1', 'Host: a', 'Content-Length: 0', 'Connection: close'), 400],
    ['raw bytes that are no UTF-8', lines('GET /v1/kv/b/\u00ff HTTP/1.1', 'Host: a', 'Connection: close'), 400],
    ['a request line over 16 KiB', lines(`GET /v1/kv/b/${'k'.repeat(17_000)} HTTP/1.1`, 'Host: a'), 431],
    ['headers over 16 KiB', lines('GET /v1/kv/b/k HTTP/1.1', 'Host: a', `X: ${'x'.repeat(17_000)}`), 431],
    ['headers without end', `GET / HTTP/1.1\r\n${'X-Y: z\r\n'.repeat(5000)}`, 431],
  ])('%s is answered with a problem document, then the connection ends', async (_what, bytes, status) => {
    const text = await open()
      .write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
      .whole();
    expect(statusesIn(text)).toEqual([status]);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toMatch(/^content-type: application\/problem\+json$/im);
    expect(JSON.parse(body)).toMatchObject({ status, code: expect.any(String) });
    expect((await readBack('raw')).status).toBe(404);
  });

  it('a closed connection without a byte, or with half a head, is nobody\u2019s problem', async () => {
    await new Promise((resolve) => open().socket.once('connect', resolve));
    open().write('GET /v1/kv/b/k HT').socket.end();
  });
});

describe('half a body is never a value', () => {
  it.each([
    ['declared', 'Content-Length: 100', 'half of it'],
    ['in chunks', 'Transfer-Encoding: chunked', 'a\r\n0123456789\r\n'],
    ['in chunks, cut within one', 'Transfer-Encoding: chunked', 'ff\r\n0123456789'],
  ])('%s: the connection broken off, by an end or a reset', async (_what, header, part) => {
    const head = lines('PUT /v1/kv/b/half?w=1 HTTP/1.1', 'Host: a', header);
    const ended = open().write(head, part);
    ended.socket.end();
    await ended.closed;
    const reset = open().write(head, part);
    await new Promise((resolve) => setTimeout(resolve, 50));
    reset.socket.resetAndDestroy();
    expect((await readBack('half')).status).toBe(404);
  });

  it('a body longer than declared: what is over is the next request, a bad one', async () => {
    const put = lines('PUT /v1/kv/b/over?w=3 HTTP/1.1', 'Host: a', 'Content-Length: 4');
    const text = await open().write(`${put}more than declared\r\n\r\n`).whole();
    expect(statusesIn(text)).toEqual([204, 400]);
    expect((await readBack('over')).body.toString()).toBe('more');
  });

  it('an over-long body is 413 before 100 Continue; a good one is waited for', async () => {
    const expectContinue = (length: number) =>
      lines('PUT /v1/kv/b/expected?w=3 HTTP/1.1', 'Host: a', `Content-Length: ${length}`, 'Expect: 100-continue');
    const refused = await open()
      .write(expectContinue(1024 * 1024 + 1))
      .whole();
    expect(statusesIn(refused)).toEqual([413]);
    const taken = open().write(expectContinue(5));
    await taken.until(/^HTTP\/1\.1 100 /);
    taken.write('value');
    await taken.until(/HTTP\/1\.1 204 /);
    expect((await readBack('expected')).body.toString()).toBe('value');
  });

  it('an over-long body that is sent regardless is 413 while it is still coming, and the connection ends', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const head = lines('PUT /v1/kv/b/long HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked');
    const connection = open().write(head);
    const pump = setInterval(() => connection.socket.writable && connection.write('10000\r\n', chunk, '\r\n'), 1);
    const text = await connection.whole().finally(() => clearInterval(pump));
    expect(statusesIn(text)).toEqual([413]);
    expect((await readBack('long')).status).toBe(404);
  });
});

describe('pipelining', () => {
  it('requests are answered in their order, a read behind a write sees it', async () => {
    const put = (value: string) =>
      `${lines('PUT /v1/kv/b/piped?w=3 HTTP/1.1', 'Host: a', `Content-Length: ${value.length}`)}${value}`;
    const get = lines('GET /v1/kv/b/piped?r=1 HTTP/1.1', 'Host: a');
    const last = lines('DELETE /v1/kv/b/piped?w=3 HTTP/1.1', 'Host: a', 'Connection: close');
    const text = await open()
      .write(put('one') + get + put('two') + get + last)
      .whole();
    expect(statusesIn(text)).toEqual([204, 200, 204, 200, 204]);
    expect([...text.matchAll(/\r\n\r\n(one|two)HTTP/g)].map(([, value]) => value)).toEqual(['one', 'two']);
  });

  it('a bad one in the middle ends it: those before are answered, those behind are not done', async () => {
    const put = (key: string) => `${lines(`PUT /v1/kv/b/${key}?w=3 HTTP/1.1`, 'Host: a', 'Content-Length: 1')}x`;
    const text = await open()
      .write(`${put('before')}NONSENSE\r\n\r\n${put('behind')}`)
      .whole();
    expect(statusesIn(text)).toEqual([204, 400]);
    expect((await readBack('before')).status).toBe(200);
    expect((await readBack('behind')).status).toBe(404);
  });

  it('a thousand at once', async () => {
    const request = lines('GET /v1/kv/b/none?r=1 HTTP/1.1', 'Host: a');
    const connection = open().write(
      request.repeat(999),
      lines('GET /healthz HTTP/1.1', 'Host: a', 'Connection: close'),
    );
    const statuses = statusesIn(await connection.whole());
    expect(statuses).toHaveLength(1000);
    expect(statuses.at(-1)).toBe(200);
  });
});

describe('slowness', () => {
  it('a head that dribbles in is cut off, others are served meanwhile', { timeout: 40_000 }, async () => {
    const slow = Array.from({ length: 50 }, () => open().write('GET /v1/kv/b/k HTTP/1.1\r\nHost: a\r\n'));
    const dribble = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write('X: y\r\n');
    }, 200);
    expect((await readBack('none')).status).toBe(404);
    const texts = await Promise.all(slow.map((connection) => connection.whole())).finally(() => clearInterval(dribble));
    for (const text of texts) expect(statusesIn(text)).toEqual([400]);
  });
});

describe('garbage on the port between nodes', () => {
  const frame = (payload: Uint8Array): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(payload.length);
    return Buffer.concat([head, payload]);
  };
  const hello = (cluster: string, from: string, to: string, version = 1): Buffer =>
    frame(
      new ByteWriter()
        .u32(0x54_52_51_ab)
        .varint(version)
        .string(cluster)
        .string(from)
        .string(to)
        .raw(new Uint8Array(16))
        .copy(),
    );

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ['a frame of 4 GiB', Buffer.from('ffffffff00', 'hex')],
    ['zeros', Buffer.alloc(5000)],
    ['noise', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251))],
    ['a frame that is no handshake', frame(Buffer.from('not this protocol'))],
  ])('%s costs its own connection', async (_what, bytes) => {
    await open(cluster.rpcPort('n1')).write(bytes).closed;
  });

  it.each([
    ['of another cluster', hello('prod', 'n2', 'n1'), 'n1 belongs to cluster test, not prod'],
    ['for another node', hello('test', 'n2', 'n3'), 'this is n1, not n3'],
    ['of an unknown node', hello('test', 'n9', 'n1'), 'n1 does not know a peer n9'],
    ['of this node itself', hello('test', 'n1', 'n1'), 'n1 does not know a peer n1'],
    ['of another version', hello('test', 'n2', 'n1', 99), 'protocol version 99 is not supported: n1 speaks 3'],
  ])('a handshake %s is refused with the reason', async (_what, bytes, reason) => {
    expect(await open(cluster.rpcPort('n1')).write(bytes).whole()).toContain(reason);
  });

  it('silence before the handshake is ended', async () => {
    await open(cluster.rpcPort('n1')).closed;
  });

  it('garbage behind a good handshake ends that connection; the peer whose name it bore dials again', async () => {
    for (const garbage of [
      Buffer.alloc(300, 0xff),
      frame(Buffer.alloc(40, 0xee)),
      frame(Buffer.alloc(0)),
      Buffer.alloc(64),
    ]) {
      const connection = open(cluster.rpcPort('n1')).write(hello('test', 'n2', 'n1'));
      await connection.until(/n1/);
      connection.write(garbage);
      connection.socket.end();
      await connection.closed;
    }
    await writesOfAll();
  });

  it('a connection that stays after the handshake does not keep the true peer out', { timeout: 20_000 }, async () => {
    const impostor = open(cluster.rpcPort('n1')).write(hello('test', 'n2', 'n1'));
    await impostor.until(/n1/);
    await impostor.closed;
    await writesOfAll();
  });

  /** The node takes the newest connection for the peer's, whose own was ended by it and is dialed again. */
  async function writesOfAll(): Promise<void> {
    for (const id of cluster.ids) {
      const sent = { method: 'PUT', body: 'v' };
      const write = () => send(cluster.httpPort(id), '/v1/kv/b/normal?w=3&timeout=500ms', sent);
      await eventually(async () => ((await write()).status === 204 ? true : undefined));
    }
  }
});

it('none of all this leaves a connection behind', async () => {
  // Log segments come and go; what is above are connections to the node, of which there were hundreds.
  await expect.poll(openFiles, { timeout: 20_000 }).toBeLessThan(filesAtFirst + 5);
});
