import type { QuorateClient } from '../client/quorate-client.ts';
import type { ClusterView, KeyPlacement, RingView } from '../coordinator/api.ts';
import { EXIT } from './exit-codes.ts';
import { print, table } from './terminal.ts';

export interface StatusOptions {
  readonly json?: true;
}

export interface RingOptions extends StatusOptions {
  readonly bucket?: string;
  readonly key?: string;
}

/** Members and settings as one node sees them. Each command returns its exit code and throws `ClientError`. */
export async function status(client: QuorateClient, { json }: StatusOptions): Promise<number> {
  const cluster = await client.cluster();
  await print(json ? `${JSON.stringify(cluster)}\n` : describeCluster(cluster));
  return EXIT.ok;
}

/** Who owns which partition; with bucket and key, where that key lives. */
export async function ring(client: QuorateClient, { json, bucket, key }: RingOptions): Promise<number> {
  const ofKey = bucket !== undefined && key !== undefined;
  const view = ofKey ? await client.placement(bucket, key) : await client.ring();
  if (json) await print(`${JSON.stringify(view)}\n`);
  else await print('preferenceList' in view ? describePlacement(view) : describeRing(view));
  return EXIT.ok;
}

function describeCluster({ cluster, epoch, leader, n, partitions, settings, members }: ClusterView): string {
  const facts = [
    ['cluster', cluster],
    ['epoch', String(epoch)],
    ['leader', leader ?? 'none'],
    ['partitions', String(partitions)],
    ['replication', `n=${n} r=${settings.r} w=${settings.w}`],
    ['durability', settings.durability],
  ];
  const rows = members.map((member) => [
    member.id,
    String(member.number),
    member.zone,
    member.host,
    String(member.http),
    String(member.rpc),
    member.state,
    member.seenAs,
  ]);
  return `${table(facts)}\n${table([['ID', 'NUMBER', 'ZONE', 'HOST', 'HTTP', 'RPC', 'STATE', 'SEEN AS'], ...rows])}`;
}

function describeRing({ epoch, partitions }: RingView): string {
  const rows = partitions.map(({ partition, owners, next }) => [
    String(partition),
    owners.join(' '),
    next === null ? '' : `-> ${next.join(' ')}`,
  ]);
  return `epoch ${epoch}\n${table([['PARTITION', 'OWNERS', ''], ...rows])}`;
}

function describePlacement({ epoch, partition, owners, preferenceList }: KeyPlacement): string {
  return table([
    ['epoch', String(epoch)],
    ['partition', String(partition)],
    ['owners', owners.join(' ')],
    ['preference list', preferenceList.join(' ')],
  ]);
}
