import type { Store, Way } from '../stores/store.ts';
import { randomValues } from '../stores/values.ts';
import { type Client, connectClients } from './client.ts';
import { TIMEOUT_MS } from './measure.ts';
import { keyName } from './operation-source.ts';

export interface FillOptions {
  readonly store: Store;
  readonly addresses: readonly string[];
  readonly write: Way;
  readonly connections: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly timeoutMs?: number;
  /** About ten times a second. */
  readonly onProgress?: (written: number) => void;
}

/** Writes every key once: key-0 to key-(keys - 1). A write that fails is repeated; rejects when one fails too often. */
export async function fill(options: FillOptions): Promise<void> {
  const { store, addresses, write, connections, keys, valueBytes, timeoutMs = TIMEOUT_MS, onProgress } = options;
  const [read] = store.reads;
  if (read === undefined) throw new Error(`${store.name} has no way to read`);
  const session = { read, write, nextValue: randomValues(valueBytes), timeoutMs };
  const clients = await connectClients({ store, addresses, session }, Math.min(connections, keys));
  const progress = { next: 0, written: 0 };
  const timer = setInterval(() => onProgress?.(progress.written), PROGRESS_MS);
  try {
    await Promise.all(clients.map((client) => writeNext(client, keys, progress)));
    onProgress?.(keys);
  } finally {
    clearInterval(timer);
    for (const client of clients) client.close();
  }
}

const PROGRESS_MS = 100;
const ATTEMPTS = 20;

async function writeNext(client: Client, keys: number, progress: { next: number; written: number }): Promise<void> {
  while (progress.next < keys) {
    await writeKey(client, keyName(progress.next++));
    progress.written++;
  }
}

async function writeKey(client: Client, key: string): Promise<void> {
  let failure = await client.run({ kind: 'update', key });
  for (let attempt = 1; failure !== undefined && attempt < ATTEMPTS; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, attempt * 10));
    failure = await client.run({ kind: 'update', key });
  }
  if (failure !== undefined) throw new Error(`cannot write ${key}: ${failure}, ${ATTEMPTS} times`);
}
