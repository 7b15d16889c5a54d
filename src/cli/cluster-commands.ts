import type { QuorateClient } from '../client/quorate-client.ts';
import type { CatchUpView, ClusterView, KeyPlacement, RingView } from '../coordinator/api.ts';
import { EXIT } from './exit-codes.ts';
import { print, say, table } from './terminal.ts';

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

export interface CatchUpOptions extends StatusOptions {
  readonly except?: string;
}

/** What one node has to catch up with before it serves it again; with an owner, that it is not to wait for that one. */
export async function catchUp(client: QuorateClient, { json, except }: CatchUpOptions): Promise<number> {
  const view = except === undefined ? await client.catchUp() : await client.except(except);
  if (except !== undefined)
    say(`writes that only ${except} holds beside ${view.node} may be missed by reads from now on`);
  await print(json ? `${JSON.stringify(view)}\n` : describeCatchUp(view));
  return EXIT.ok;
}

function describeCatchUp({ node, partitions, excepted }: CatchUpView): string {
  if (partitions.length === 0) return `${node} serves all its partitions\n`;
  const rows = partitions.map(({ partition, waitsFor }) => [String(partition), waitsFor.join(' ')]);
  const facts = table([['excepted', excepted.join(' ') || 'nobody']]);
  return `${node} catches up\n${facts}\n${table([['PARTITION', 'WAITS FOR'], ...rows])}`;
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
