import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NodeId, nodeId } from '../core/ids.ts';
import type { PeerAddress, Transport, TransportReceiver } from '../ports.ts';

/** What the suite needs of an implementation. */
export interface ContractNetwork {
  /** The most that a peer's queue holds. Small enough for a test to fill it. */
  readonly queueBytesMax: number;
  /** A new life of `node`, reachable at the address of its earlier ones. */
  transport(node: NodeId): Promise<Transport>;
  addresses(): ReadonlyMap<NodeId, PeerAddress>;
  /** Lets the network's time pass until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

interface TestNode {
  readonly transport: Transport;
  readonly seen: Recorder;
}

const A = nodeId('a');
const B = nodeId('b');

/** What every implementation of the Transport port does. */
export function transportContract(name: string, makeNetwork: () => Promise<ContractNetwork>): void {
  describe(`${name} as a transport`, () => {
    let network: ContractNetwork;
    let running: Transport[];

    beforeEach(async () => {
      network = await makeNetwork();
      running = [];
    });
    afterEach(async () => {
      await Promise.all(running.map((transport) => transport.stop()));
      await network.close();
    });

    const start = async (id: NodeId): Promise<TestNode> => {
      const transport = await network.transport(id);
      const seen = new Recorder();
      await transport.start(seen);
      running.push(transport);
      return { transport, seen };
    };
    const join = (...nodes: readonly TestNode[]) => {
      for (const { transport } of nodes) transport.setPeers(network.addresses());
    };
    const pair = async () => {
      const [a, b] = [await start(A), await start(B)];
      join(a, b);
      await network.until(() => a.seen.isConnected() && b.seen.isConnected());
      return { a, b };
    };

    it('delivers messages whole and unchanged, with the name of their sender', async () => {
      const { a, b } = await pair();
      const messages = [0, 1, 150, 70_000, 3].map((length, index) => bytes(length, index));
      for (const message of messages) expect(a.transport.send(B, message)).toBe('sent');
      await network.until(() => b.seen.messages.length === messages.length);
      expect(b.seen.messages.map(({ from }) => from)).toEqual(messages.map(() => A));
      const byLength = (left: Uint8Array, right: Uint8Array) => left.length - right.length;
      const got = b.seen.messages.map(({ message }) => Uint8Array.from(message));
      expect(got.sort(byLength)).toEqual([...messages].sort(byLength));
      expect(a.seen.messages).toEqual([]);
    });

    it('takes a copy: the sender may reuse its buffer at once', async () => {
      const { a, b } = await pair();
      for (const message of [bytes(10, 1), bytes(100_000, 1), Buffer.alloc(11, 1), Buffer.alloc(100_001, 1)]) {
        a.transport.send(B, message);
        message.fill(0xff);
      }
      await network.until(() => b.seen.messages.length === 4);
      for (const { message } of b.seen.messages) expect(Uint8Array.from(message)).toEqual(bytes(message.length, 1));
    });

    it('keeps a received message unchanged while further ones arrive', async () => {
      const { a, b } = await pair();
      for (let round = 1; round <= 100; round++) {
        a.transport.send(B, bytes(200, round));
        await network.until(() => b.seen.messages.length === round);
      }
      expect(b.seen.messages.map(({ message }) => message[0])).toEqual(
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
    });

    it('delivers in a turn of its own, never from within send', async () => {
      const { a, b } = await pair();
      a.transport.send(B, bytes(5, 1));
      expect(b.seen.messages).toEqual([]);
      await network.until(() => b.seen.messages.length === 1);
    });

    it('refuses to send to a node that is no peer, to itself, and before it is connected', async () => {
      const a = await start(A);
      expect(a.transport.send(B, bytes(1, 1))).toBe('disconnected');
      a.transport.setPeers(new Map([[B, { host: '127.0.0.1', port: 9 }]]));
      expect(a.transport.send(B, bytes(1, 1))).toBe('disconnected');
      expect(a.transport.send(A, bytes(1, 1))).toBe('disconnected');
    });

    it('delivers nothing from a node that it does not know', async () => {
      const [a, b, c] = [await start(A), await start(B), await start(nodeId('c'))];
      join(a, c);
      await network.until(() => a.seen.isConnected());
      expect(a.transport.send(B, bytes(1, 1))).toBe('disconnected');
      b.transport.setPeers(network.addresses());
      await network.until(() => a.seen.events.includes('connected b'));
      a.transport.send(B, bytes(1, 1));
      await network.until(() => b.seen.messages.length === 1);
    });

    it('says when a peer has gone, and connects again when it is back', async () => {
      const { a, b } = await pair();
      await b.transport.stop();
      await network.until(() => !a.seen.isConnected());
      expect(a.seen.events).toContain('disconnected b');
      expect(a.transport.send(B, bytes(1, 1))).toBe('disconnected');
      const again = await start(B);
      join(again);
      await network.until(() => a.seen.isConnected() && again.seen.isConnected());
      a.transport.send(B, bytes(7, 7));
      again.transport.send(A, bytes(8, 8));
      await network.until(() => again.seen.messages.length === 1 && a.seen.messages.length === 1);
    });

    it('lets go of a node that is no longer a peer, in both directions', async () => {
      const { a, b } = await pair();
      a.transport.setPeers(new Map());
      expect(a.transport.send(B, bytes(1, 1))).toBe('disconnected');
      await network.until(() => !a.seen.isConnected() && !b.seen.isConnected());
      expect(a.seen.events).toEqual(['connected b', 'disconnected b']);
    });

    it('bounds what is queued for a peer, and takes messages again once the queue has drained', async () => {
      const { a, b } = await pair();
      const message = bytes(Math.floor(network.queueBytesMax / 10), 1);
      let sent = 0;
      while (a.transport.send(B, message) === 'sent') sent++;
      expect(sent).toBeGreaterThanOrEqual(9);
      expect(sent).toBeLessThanOrEqual(10);
      await network.until(() => b.seen.messages.length === sent);
      await network.until(() => a.transport.send(B, message) === 'sent');
    });

    it('hands on what was sent before it stopped', async () => {
      const { a, b } = await pair();
      for (let index = 0; index < 50; index++) a.transport.send(B, bytes(1_000, index));
      await a.transport.stop();
      await network.until(() => b.seen.messages.length === 50);
    });

    it('is silent once stopped, and sends nothing', async () => {
      const { a, b } = await pair();
      b.transport.send(A, bytes(1, 1));
      const stopped = a.transport.stop();
      const before = a.seen.events.length;
      expect(a.transport.send(B, bytes(1, 1))).toBe('disconnected');
      await stopped;
      await network.until(() => !b.seen.isConnected());
      expect(a.seen.messages).toEqual([]);
      expect(a.seen.events).toHaveLength(before);
      await a.transport.stop();
    });
  });
}

class Recorder implements TransportReceiver {
  readonly messages: { readonly from: NodeId; readonly message: Uint8Array }[] = [];
  readonly events: string[] = [];
  private readonly peers = new Set<NodeId>();

  received(from: NodeId, message: Uint8Array): void {
    this.messages.push({ from, message });
  }

  connected(peer: NodeId): void {
    this.events.push(`connected ${peer}`);
    this.peers.add(peer);
  }

  disconnected(peer: NodeId): void {
    if (this.peers.delete(peer)) this.events.push(`disconnected ${peer}`);
  }

  isConnected(): boolean {
    return this.peers.size > 0;
  }
}

function bytes(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}
