/** Builders for tests with real sockets on the loopback interface. */
import { type NodeId, nodeId } from '../core/ids.ts';
import { FatalError } from '../errors.ts';
import type { Clock, Logger, PeerAddress, TransportReceiver } from '../ports.ts';
import type { RpcLimits } from './limits.ts';
import { TcpTransport, type TcpTransportOptions } from './tcp-transport.ts';
import { memoryLogger, realClock, seededRandom } from './test-ports.ts';

export const HOST = '127.0.0.1';

let seed = 1;

export interface TcpNodeOptions {
  readonly port: number;
  readonly cluster?: string;
  readonly limits?: Partial<RpcLimits>;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly host?: string;
}

export function tcpTransport(node: string, options: TcpNodeOptions): TcpTransport {
  const all: TcpTransportOptions = {
    cluster: 'test',
    node: nodeId(node),
    host: HOST,
    clock: realClock,
    random: seededRandom(seed++),
    logger: memoryLogger(),
    ...options,
  };
  return new TcpTransport(all);
}

export const silent: TransportReceiver = { received: () => {}, connected: () => {}, disconnected: () => {} };

/**
 * A port that nobody listens on, below the range from which the system takes ports for outgoing connections:
 * so it is still free when a test's node comes back to it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = tcpTransport('probe', { port });
    try {
      await probe.start(silent);
      return port;
    } catch (error) {
      if (!(error instanceof FatalError)) throw error;
    } finally {
      await probe.stop();
    }
  }
}

export function peersAt(ports: Readonly<Record<string, number>>): ReadonlyMap<NodeId, PeerAddress> {
  return new Map(Object.entries(ports).map(([node, port]) => [nodeId(node), { host: HOST, port }]));
}
