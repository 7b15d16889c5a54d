/**
 * Loads real records into a real cluster of three processes with w=2, kills one node with -9 in the middle and goes on, kills all,
 * restarts them, and reads every acknowledged record back with r=2.
 *
 * `node dist/test/cluster/load-records.js [records]`: prints how many and how long; exits 1 when one is missing or wrong.
 */
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { RealCluster } from './real-cluster.ts';
import { type Record, realRecords } from './records.ts';

const IN_FLIGHT = 48;
const DEFAULT_RECORDS = 50_000;

export interface LoadReport {
  readonly source: string;
  readonly records: number;
  readonly acknowledged: number;
  /** Not acknowledged: refused or unknown, most of them while the killed node was not yet known to be down. */
  readonly unacknowledged: number;
  readonly readBack: number;
  readonly lost: readonly string[];
  readonly loadS: number;
  readonly restartS: number;
  readonly readS: number;
}

export async function loadRecords(count: number): Promise<LoadReport> {
  const { source, records } = realRecords(count);
  const cluster = await RealCluster.create();
  try {
    await cluster.start();
    const client = new Client(cluster);
    const acknowledged: Record[] = [];
    const half = Math.floor(records.length / 2);
    const loading = seconds();
    await client.each(records.slice(0, half), async (record) => {
      if (await client.put(record)) acknowledged.push(record);
    });
    // The kill comes while requests are under way: those of the second half that are already sent must not be lost either.
    const second = client.each(records.slice(half), async (record) => {
      if (await client.put(record)) acknowledged.push(record);
    });
    await cluster.kill(['n2']);
    client.avoid('n2');
    await second;
    const loadS = loading();
    await cluster.kill(['n1', 'n3']);
    const restarting = seconds();
    await cluster.start();
    const restartS = restarting();
    client.avoid(undefined);
    const reading = seconds();
    const lost: string[] = [];
    await client.each(acknowledged, async (record) => {
      const value = await client.get(record.key);
      if (value !== record.value) lost.push(record.key);
    });
    const { length } = acknowledged;
    return {
      source,
      records: records.length,
      acknowledged: length,
      unacknowledged: records.length - length,
      readBack: length - lost.length,
      lost,
      loadS,
      restartS,
      readS: reading(),
    };
  } finally {
    await cluster.remove();
  }
}

class Client {
  private readonly cluster: RealCluster;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  private avoided: string | undefined;
  private turn = 0;

  constructor(cluster: RealCluster) {
    this.cluster = cluster;
  }

  /** No further request goes to the node. */
  avoid(id: string | undefined): void {
    this.avoided = id;
  }

  /** Works through the items with {@link IN_FLIGHT} at a time. */
  async each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async () => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  }

  /** Whether the write was acknowledged by two replicas. Not applied is tried again; unknown is not. */
  async put({ key, value }: Record): Promise<boolean> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const { status, body } = await this.send('PUT', `${path(key)}?w=2`, value);
      if (status === 204) return true;
      if (status !== 503) return false;
      if (!body.includes('not_applied') && !body.includes('not-ready')) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  }

  async get(key: string): Promise<string | undefined> {
    const { status, body } = await this.send('GET', `${path(key)}?r=2`);
    return status === 200 ? body : undefined;
  }

  private send(method: string, target: string, body?: string): Promise<{ status: number; body: string }> {
    const ids = this.cluster.ids.filter((id) => id !== this.avoided);
    const id = ids[this.turn++ % ids.length] ?? 'n1';
    return new Promise((resolve) => {
      const outgoing = request(
        {
          agent: this.agent,
          host: '127.0.0.1',
          port: this.cluster.httpPort(id),
          method,
          path: target,
          timeout: 10_000,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () =>
            resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
          );
          incoming.on('error', () => resolve({ status: 0, body: '' }));
        },
      );
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', () => resolve({ status: 0, body: '' }));
      outgoing.end(body);
    });
  }
}

const path = (key: string): string => `/v1/kv/files/${encodeURIComponent(key)}`;

function seconds(): () => number {
  const start = performance.now();
  return () => Math.round(performance.now() - start) / 1000;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = await loadRecords(Number(process.argv[2] ?? DEFAULT_RECORDS));
  const { lost, ...figures } = report;
  process.stdout.write(`${JSON.stringify({ ...figures, lost: lost.length }, null, 2)}\n`);
  process.exitCode = lost.length === 0 && report.acknowledged > 0 ? 0 : 1;
}
