import { Agent } from 'node:http';
import { type Answer, headerOf, jsonOf, send } from '../http-request.ts';
import type { RealCluster } from '../real-cluster.ts';
import { disagreements, type Showing, showTheSameValues } from './check-ledger.ts';
import { BUCKET, isShared, isShowing, shownIds } from './store-client.ts';

const POLL_MS = 50;
const IN_FLIGHT = 16;
const READ_MS = 5000;
/** Who hears of a retirement writes contexts in another way at once; the others within a round of exchanges. */
const RETIREMENT_MS = 5000;

/**
 * Waits until every node says that it agrees with all other owners and keeps no write for another one. Rejects with what is left
 * after `withinMs`.
 */
export async function agreement(cluster: RealCluster, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const open = (await Promise.all(cluster.ids.map((id) => openMatters(cluster, id)))).flat();
    if (open.length === 0) return;
    if (performance.now() > endMs) throw new Error(`no agreement within ${withinMs} ms:\n${open.join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const DEBTS_MS = 30_000;

/** Waits until no node keeps a write for another one, and none has to catch up: each write has then as many copies as were promised. */
export async function withoutDebts(cluster: RealCluster): Promise<void> {
  const endMs = performance.now() + DEBTS_MS;
  for (;;) {
    const debts = (await Promise.all(cluster.ids.map((id) => debtsOf(cluster, id)))).flat();
    if (debts.length === 0) return;
    if (performance.now() > endMs) throw new Error(`still owed after ${DEBTS_MS} ms:\n${debts.join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function debtsOf(cluster: RealCluster, id: string): Promise<readonly string[]> {
  const { targets } = jsonOf(await send(cluster.httpPort(id), '/v1/cluster/hints'));
  const { partitions } = jsonOf(await send(cluster.httpPort(id), '/v1/cluster/catch-up'));
  const debts: string[] = [];
  if (JSON.stringify(targets) !== '[]') debts.push(`hints of ${id}: ${JSON.stringify(targets)}`);
  if (JSON.stringify(partitions) !== '[]') debts.push(`${id} catches up: ${JSON.stringify(partitions)}`);
  return debts;
}

async function openMatters(cluster: RealCluster, id: string): Promise<readonly string[]> {
  const ask = async (path: string) => jsonOf(await send(cluster.httpPort(id), path));
  const sync = await ask('/v1/cluster/sync');
  const hints = await ask('/v1/cluster/hints');
  const { members } = await ask('/v1/cluster');
  const open: string[] = [];
  if (sync.oldestMs !== null || sync.unheard !== 0) open.push(`sync of ${id}: ${JSON.stringify(sync)}`);
  if (JSON.stringify(hints.targets) !== '[]') open.push(`hints of ${id}: ${JSON.stringify(hints)}`);
  const isWhole = Array.isArray(members) && members.every(({ seenAs }: { seenAs: string }) => seenAs === 'up');
  if (!isWhole) open.push(`members as ${id} sees them: ${JSON.stringify(members)}`);
  return open;
}

/** Looks at every key in the end: first at each owner's own copy, which changes nothing; then through each node. */
export class Inspection {
  private readonly cluster: RealCluster;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });

  constructor(cluster: RealCluster) {
    this.cluster = cluster;
  }

  /** What each owner holds. Copies that differ are looked at again until `endMs`: only then they must be equal. */
  ownCopies(keys: readonly string[], endMs: number): Promise<ReadonlyMap<string, readonly Showing[]>> {
    return this.each(keys, async (key) => {
      const ring = await this.ask('n1', `/v1/cluster/ring?bucket=${BUCKET}&key=${key}`);
      const { owners } = jsonOf(ring) as { owners: readonly string[] };
      return agreeing(() => Promise.all(owners.map((id) => this.ownCopy(id, key))), endMs);
    });
  }

  /** What nodes read from all owners, which repairs copies that differ. Keys that many wrote are read through every node, others through one. */
  throughNodes(keys: readonly string[]): Promise<ReadonlyMap<string, readonly Showing[]>> {
    const query = 'r=all&pr=all&sloppy=false&timeout=5s';
    const through = async (id: string, key: string): Promise<Showing> =>
      showing(id, 'through nodes', await this.ask(id, `/v1/kv/${BUCKET}/${key}?${query}`));
    const { ids } = this.cluster;
    let turn = 0;
    return this.each(keys, (key) => {
      const nodes = isShared(key) ? ids : ids.slice(turn++ % ids.length).slice(0, 1);
      return agreeing(() => Promise.all(nodes.map((id) => through(id, key))), 0);
    });
  }

  close(): void {
    this.agent.destroy();
  }

  private async each<T>(keys: readonly string[], look: (key: string) => Promise<T>): Promise<ReadonlyMap<string, T>> {
    const found = new Map<string, T>();
    let next = 0;
    const worker = async () => {
      for (let key = keys[next++]; key !== undefined; key = keys[next++]) found.set(key, await look(key));
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    return found;
  }

  /** An owner answers r=1 from what it holds, except when it is slow to do so: then it is asked again. */
  private async ownCopy(id: string, key: string): Promise<Showing> {
    const endMs = performance.now() + READ_MS;
    for (;;) {
      const answer = await this.ask(id, `/v1/kv/${BUCKET}/${key}?r=1&sloppy=false&timeout=5s`);
      const answered = [...headerOf(answer, 'server-timing').matchAll(/(n\d);dur/g)].map(([, node]) => node);
      if (answered.length === 1 && answered[0] === id) return showing(`${id}'s own copy`, 'own copies', answer);
      if (performance.now() > endMs) throw new Error(`${id} does not answer for ${key} itself: ${answered}`);
    }
  }

  private ask(id: string, path: string): Promise<Answer> {
    return send(this.cluster.httpPort(id), path, { agent: this.agent, withinMs: READ_MS });
  }
}

/** Looks again while not all is equal: until `endMs`, and a little longer where nothing but contexts differ. */
async function agreeing(look: () => Promise<readonly Showing[]>, endMs: number): Promise<readonly Showing[]> {
  const contextsEndMs = Math.max(endMs, performance.now() + RETIREMENT_MS);
  for (;;) {
    const showings = await look();
    const untilMs = showTheSameValues(showings) ? contextsEndMs : endMs;
    if (disagreements(showings).length === 0 || performance.now() > untilMs) return showings;
  }
}

function showing(by: string, look: Showing['look'], answer: Answer): Showing {
  if (!isShowing(answer)) throw new Error(`${by} answered ${answer.status}: ${answer.body}`);
  const etag = answer.status === 404 ? '' : headerOf(answer, 'etag');
  return { by, look, ids: shownIds(answer), etag, context: headerOf(answer, 'causal-context') };
}
