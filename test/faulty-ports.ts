/** A node's clock, network and disk in the hands of a test: to be paused, cut, held back, or gone with the power. */
import { type NodeId, nodeId } from '../src/core/ids.ts';
import type { Clock, PeerAddress, SendOutcome, Timer, Transport, TransportReceiver } from '../src/ports.ts';
import { type DeviceOperation, MemoryLogDevice } from '../src/storage/memory-log-device.ts';
import { MemoryStateTable } from '../src/storage/memory-state-table.ts';
import type { NodeLife } from './simulator/node-life.ts';

/** The common clock, as one life sees it: while it is paused time goes on, but nothing that was set runs. */
export function clockOf(clock: Clock, life: NodeLife): Clock {
  return {
    wallMs: () => clock.wallMs(),
    monotonicMs: () => clock.monotonicMs(),
    after(delayMs: number, task: () => void): Timer {
      let isCancelled = false;
      const timer = clock.after(delayMs, () => life.run(() => (isCancelled ? undefined : task())));
      return {
        cancel() {
          isCancelled = true;
          timer.cancel();
        },
      };
    },
  };
}

/** Whether a message is lost on its way. The sender does not notice. */
export type Loses = (from: NodeId, to: NodeId, message: Uint8Array) => boolean;

/** Another transport, whose links can be cut and whose messages can be lost. */
export class FaultyTransport implements Transport {
  private readonly self: NodeId;
  private readonly inner: Transport;
  private readonly life: NodeLife;
  private readonly loses: Loses;
  private readonly cutFrom = new Set<NodeId>();
  private peers: ReadonlyMap<NodeId, PeerAddress> = new Map();

  constructor(self: NodeId, inner: Transport, life: NodeLife, loses: Loses) {
    this.self = self;
    this.inner = inner;
    this.life = life;
    this.loses = loses;
  }

  start(receiver: TransportReceiver): Promise<void> {
    return this.inner.start({
      received: (from, message) => this.life.run(() => receiver.received(from, message)),
      connected: (peer) => this.life.run(() => receiver.connected(peer)),
      disconnected: (peer, reason) => this.life.run(() => receiver.disconnected(peer, reason)),
    });
  }

  setPeers(peers: ReadonlyMap<NodeId, PeerAddress>): void {
    this.peers = peers;
    this.inner.setPeers(new Map([...peers].filter(([peer]) => !this.cutFrom.has(peer))));
  }

  send(to: NodeId, message: Uint8Array): SendOutcome {
    if (this.life.isOver) return 'disconnected';
    return this.loses(this.self, to, message) ? 'sent' : this.inner.send(to, message);
  }

  stop(): Promise<void> {
    return this.inner.stop();
  }

  /** The connection breaks, on both sides, and does not come back until it is mended. */
  cut(peer: string): void {
    this.cutFrom.add(nodeId(peer));
    this.setPeers(this.peers);
  }

  mend(peer: string): void {
    this.cutFrom.delete(nodeId(peer));
    this.setPeers(this.peers);
  }
}

/** A disk that can be made to hold back its flushes, and that survives a power cut as a disk does. */
export class TestDisk {
  log: MemoryLogDevice;
  state: MemoryStateTable;
  private readonly segmentBytes: number;
  private held: (() => void)[] | undefined;

  constructor(segmentBytes: number) {
    this.segmentBytes = segmentBytes;
    this.log = new MemoryLogDevice(segmentBytes, (operation) => this.settle(operation));
    this.state = new MemoryStateTable((operation) => this.settle(operation));
  }

  /** Another disk with all that is on this one. */
  copy(): TestDisk {
    const copy = new TestDisk(this.segmentBytes);
    copy.log = this.log.afterPowerCut(
      () => 0,
      (operation) => copy.settle(operation),
    );
    copy.state = this.state.afterPowerCut((operation) => copy.settle(operation));
    return copy;
  }

  /** From now on nothing becomes durable. */
  hold(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const go of held) go();
  }

  /** Of each unflushed write `kept` says how many bytes made it. */
  cutPower(kept: (writeBytes: number) => number): void {
    this.held = undefined;
    this.log = this.log.afterPowerCut(kept, (operation) => this.settle(operation));
    this.state = this.state.afterPowerCut((operation) => this.settle(operation));
  }

  private settle(operation: DeviceOperation): Promise<void> {
    const { held } = this;
    if (held === undefined || (operation !== 'sync' && operation !== 'commit')) return Promise.resolve();
    return new Promise((go) => held.push(go));
  }
}
