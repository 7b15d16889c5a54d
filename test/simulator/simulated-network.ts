import type { NodeId } from '../../src/core/ids.ts';
import type { PeerAddress, SendOutcome, Transport, TransportReceiver } from '../../src/ports.ts';
import { roll } from './chance.ts';
import { LABEL } from './labels.ts';
import type { NodeLife } from './node-life.ts';
import type { World } from './world.ts';

/** How the network treats messages. Probabilities are per message. */
export interface NetworkWeather {
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  readonly duplication: number;
  /** Delivered {@link LATE_MS} later, when nobody expects it any more. */
  readonly veryLate: number;
  /** The frame arrives damaged: the receiver ends the connection. */
  readonly corruption: number;
}

export const CALM: NetworkWeather = {
  latencyMs: 0.3,
  jitterMs: 0.7,
  loss: 0,
  duplication: 0,
  veryLate: 0,
  corruption: 0,
};

const LATE_MS = 20_000;
const CONNECT_MS = 2;
/** A peer's end is noticed after so long, when it is noticed at all. */
const RESET_MS = 1;
const QUEUE_BYTES_MAX = 16 * 1024 * 1024;

/** What becomes of one message. */
export type Fate = 'delivered' | 'repeated' | 'lost' | 'cut' | 'late' | 'corrupted';

export interface NetworkObserver {
  message(from: NodeId, to: NodeId, bytes: Uint8Array, fate: Fate, delayMs: number): void;
}

/** The network of a world: a link for each pair and direction, which faults cut and the weather troubles. */
export class SimulatedNetwork {
  readonly world: World;
  readonly observer: NetworkObserver;
  weather: NetworkWeather = CALM;
  private readonly running = new Map<NodeId, SimulatedTransport>();
  private readonly cuts = new Set<string>();
  private messages = 0;
  /** Until then messages that come very late are under way. */
  lateUntilMs = 0;

  constructor(world: World, observer: NetworkObserver) {
    this.world = world;
    this.observer = observer;
  }

  /** The transport of one life. */
  transport(node: NodeId, life: NodeLife): SimulatedTransport {
    return new SimulatedTransport(node, this, life);
  }

  /** Nothing gets from one to the other any more. Connections stay: that is for the nodes to find out. */
  cut(from: NodeId, to: NodeId): void {
    this.cuts.add(`${from}>${to}`);
  }

  heal(): void {
    this.cuts.clear();
    for (const transport of this.running.values()) transport.connectAll();
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.cuts.size > 0 && this.cuts.has(`${from}>${to}`);
  }

  /** A reset that only one side sees: `from` loses its link to `to`, and dials again. */
  reset(from: NodeId, to: NodeId): void {
    this.running.get(from)?.lose(to, 'reset');
  }

  /** @internal */
  started(transport: SimulatedTransport): void {
    this.running.set(transport.node, transport);
    for (const other of this.running.values()) other.connectAll();
  }

  /** The process has ended; peers learn of it, or not (`silently`: the machine is gone, and nothing answers). */
  ended(node: NodeId, silently: boolean): void {
    this.running.delete(node);
    for (const other of this.running.values()) {
      if (!silently) this.world.schedule(RESET_MS, LABEL.link, () => other.lose(node, 'closed'));
    }
  }

  /** @internal */
  peerOf(node: NodeId): SimulatedTransport | undefined {
    return this.running.get(node);
  }

  /** @internal Messages are numbered in the order of sending; their number decides their fate. */
  carry(from: SimulatedTransport, to: NodeId, bytes: Uint8Array, target: SimulatedTransport): void {
    const id = this.messages++;
    const { seed } = this.world;
    const { weather } = this;
    const fate = this.fateOf(id, from.node, to);
    const lateMs = fate === 'late' ? LATE_MS * (0.2 + roll(seed, id, 5)) : 0;
    if (lateMs > 0) this.lateUntilMs = Math.max(this.lateUntilMs, this.world.nowMs + lateMs);
    const delayMs = weather.latencyMs + weather.jitterMs * roll(seed, id, 1) ** 2 + lateMs;
    this.observer.message(from.node, to, bytes, fate, delayMs);
    if (fate === 'lost' || fate === 'cut') return;
    const deliver = (message: Uint8Array): void => {
      if (this.isCut(from.node, to)) return;
      const running = this.running.get(to);
      // Whoever has taken the place of a process that ended unseen knows nothing of its connections.
      if (running !== undefined && running !== target) from.loseLink(to, target, 'reset by a later process');
      else if (fate === 'corrupted') from.loseLink(to, target, 'corrupted frame');
      else target.deliver(from.node, message);
    };
    this.post(bytes, delayMs, deliver);
    if (roll(seed, id, 4) < weather.duplication) {
      const againMs = delayMs + weather.jitterMs * (1 + 20 * roll(seed, id, 6));
      this.observer.message(from.node, to, bytes, 'repeated', againMs);
      this.post(bytes, againMs, deliver);
    }
  }

