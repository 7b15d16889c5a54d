import type { Socket } from 'node:net';
import type { NodeId } from '../core/ids.ts';
import type { Clock, Logger, Timer } from '../ports.ts';
import { encodeFrame, FrameReader } from './frame.ts';
import { encodeAcceptance, encodeRefusal, HANDSHAKE_BYTES_MAX, type Identity, judgeHello } from './handshake.ts';
import { KEEP_ALIVE_MS, type RpcLimits } from './limits.ts';

export interface InboundContext {
  readonly self: Identity;
  readonly limits: RpcLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  isPeer(node: NodeId): boolean;
  received(from: NodeId, message: Uint8Array): void;
  /** The peer has dialed this node and was welcomed. */
  welcomed(peer: NodeId): void;
}

interface Connection {
  readonly socket: Socket;
  readonly reader: FrameReader;
  readonly timer: Timer;
  peer: NodeId | undefined;
}

/**
 * The connections that peers have dialed to this node: all that it receives.
 *
 * 1. Nothing is handed on before the handshake; whatever is not this protocol costs its own connection and nothing else.
 * 2. One connection per peer: a newer one ends the older, which a peer that has restarted may have left behind.
 */
export class Inbound {
  private readonly context: InboundContext;
  private readonly connections = new Map<NodeId, Connection>();
  /** In order of arrival. */
  private readonly strangers = new Set<Connection>();
  private lastComplaint: string | undefined;

  constructor(context: InboundContext) {
    this.context = context;
  }

  accept(socket: Socket): void {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const reader = new FrameReader(HANDSHAKE_BYTES_MAX, (frame) => {
      if (connection.peer === undefined) this.greet(connection, frame);
      else this.context.received(connection.peer, frame);
    });
    const { handshakeMs } = this.context.limits;
    const expired = () => this.reject(connection, `no handshake within ${handshakeMs} ms`);
    const timer = this.context.clock.after(handshakeMs, expired);
    const connection: Connection = { socket, reader, timer, peer: undefined };
    this.addStranger(connection);
    socket.on('data', (chunk) => {
      if (!reader.push(chunk)) this.reject(connection, 'a frame is damaged or larger than allowed');
    });
    socket.on('error', (error) =>
      this.context.logger.debug({ peer: connection.peer, reason: error.message }, 'receiving failed'),
    );
    socket.on('close', () => this.forget(connection));
  }

  /** Ends the connections of nodes that are no longer peers. */
  dropUnknown(): void {
    for (const [peer, connection] of this.connections) {
      if (!this.context.isPeer(peer)) cut(connection);
    }
  }

  /** Nothing is received any more when this returns. */
  close(): void {
    for (const connection of this.strangers) cut(connection);
    for (const connection of this.connections.values()) cut(connection);
  }

  private greet(connection: Connection, hello: Uint8Array): void {
    const { self, isPeer } = this.context;
    const verdict = judgeHello(hello, self, isPeer);
    if (verdict.kind === 'welcome') this.welcome(connection, verdict.from, verdict.incarnation);
    else if (verdict.kind === 'refused') this.refuse(connection, verdict.reason);
    else this.reject(connection, verdict.reason);
  }

  private welcome(connection: Connection, peer: NodeId, incarnation: Uint8Array): void {
    this.strangers.delete(connection);
    connection.timer.cancel();
    const older = this.connections.get(peer);
    if (older !== undefined) cut(older);
    this.connections.set(peer, connection);
    connection.peer = peer;
    connection.reader.setLimit(this.context.limits.frameBytesMax);
    connection.socket.write(encodeFrame(encodeAcceptance(this.context.self)));
    this.context.logger.info({ peer, incarnation: Buffer.from(incarnation).toString('hex') }, 'peer has dialed');
    this.context.welcomed(peer);
  }

  private refuse(connection: Connection, reason: string): void {
    this.complain(connection, reason);
    connection.reader.close();
    connection.socket.end(encodeFrame(encodeRefusal(reason)), () => connection.socket.destroy());
  }

  private reject(connection: Connection, reason: string): void {
    this.complain(connection, reason);
    cut(connection);
  }

  /** Once per change of reason: whoever is refused tries again. */
  private complain(connection: Connection, reason: string): void {
    if (reason === this.lastComplaint) return;
    this.lastComplaint = reason;
    this.context.logger.warn(
      { peer: connection.peer, address: connection.socket.remoteAddress, reason },
      'connection refused',
    );
  }

  private addStranger(connection: Connection): void {
    this.strangers.add(connection);
    if (this.strangers.size <= this.context.limits.strangersMax) return;
    const [oldest] = this.strangers;
    if (oldest !== undefined) this.reject(oldest, 'too many connections without a handshake');
    if (oldest !== undefined) this.strangers.delete(oldest);
  }

  private forget(connection: Connection): void {
    connection.timer.cancel();
    this.strangers.delete(connection);
    const { peer } = connection;
    if (peer !== undefined && this.connections.get(peer) === connection) this.connections.delete(peer);
  }
}

function cut({ reader, socket }: Connection): void {
  reader.close();
  socket.destroy();
}
