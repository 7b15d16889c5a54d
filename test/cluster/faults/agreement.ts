import { Agent } from 'node:http';
import { type Answer, headerOf, jsonOf, send } from '../http-request.ts';
import type { RealCluster } from '../real-cluster.ts';
import type { Showing } from './check-ledger.ts';
import { BUCKET, isShowing, shownIds } from './store-client.ts';

const POLL_MS = 50;
const IN_FLIGHT = 16;
const READ_MS = 5000;

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

async function openMatters(cluster: RealCluster, id: string): Promise<readonly string[]> {
  const ask = async (path: string) => jsonOf(await send(cluster.httpPort(id), path));
  const [sync, hints, { members }] = await Promise.all(
    ['/sync', '/hints', ''].map((path) => ask(`/v1/cluster${path}`)),
  );
  const open: string[] = [];
  if (sync?.oldestMs !== null || sync.unheard !== 0) open.push(`sync of ${id}: ${JSON.stringify(sync)}`);
  if (JSON.stringify(hints?.targets) !== '[]') open.push(`hints of ${id}: ${JSON.stringify(hints)}`);
  const isWhole = Array.isArray(members) && members.every(({ seenAs }: { seenAs: string }) => seenAs === 'up');
  if (!isWhole) open.push(`members as ${id} sees them: ${JSON.stringify(members)}`);
  return open;
}

/** What there is to see of every key: each owner's own copy, and what each node reads from all owners. */
export class Inspection {
  private readonly cluster: RealCluster;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });

  constructor(cluster: RealCluster) {
    this.cluster = cluster;
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, readonly Showing[]>> {
    const found = new Map<string, readonly Showing[]>();
    let next = 0;
    const worker = async () => {
      for (let key = keys[next++]; key !== undefined; key = keys[next++]) found.set(key, await this.showingsOf(key));
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    this.agent.destroy();
    return found;
  }

  private async showingsOf(key: string): Promise<readonly Showing[]> {
    const ring = await this.ask('n1', `/v1/cluster/ring?bucket=${BUCKET}&key=${key}`);
    const { owners } = jsonOf(ring) as { owners: readonly string[] };
    return Promise.all([
      ...owners.map((id) => this.ownCopy(id, key)),
      ...this.cluster.ids.map(async (id) =>
        showing(id, await this.ask(id, `/v1/kv/${BUCKET}/${key}?r=all&pr=all&sloppy=false&timeout=5s`)),
      ),
    ]);
  }

  /** An owner answers r=1 from what it holds, except when it is slow to do so. */
  private async ownCopy(id: string, key: string): Promise<Showing> {
    const endMs = performance.now() + READ_MS;
    for (;;) {
      const answer = await this.ask(id, `/v1/kv/${BUCKET}/${key}?r=1&sloppy=false&timeout=5s`);
      const answered = [...headerOf(answer, 'server-timing').matchAll(/(n\d);dur/g)].map(([, node]) => node);
      if (answered.length === 1 && answered[0] === id) return showing(`${id}'s own copy`, answer);
      if (performance.now() > endMs) throw new Error(`${id} does not answer for ${key} itself: ${answered}`);
    }
  }

  private ask(id: string, path: string): Promise<Answer> {
    return send(this.cluster.httpPort(id), path, { agent: this.agent, withinMs: READ_MS });
  }
}

function showing(by: string, answer: Answer): Showing {
  if (!isShowing(answer)) throw new Error(`${by} answered ${answer.status}: ${answer.body}`);
  const etag = answer.status === 404 ? '' : headerOf(answer, 'etag');
  return { by, ids: shownIds(answer), etag, context: headerOf(answer, 'causal-context') };
}
