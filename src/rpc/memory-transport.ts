import type { NodeId } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import type { Clock, PeerAddress, SendOutcome, Transport, TransportReceiver } from '../ports.ts';

const QUEUE_BYTES_MAX = 64 * 1024 * 1024;

/** The network between the nodes of one process. Addresses play no part: nodes find each other by name. */
export class MemoryNetwork {
  private readonly clock: Clock;
  private readonly queueBytesMax: number;
  private readonly running = new Map<NodeId, MemoryTransport>();

  constructor(clock: Clock, queueBytesMax: number = QUEUE_BYTES_MAX) {
    this.clock = clock;
    this.queueBytesMax = queueBytesMax;
  }

  /** The transport of one life of `node`. */
  transport(node: NodeId): MemoryTransport {
    return new MemoryTransport(node, this, this.clock, this.queueBytesMax);
  }

  /** @internal */
  join(transport: MemoryTransport): void {
    invariant(!this.running.has(transport.node), `${transport.node} runs already`);
    this.running.set(transport.node, transport);
    this.relink();
  }

  /** @internal */
  leave(transport: MemoryTransport): void {
    if (this.running.get(transport.node) === transport) this.running.delete(transport.node);
    this.relink();
  }

  /** @internal A link goes from a node to each of its peers that runs and knows the node. */
  relink(): void {
    for (const transport of this.running.values()) {
      transport.link((peer) => {
        const target = this.running.get(peer);
        return target?.knows(transport.node) ? target : undefined;
      });
    }
  }
}

interface Link {
  readonly target: MemoryTransport;
  queuedBytes: number;
}

/** Delivers each message in a later turn, as a copy: nodes share no memory. */
export class MemoryTransport implements Transport {
  readonly node: NodeId;
  private readonly network: MemoryNetwork;
  private readonly clock: Clock;
  private readonly queueBytesMax: number;
  private peers: ReadonlySet<NodeId> = new Set();
  private readonly links = new Map<NodeId, Link>();
  private receiver: TransportReceiver | undefined;

  constructor(node: NodeId, network: MemoryNetwork, clock: Clock, queueBytesMax: number) {
    this.node = node;
    this.network = network;
    this.clock = clock;
    this.queueBytesMax = queueBytesMax;
  }

  async start(receiver: TransportReceiver): Promise<void> {
    this.receiver = receiver;
    this.network.join(this);
  }

  setPeers(peers: ReadonlyMap<NodeId, PeerAddress>): void {
    this.peers = new Set(peers.keys());
    this.network.relink();
  }

  send(to: NodeId, message: Uint8Array): SendOutcome {
    const link = this.links.get(to);
    if (link === undefined) return 'disconnected';
    if (link.queuedBytes > 0 && link.queuedBytes + message.length > this.queueBytesMax) return 'full';
    const copy = Uint8Array.from(message);
    link.queuedBytes += copy.length;
    this.clock.after(0, () => {
      link.queuedBytes -= copy.length;
      if (link.target.knows(this.node)) link.target.receiver?.received(this.node, copy);
    });
    return 'sent';
  }

  async stop(): Promise<void> {
    this.receiver = undefined;
    this.links.clear();
    this.network.leave(this);
  }

  knows(node: NodeId): boolean {
    return node !== this.node && this.peers.has(node);
  }

  /** @internal Brings the links up to date; says so in a later turn. */
  link(reach: (peer: NodeId) => MemoryTransport | undefined): void {
    for (const [peer, { target }] of this.links) {
      if (this.peers.has(peer) && reach(peer) === target) continue;
      this.links.delete(peer);
      this.clock.after(0, () => this.receiver?.disconnected(peer, 'the peer has gone'));
    }
    for (const peer of this.peers) {
      const target = reach(peer);
      if (peer === this.node || target === undefined || this.links.has(peer)) continue;
      this.links.set(peer, { target, queuedBytes: 0 });
      this.clock.after(0, () => this.receiver?.connected(peer));
    }
  }
}
