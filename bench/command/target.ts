import { settledMetrics } from '../cluster/cluster-metrics.ts';
import { LocalCluster, type LocalClusterOptions } from '../cluster/local-cluster.ts';
import { fill } from '../load/fill.ts';
import type { TargetInfo } from '../report/bench-report.ts';
import { durabilityOf, type Peer, versionOf } from '../stores/peer.ts';
import { quorate, quorateAt } from '../stores/quorate.ts';
import type { Store, Way } from '../stores/store.ts';

/** A store that is driven, and what is known of the processes that are it. */
export interface Target {
  readonly info: TargetInfo;
  readonly store: Store;
  /** Where requests go now. */
  addresses(): readonly string[];
  /** Of its processes that run now, where they run on this machine and were started for this. */
  pids(): readonly number[];
  /** Resolves once what writes left to be done is done, where that can be known. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface OwnTarget extends Target {
  readonly cluster: LocalCluster;
}

/** Nodes that are started on this machine, and whatever they keep is removed in the end. */
export async function ownTarget(options: LocalClusterOptions): Promise<OwnTarget> {
  const cluster = await LocalCluster.start(options);
  try {
    return {
      ...(await infoOf({ store: quorate(cluster.n), addresses: cluster.urls }, true, ownName(cluster))),
      cluster,
      addresses: () => cluster.urls,
      pids: () => cluster.pids,
      settled: async () => void (await settledMetrics(cluster.urls)),
      stop: () => cluster.remove(),
    };
  } catch (error) {
    await cluster.remove();
    throw error;
  }
}

const ownName = ({ ids, n, durability }: LocalCluster): string =>
  `Quorate, ${ids.length === 1 ? '1 node' : `${ids.length} nodes, n=${n}`}${durability === 'flush' ? '' : `, durability ${durability}`}`;

/** A cluster that is already there. */
export async function runningTarget(urls: readonly string[]): Promise<Target> {
  const store = await quorateAt(urls[0] ?? '');
  const where = urls.length === 1 ? '1 URL' : `${urls.length} URLs`;
  return alien({ store, addresses: urls }, `Quorate at ${where}, n=${store.reads.length}`);
}

export function peerTarget(peer: Peer): Promise<Target> {
  const { length } = peer.addresses;
  return alien(peer, `${peer.store.name}, ${length === 1 ? '1 member' : `${length} members`}`);
}

/** What somebody else started, and ends. */
async function alien(peer: Peer, name: string): Promise<Target> {
  const nothing = async (): Promise<void> => {};
  const info = await infoOf(peer, false, name);
  return { ...info, addresses: () => peer.addresses, pids: () => [], settled: nothing, stop: nothing };
}

/** As the store says of itself. */
export async function infoOf(peer: Peer, isOwn: boolean, name: string): Promise<Pick<Target, 'info' | 'store'>> {
  const { store, addresses } = peer;
  const info = {
    name,
    store: store.name,
    version: store.name === 'memory' ? '' : await versionOf(peer),
    nodes: addresses.length,
    isOwn,
    durability: await durabilityOf(peer),
  };
  return { info, store };
}

/** The same target under another name where one of `others` has its own already: "etcd, 3 members (2)". */
export function toldApart(target: Target, others: readonly Target[]): Target {
  const taken = new Set(others.map(({ info }) => info.name));
  let name = target.info.name;
  for (let number = 2; taken.has(name); number++) name = `${target.info.name} (${number})`;
  return { ...target, info: { ...target.info, name } };
}

/** Writes every key once, also those that were written before, and waits until the store has done all that they left to be done. */
export async function filled(
  target: Target,
  keys: number,
  valueBytes: number,
  onProgress: (written: number) => void,
): Promise<void> {
  const { store } = target;
  const write = wayOf(store.writes, 'quorum');
  const connections = FILL_CONNECTIONS;
  await fill({ store, addresses: target.addresses(), write, connections, keys, valueBytes, onProgress });
  await target.settled();
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
