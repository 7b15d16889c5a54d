import { freePorts } from '../cluster/free-ports.ts';
import { NodeProcess } from '../cluster/node-process.ts';
import { removedAtTheEnd } from '../cluster/removed-at-the-end.ts';
import { memory } from '../stores/quorate.ts';
import { infoOf, type Target } from './target.ts';

const READY_WITHIN_MS = 60_000;

/** What our HTTP server and the load generator allow at most, with a store that does nothing. Rejects when it cannot be started. */
export async function memoryTarget(port?: number): Promise<Target> {
  const [free = 0] = port === undefined ? await freePorts(1) : [port];
  const server = new NodeProcess([`${free}`], 'bench/memory-server.js');
  const forget = removedAtTheEnd({ removeNow: () => server.kill() });
  const stop = async (): Promise<void> => {
    await server.end('SIGTERM');
    forget();
  };
  try {
    await server.says(/^ready /m, READY_WITHIN_MS);
    const addresses = [`http://127.0.0.1:${free}`];
    const info = await infoOf({ store: memory(), addresses }, true, 'HTTP from memory');
    return { ...info, addresses: () => addresses, pids: () => [server.pid], settled: async () => {}, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
