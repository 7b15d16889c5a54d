import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type NodeId, nodeId } from '../core/ids.ts';
import { FatalError } from '../errors.ts';
import type { Clock, PeerAddress, TransportReceiver } from '../ports.ts';
import { encodeFrame, FrameReader } from './frame.ts';
import { encodeAcceptance, encodeHello, type Identity, judgeAnswer } from './handshake.ts';
import type { TcpTransport } from './tcp-transport.ts';
import { ManualClock, memoryLogger, realClock, until } from './test-ports.ts';
import { freePort, HOST, peersAt, silent, type TcpNodeOptions, tcpTransport } from './test-tcp-cluster.ts';
import { type ContractNetwork, transportContract } from './transport.contract.ts';

const QUEUE_BYTES_MAX = 1024 * 1024;
const A = nodeId('a');
const B = nodeId('b');

transportContract('the TCP transport', async (): Promise<ContractNetwork> => {
  const addresses = new Map<NodeId, PeerAddress>();
  return {
    queueBytesMax: QUEUE_BYTES_MAX,
    transport: async (node) => {
      const port = addresses.get(node)?.port ?? (await freePort());
      addresses.set(node, { host: HOST, port });
      return tcpTransport(node, { port, limits: { queueBytesMax: QUEUE_BYTES_MAX } });
    },
    addresses: () => addresses,
    until,
    close: async () => {},
  };
});

