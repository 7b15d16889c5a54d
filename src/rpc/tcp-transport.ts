import { createServer, type Server } from 'node:net';
import type { NodeId } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import { FatalError } from '../errors.ts';
import type { Clock, Logger, PeerAddress, Random, SendOutcome, Transport, TransportReceiver } from '../ports.ts';
import { encodeHello, HANDSHAKE_BYTES_MAX, type Identity, INCARNATION_BYTES } from './handshake.ts';
import { Inbound } from './inbound.ts';
import { DEFAULT_RPC_LIMITS, type RpcLimits } from './limits.ts';
import { Outbound, type OutboundContext } from './outbound.ts';

export interface TcpTransportOptions {
  readonly cluster: string;
  readonly node: NodeId;
  /** Where to listen. Port 0 takes any free one: see {@link TcpTransport.port}. */
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits?: Partial<RpcLimits>;
}

/**
 * The transport of a real cluster: one TCP connection per pair and direction. Each node dials every peer and only sends on
 * the connection that it dialed; what peers send arrives on theirs. So no two nodes must agree on whose connection counts.
 */
export class TcpTransport implements Transport {
  private readonly options: TcpTransportOptions;
  private readonly self: Identity;
  private readonly limits: RpcLimits;
  private readonly server: Server;
  private readonly inbound: Inbound;
  private readonly links = new Map<NodeId, Outbound>();
  private receiver: TransportReceiver | undefined;
  private dialing = false;
  private stopped: Promise<void> | undefined;

  constructor(options: TcpTransportOptions) {
    const { cluster, node, clock, logger, random } = options;
    this.options = options;
    this.limits = { ...DEFAULT_RPC_LIMITS, ...options.limits };
    this.self = { cluster, node, incarnation: random.bytes(INCARNATION_BYTES) };
    invariant(encodeHello(this.self, node).length <= HANDSHAKE_BYTES_MAX, 'the names of cluster and node are too long');
    this.inbound = new Inbound({
      self: this.self,
      limits: this.limits,
      clock,
      logger,
      isPeer: (peer) => this.links.has(peer),
      received: (from, message) => this.receiver?.received(from, message),
      welcomed: (peer) => this.links.get(peer)?.dialAgain(),
    });
    this.server = createServer((socket) => this.inbound.accept(socket));
  }

  /** Where it listens, once started. */
  get port(): number {
    const address = this.server.address();
    return address !== null && typeof address === 'object' ? address.port : this.options.port;
  }

  /** Rejects with a {@link FatalError} when the address cannot be listened on. */
  async start(receiver: TransportReceiver): Promise<void> {
    invariant(this.receiver === undefined && this.stopped === undefined, 'a transport starts once');
    this.receiver = receiver;
    const { host, port, logger, node } = this.options;
    await listen(this.server, host, port);
    this.server.on('error', (error) => logger.error({ reason: error.message }, 'accepting connections failed'));
    logger.info({ node, host, port: this.port }, 'listening for peers');
    this.dialing = this.stopped === undefined;
    for (const link of this.links.values()) link.dial();
  }

  setPeers(peers: ReadonlyMap<NodeId, PeerAddress>): void {
    if (this.stopped !== undefined) return;
    for (const [peer, link] of this.links) {
      const address = peers.get(peer);
      if (address?.host === link.address.host && address.port === link.address.port) continue;
      this.links.delete(peer);
      link.drop(address === undefined ? 'no longer a peer' : 'the address has changed');
    }
    for (const [peer, address] of peers) {
      if (peer !== this.self.node && !this.links.has(peer)) this.addLink(peer, address);
    }
    this.inbound.dropUnknown();
  }

  send(to: NodeId, message: Uint8Array): SendOutcome {
    const link = this.links.get(to);
    return link === undefined ? 'disconnected' : link.send(message);
  }

  stop(): Promise<void> {
    this.stopped ??= this.shutDown();
    return this.stopped;
  }

  private async shutDown(): Promise<void> {
    this.receiver = undefined;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.inbound.close();
    const links = [...this.links.values()];
    this.links.clear();
    await Promise.all(links.map((link) => link.finish()));
    await closed;
  }

  private addLink(peer: NodeId, address: PeerAddress): void {
    const { clock, random, logger } = this.options;
    const context: OutboundContext = {
      self: this.self,
      limits: this.limits,
      clock,
      random,
      logger,
      connected: (to) => this.receiver?.connected(to),
      disconnected: (to, reason) => this.receiver?.disconnected(to, reason),
    };
    const link = new Outbound(peer, address, context);
    this.links.set(peer, link);
    if (this.dialing) link.dial();
  }
}

const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process uses this address',
  EACCES: 'this user may not use this port',
  EADDRNOTAVAIL: 'this machine does not have this address',
  ENOTFOUND: 'the host name is not known',
};

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const why = LISTEN_ERRORS[error.code ?? ''] ?? error.message;
      reject(new FatalError(`cannot listen for peers on ${host}:${port}: ${why} (${error.code})`, 1, { cause: error }));
    };
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
