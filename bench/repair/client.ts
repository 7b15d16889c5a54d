import { Agent, request } from 'node:http';
import type { LocalCluster } from '../cluster/local-cluster.ts';

export interface Reply {
  /** 0: no answer came. */
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 15_000;
const RETRY_MS = 20;
const ATTEMPTS = 100;

/** Requests to the nodes of a cluster, over connections that are kept. */
export class Client {
  private readonly cluster: LocalCluster;
  private readonly agent = new Agent({ keepAlive: true });

  constructor(cluster: LocalCluster) {
    this.cluster = cluster;
  }

  ask(id: string, method: string, path: string, body?: Uint8Array): Promise<Reply> {
    const target = { agent: this.agent, host: '127.0.0.1', port: this.cluster.httpPort(id), method, path };
    return new Promise((resolve) => {
      const none = (): void => resolve({ status: 0, body: '' });
      const outgoing = request({ ...target, timeout: TIMEOUT_MS }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', none);
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', none);
      outgoing.end(body);
    });
  }

  /** Until it is acknowledged: what is written here may be written twice. */
  async write(id: string, method: 'PUT' | 'DELETE', path: string, body?: Uint8Array): Promise<void> {
    let status = 0;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      ({ status } = await this.ask(id, method, path, body));
      if (status === 204) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    throw new Error(`${method} ${path} at ${id}: ${status} each of ${ATTEMPTS} times`);
  }

  async json(id: string, path: string): Promise<unknown> {
    const { status, body } = await this.ask(id, 'GET', path);
    if (status !== 200) throw new Error(`GET ${path} at ${id}: ${status}`);
    return JSON.parse(body);
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Does `work` for 0 .. count - 1, `width` at a time. */
export async function each(count: number, width: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