describe('the TCP transport', () => {
  const started: TcpTransport[] = [];
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(started.splice(0).map((transport) => transport.stop()));
  });

  const start = async (node: string, options: TcpNodeOptions, receiver: TransportReceiver = silent) => {
    const transport = tcpTransport(node, options);
    await transport.start(receiver);
    started.push(transport);
    return transport;
  };
  /** A node `a` that knows a peer `b`, and what it has received. */
  const listener = async (options: Partial<TcpNodeOptions> = {}) => {
    const received: string[] = [];
    const onMessage = (from: NodeId, message: Uint8Array) => received.push(`${from}: ${Buffer.from(message)}`);
    const transport = await start('a', { port: 0, ...options }, { ...silent, received: onMessage });
    transport.setPeers(peersAt({ b: await freePort() }));
    return { port: transport.port, received };
  };
  /** A raw connection to a node, all that came in on it, and whether it was closed. */
  const dial = (port: number) => {
    const socket = connect({ host: HOST, port });
    const frames: Buffer[] = [];
    const seen = { frames, isClosed: false, socket };
    const reader = new FrameReader(1_000, (frame) => frames.push(frame));
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      seen.isClosed = true;
    });
    sockets.push(socket);
    return seen;
  };
  const identity = (changes: Partial<Identity> = {}): Identity => {
    return { cluster: 'test', node: B, incarnation: new Uint8Array(16), ...changes };
  };
  const hello = (changes: Partial<Identity> = {}, to = A) => encodeFrame(encodeHello(identity(changes), to));
  const text = (message: string) => encodeFrame(Buffer.from(message));

  it('takes a hello and messages that arrive byte by byte', async () => {
    const { port, received } = await listener();
    const peer = dial(port);
    peer.socket.setNoDelay(true);
    for (const byte of Buffer.concat([hello(), text('one'), text(''), text('two')])) {
      await new Promise((resolve) => peer.socket.write(Buffer.of(byte), resolve));
    }
    await until(() => received.length === 3);
    expect(received).toEqual(['b: one', 'b: ', 'b: two']);
  });

  it.each([
    ['another cluster', hello({ cluster: 'other' }), 'a belongs to cluster test, not other'],
    ['another node', hello({}, nodeId('z')), 'this is a, not z'],
    ['an unknown node', hello({ node: nodeId('x') }), 'a does not know a peer x'],
    ['its own name', hello({ node: A }), 'a does not know a peer a'],
  ])('refuses a hello with %s, with the reason, and takes no message', async (_what, frame, reason) => {
    const { port, received } = await listener();
    const peer = dial(port);
    peer.socket.write(Buffer.concat([frame, text('message')]));
    await until(() => peer.isClosed);
    expect(judgeAnswer(peer.frames[0] ?? Buffer.of(), identity(), A)).toEqual({ kind: 'refused', reason });
    expect(received).toEqual([]);
  });

  it.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')],
    ['a frame that is no hello', text('hello, who is there?')],
    ['a damaged hello', Buffer.concat([hello().subarray(0, -1), Buffer.of(0xff)])],
    ['a hello that announces more than a handshake may have', Buffer.of(0x00, 0x10, 0x00, 0x00, 0, 0, 0, 0)],
  ])('closes a connection on which comes %s, without an answer, and serves the others', async (_what, garbage) => {
    const { port, received } = await listener();
    const [stranger, peer] = [dial(port), dial(port)];
    stranger.socket.write(garbage);
    await until(() => stranger.isClosed);
    expect(stranger.frames).toEqual([]);
    peer.socket.write(Buffer.concat([hello(), text('message')]));
    await until(() => received.length === 1);
  });

  it('closes the connection of a peer that sends a frame above the limit', async () => {
    const { port, received } = await listener({ limits: { frameBytesMax: 10 } });
    const peer = dial(port);
    peer.socket.write(Buffer.concat([hello(), text('1234567890'), text('12345678901'), text('more')]));
    await until(() => peer.isClosed);
    expect(received).toEqual(['b: 1234567890']);
  });

  it('closes a connection whose hello does not come in time', async () => {
    const { port } = await listener({ limits: { handshakeMs: 20 } });
    const peer = dial(port);
    peer.socket.write(hello().subarray(0, 20));
    await until(() => peer.isClosed);
    expect(peer.frames).toEqual([]);
  });

  it('does not hold the time of the handshake against a connection that has passed it', async () => {
    const clock = new ManualClock();
    const { port, received } = await listener({ clock });
    const peer = dial(port);
    peer.socket.write(hello());
    await until(() => peer.frames.length === 1);
    clock.advance(60_000);
    peer.socket.write(text('message'));
    await until(() => received.length === 1);
  });

  it('bounds the connections without a handshake: one more ends the oldest', async () => {
    const { port, received } = await listener({ limits: { strangersMax: 3 } });
    const strangers: ReturnType<typeof dial>[] = [];
    for (let index = 0; index < 3; index++) {
      const stranger = dial(port);
      strangers.push(stranger);
      await until(() => !stranger.socket.connecting);
    }
    const peer = dial(port);
    peer.socket.write(Buffer.concat([hello(), text('message')]));
    await until(() => received.length === 1 && strangers[0]?.isClosed === true);
    expect(strangers.map(({ isClosed }) => isClosed)).toEqual([true, false, false]);
  });

  it('lets the newer of two connections of a peer replace the older', async () => {
    const { port, received } = await listener();
    const older = dial(port);
    older.socket.write(hello());
    await until(() => older.frames.length === 1);
    const newer = dial(port);
    newer.socket.write(Buffer.concat([hello({ incarnation: new Uint8Array(16).fill(1) }), text('new')]));
    await until(() => older.isClosed && received.length === 1);
    newer.socket.write(text('newer'));
    await until(() => received.length === 2);
    expect(newer.isClosed).toBe(false);
  });

  it('reports and logs a refusal once per reason, and tries again until it is accepted', async () => {
    const logger = memoryLogger();
    const backOffs: number[] = [];
    const [portA, portB] = [await freePort(), await freePort()];
    const events: string[] = [];
    const disconnected = (peer: NodeId, reason: string) => events.push(`${peer} ${reason}`);
    const connected = (peer: NodeId) => events.push(`${peer} connected`);
    const clock = hastyClock(backOffs);
    const a = await start('a', { port: portA, logger, clock }, { ...silent, connected, disconnected });
    const b = await start('b', { port: portB });
    a.setPeers(peersAt({ b: portB }));
    await until(() => backOffs.length === 3);
    b.setPeers(peersAt({ a: portA }));
    await until(() => events.includes('b connected'));
    expect(events).toEqual(['b refused: b does not know a peer a', 'b connected']);
    const refusals = logger.lines.filter(({ level }) => level === 'warn');
    expect(refusals.map(({ fields }) => fields.reason)).toEqual(['refused: b does not know a peer a']);
  });

  it('waits longer after every failure, up to 2 s, half of it by chance, and briefly again after a success', async () => {
    const backOffs: number[] = [];
    const [portA, portB] = [await freePort(), await freePort()];
    let isUp = false;
    const connected = () => {
      isUp = true;
    };
    const a = await start('a', { port: portA, clock: hastyClock(backOffs) }, { ...silent, connected });
    a.setPeers(peersAt({ b: portB }));
    await until(() => backOffs.length === 9);
    const b = await start('b', { port: portB });
    b.setPeers(peersAt({ a: portA }));
    await until(() => isUp);
    const ceilings = [50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000];
    for (const [index, ceiling] of ceilings.entries()) {
      const share = (backOffs[index] ?? 0) / ceiling;
      expect(share >= 0.5 && share < 1).toBe(true);
    }
    const failures = backOffs.length;
    await b.stop();
    await until(() => backOffs.length > failures);
    expect(backOffs[failures]).toBeLessThan(50);
  });

  it('does not wait any longer for a peer that has dialed it', async () => {
    const [portA, portB] = [await freePort(), await freePort()];
    const events: string[] = [];
    const disconnected = (peer: NodeId) => events.push(`${peer} lost`);
    const connected = (peer: NodeId) => events.push(`${peer} connected`);
    // On its clock no time passes: of its own accord it never dials a second time.
    const a = await start('a', { port: portA, clock: new ManualClock() }, { ...silent, connected, disconnected });
    a.setPeers(peersAt({ b: portB }));
    await until(() => events.length === 1);
    const b = await start('b', { port: portB });
    b.setPeers(peersAt({ a: portA }));
    await until(() => events.length === 2);
    expect(events).toEqual(['b lost', 'b connected']);
  });

  it('does not connect to a node of another cluster', async () => {
    const other = await start('b', { port: 0, cluster: 'other' });
    other.setPeers(peersAt({ a: await freePort() }));
    const reasons: string[] = [];
    const a = await start('a', { port: 0 }, { ...silent, disconnected: (_peer, reason) => reasons.push(reason) });
    a.setPeers(peersAt({ b: other.port }));
    await until(() => reasons.length === 1);
    expect(reasons).toEqual(['refused: b belongs to cluster other, not test']);
    expect(a.send(B, Buffer.from('x'))).toBe('disconnected');
  });

  it('gives up a peer that accepts the connection and says nothing', async () => {
    const mute = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => mute.listen(0, HOST, resolve));
    const address = mute.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const reasons: string[] = [];
    const disconnected = (_peer: NodeId, reason: string) => reasons.push(reason);
    const a = await start('a', { port: 0, limits: { handshakeMs: 20 } }, { ...silent, disconnected });
    a.setPeers(peersAt({ b: port }));
    await until(() => sockets.length >= 2);
    expect(reasons).toEqual(['no answer within 20 ms']);
    mute.close();
  });

  it('queues up to its limit for a peer that does not read, and stops all the same', async () => {
    const deaf = createServer((socket) => {
      sockets.push(socket);
      socket.write(encodeFrame(encodeAcceptance(identity())));
    });
    await new Promise<void>((resolve) => deaf.listen(0, HOST, resolve));
    const address = deaf.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    let isUp = false;
    const connected = () => {
      isUp = true;
    };
    const limits = { queueBytesMax: QUEUE_BYTES_MAX, stopMs: 20 };
    const a = await start('a', { port: 0, limits }, { ...silent, connected });
    a.setPeers(peersAt({ b: port }));
    await until(() => isUp);
    const message = Buffer.alloc(100_000);
    let refusedInARow = 0;
    await until(() => {
      refusedInARow = a.send(B, message) === 'full' ? refusedInARow + 1 : 0;
      return refusedInARow === 1_000;
    });
    await a.stop();
    deaf.close();
  });

  it('does not take a message larger than a frame may be, and says so in the log', async () => {
    const logger = memoryLogger();
    const [portA, portB] = [await freePort(), await freePort()];
    let isUp = false;
    const connected = () => {
      isUp = true;
    };
    const a = await start('a', { port: portA, logger, limits: { frameBytesMax: 10 } }, { ...silent, connected });
    const b = await start('b', { port: portB });
    for (const transport of [a, b]) transport.setPeers(peersAt({ a: portA, b: portB }));
    await until(() => isUp);
    expect(a.send(B, Buffer.alloc(10))).toBe('sent');
    expect(a.send(B, Buffer.alloc(11))).toBe('full');
    expect(logger.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  it('names the address that it cannot listen on', async () => {
    const first = await start('a', { port: 0 });
    const second = tcpTransport('b', { port: first.port });
    const failure = await second.start(silent).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FatalError);
    expect(String(failure)).toContain(`${HOST}:${first.port}: another process uses this address (EADDRINUSE)`);
    const elsewhere = tcpTransport('b', { port: 0, host: '192.0.2.1' });
    await expect(elsewhere.start(silent)).rejects.toThrow('192.0.2.1:0: this machine does not have this address');
  });
});

/** Waits a thousandth of the time to dial again, and notes how long it should have been. */
function hastyClock(backOffs: number[]): Clock {
  const HANDSHAKE_MS = 2_000;
  return {
    ...realClock,
    after: (delayMs, task) => {
      if (delayMs === HANDSHAKE_MS) return realClock.after(delayMs, task);
      backOffs.push(delayMs);
      return realClock.after(delayMs / 1_000, task);
    },
  };
}