  /** A copy of its own for each delivery: sender and receiver may do with theirs what they like. */
  private post(bytes: Uint8Array, delayMs: number, deliver: (message: Uint8Array) => void): void {
    const copy = Buffer.from(bytes);
    this.world.schedule(delayMs, LABEL.deliver, () => deliver(copy));
  }

  private fateOf(id: number, from: NodeId, to: NodeId): Fate {
    const { seed } = this.world;
    const { weather } = this;
    if (this.isCut(from, to)) return 'cut';
    if (weather === CALM) return 'delivered';
    if (roll(seed, id, 2) < weather.loss) return 'lost';
    if (roll(seed, id, 3) < weather.veryLate) return 'late';
    return roll(seed, id, 7) < weather.corruption ? 'corrupted' : 'delivered';
  }
}

/** One life's end of the network. */
export class SimulatedTransport implements Transport {
  readonly node: NodeId;
  private readonly network: SimulatedNetwork;
  private readonly life: NodeLife;
  private receiver: TransportReceiver | undefined;
  private peers: readonly NodeId[] = [];
  private readonly links = new Map<NodeId, SimulatedTransport>();
  private readonly dialing = new Set<NodeId>();
  private queuedBytes = 0;
  private isStopped = false;

  constructor(node: NodeId, network: SimulatedNetwork, life: NodeLife) {
    this.node = node;
    this.network = network;
    this.life = life;
  }

  async start(receiver: TransportReceiver): Promise<void> {
    this.receiver = receiver;
    this.network.started(this);
  }

  setPeers(peers: ReadonlyMap<NodeId, PeerAddress>): void {
    this.peers = [...peers.keys()];
    this.connectAll();
  }

  send(to: NodeId, message: Uint8Array): SendOutcome {
    const target = this.links.get(to);
    if (target === undefined || this.isStopped) return 'disconnected';
    if (this.queuedBytes + message.length > QUEUE_BYTES_MAX) return 'full';
    this.network.carry(this, to, message, target);
    return 'sent';
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.network.ended(this.node, false);
  }

  /** Dials whoever is not connected. Succeeds with those that run and can be reached in both directions. */
  connectAll(): void {
    if (this.receiver === undefined || this.isStopped || this.life.isOver) return;
    for (const peer of this.peers) {
      if (!this.links.has(peer) && !this.dialing.has(peer)) this.dial(peer);
    }
  }

  deliver(from: NodeId, message: Uint8Array): void {
    this.life.run(() => {
      if (!this.isStopped) this.receiver?.received(from, message);
    });
  }

  /** The link to one process of the peer. It may have been followed by another since: that one has nothing to do with it. */
  loseLink(peer: NodeId, target: SimulatedTransport, reason: string): void {
    if (this.links.get(peer) === target) this.lose(peer, reason);
  }

  lose(peer: NodeId, reason: string): void {
    if (!this.links.delete(peer) || this.life.isOver || this.isStopped) return;
    this.life.run(() => this.receiver?.disconnected(peer, reason));
    this.dial(peer);
  }

  private dial(peer: NodeId): void {
    this.dialing.add(peer);
    this.network.world.schedule(CONNECT_MS, LABEL.link, () => {
      this.dialing.delete(peer);
      if (this.life.isOver || this.isStopped || this.links.has(peer)) return;
      const target = this.network.peerOf(peer);
      const reachable = !this.network.isCut(this.node, peer) && !this.network.isCut(peer, this.node);
      // Whoever starts, and healing, dials again: until then there is nothing to reach.
      if (target === undefined || !reachable || !target.peers.includes(this.node)) return;
      this.links.set(peer, target);
      this.life.run(() => this.receiver?.connected(peer));
    });
  }
}
