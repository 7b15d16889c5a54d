/** A key of which one owner's record goes bad, for tests of where it is had again from. */
import { type NodeId, objectKey, type Partition } from '../src/core/ids.ts';
import { METHOD } from '../src/protocol.ts';
import { objectStateKey } from '../src/storage/state-format.ts';
import { InProcessCluster } from './in-process-cluster.ts';
import { requestMethod } from './messages.ts';
import { put } from './requests.ts';

export const KEY = objectKey('b', 'k');

export interface Setting {
  readonly cluster: InProcessCluster;
  readonly partition: Partition;
  /** Its record is the one that is damaged. */
  readonly first: NodeId;
  readonly others: readonly NodeId[];
  readonly fallbacks: readonly NodeId[];
}

export async function started(nodes: number, n = 3): Promise<Setting> {
  const cluster = new InProcessCluster({ nodes, n, partitions: 4 });
  await cluster.start();
  const { partition, owners } = cluster.node('n1').api.ringOf('b', 'k');
  const [first, ...others] = owners;
  if (first === undefined) throw new Error('an owner');
  return { cluster, partition, first, others, fallbacks: cluster.ids.filter((id) => !owners.includes(id)) };
}

export const write = async ({ cluster, first }: Setting, value: string, w: number): Promise<unknown> =>
  cluster.settle(cluster.node(first).api.write(put('k', value, { w })));

export function holds({ cluster, partition }: Setting, node: string, value: string): boolean {
  try {
    const object = cluster.store(node).read(partition, KEY);
    return object !== undefined && Buffer.from(object).includes(value);
  } catch {
    return false;
  }
}

/** The node, the first owner unless another is meant, stops, and its disk turns over one bit of the key's record. */
export async function damage(setting: Setting, node = setting.first): Promise<void> {
  await setting.cluster.stop(node);
  await flip(setting, node);
}

/** Turns the bit over while the node runs or not: the second time the record can be read again. */
export async function flip({ cluster, partition }: Setting, node: NodeId): Promise<void> {
  const { state } = cluster.disk(node);
  const place = objectStateKey(partition, KEY);
  const value = Buffer.from(state.get(place) ?? []);
  if (value.length === 0) throw new Error(`${node} has a record to be damaged`);
  value[value.length >> 1] = (value[value.length >> 1] ?? 0) ^ 1;
  await state.write([{ key: place, value }]);
}

export const damagedAt = ({ cluster, first }: Setting): number => cluster.node(first).replica.damaged.count;

/** No hint reaches an owner: by the time it could, it may be too late. */
export function loseHints({ cluster }: Setting): void {
  cluster.loses = (_, __, message) => requestMethod(message) === METHOD.replicate;
}

export const except = (setting: Setting, node: NodeId, owner: NodeId) =>
  setting.cluster.settle(setting.cluster.node(node).api.exceptOwner(owner));
