import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../cluster/free-ports.ts';
import { LocalCluster, type LocalClusterOptions } from '../cluster/local-cluster.ts';
import { fill } from '../load/fill.ts';
import type { TargetInfo } from '../report/bench-report.ts';
import { type Peer, versionOf } from '../stores/peer.ts';
import { memory, quorate, quorateAt } from '../stores/quorate.ts';
import type { Store, Way } from '../stores/store.ts';

/** A store that is driven, and what is known of the processes that are it. */
export interface Target {
  readonly info: TargetInfo;
  readonly store: Store;
  /** Where requests go. */
  readonly addresses: readonly string[];
  /** Of its processes, where they run on this machine and were started for this. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface OwnTarget extends Target {
  readonly cluster: LocalCluster;
}

const MEMORY_SERVER = fileURLToPath(new URL('../memory-server.js', import.meta.url));

/** Nodes that are started on this machine, and whatever they keep is removed in the end. */
export async function ownTarget(options: LocalClusterOptions): Promise<OwnTarget> {
  const cluster = await LocalCluster.start(options);
  const target = await infoOf(quorate(cluster.n), cluster.urls, true, ownName(cluster));
  return {
    ...target,
    cluster,
    get addresses() {
      return cluster.urls;
    },
    get pids() {
      return cluster.pids;
    },
    stop: () => cluster.remove(),
  };
}

const ownName = ({ ids, n, durability }: LocalCluster): string =>
  `Quorate, ${ids.length === 1 ? '1 node' : `${ids.length} nodes, n=${n}`}${durability === 'flush' ? '' : `, durability ${durability}`}`;

/** A cluster that is already there. */
export async function runningTarget(urls: readonly string[]): Promise<Target> {
  const store = await quorateAt(urls[0] ?? '');
  const where = urls.length === 1 ? '1 URL' : `${urls.length} URLs`;
  return { ...(await infoOf(store, urls, false, `Quorate at ${where}, n=${store.reads.length}`)), pids: [], stop };
}

export async function peerTarget({ store, addresses }: Peer): Promise<Target> {
  const name = `${store.name}, ${addresses.length === 1 ? '1 member' : `${addresses.length} members`}`;
  return { ...(await infoOf(store, addresses, false, name)), pids: [], stop };
}

/** What our HTTP server and the load generator allow at most, with a store that does nothing. */
export async function memoryTarget(): Promise<Target> {
  const [port = 0] = await freePorts(1);
  const child = spawn(process.execPath, [MEMORY_SERVER, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  process.once('exit', () => child.kill());
  await Promise.race([once(child.stdout, 'data'), ended]);
  const addresses = [`http://127.0.0.1:${port}`];
  return {
    ...(await infoOf(memory(), addresses, true, 'HTTP from memory')),
    pids: [child.pid ?? 0],
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/** Writes the keys that were not written before. */
export async function filled(
  { store, addresses }: Target,
  keys: number,
  valueBytes: number,
  onProgress: (written: number) => void,
): Promise<void> {
  const write = wayOf(store.writes, 'quorum');
  await fill({ store, addresses, write, connections: FILL_CONNECTIONS, keys, valueBytes, onProgress });
}

/** The way of this strength, or the strongest that there is. */
export function wayOf(ways: readonly Way[], strength: Way['strength']): Way {
  const way = ways.find((one) => one.strength === strength) ?? ways[0];
  if (way === undefined) throw new Error('a store that can neither be read nor written');
  return way;
}

/** The way in which so many replicas have to answer. */
export function wayWith(ways: readonly Way[], replicas: number): Way {
  const way = ways.find((one) => one.replicas === replicas);
  if (way === undefined) throw new Error(`no way with ${replicas} replicas`);
  return way;
}

const FILL_CONNECTIONS = 64;

const stop = async (): Promise<void> => {};

async function infoOf(
  store: Store,
  addresses: readonly string[],
  isOwn: boolean,
  name: string,
): Promise<Pick<Target, 'info' | 'store' | 'addresses'>> {
  const info = {
    name,
    store: store.name,
    version: store.name === 'memory' ? '' : await versionOf({ store, addresses }),
    nodes: addresses.length,
    isOwn,
    durability: await store.durabilityOf(addresses[0] ?? ''),
  };
  return { info, store, addresses };
}
