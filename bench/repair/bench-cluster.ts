import { LocalCluster, type LocalClusterOptions } from '../cluster/local-cluster.ts';
import { type Metrics, metric, parseMetrics, sentBytes } from '../cluster/metrics.ts';
import { until } from '../cluster/until.ts';
import { Client } from './client.ts';

/** The node that goes and comes back. */
export const AWAY = 'n3';
const HEALED_WITHIN_MS = 300_000;

/** Three real nodes, each an owner of every key, one of which can be sent away. */
export class BenchCluster {
  readonly nodes: LocalCluster;
  readonly client: Client;

  private constructor(nodes: LocalCluster) {
    this.nodes = nodes;
    this.client = new Client(nodes);
  }

  static async start(options: LocalClusterOptions = {}): Promise<BenchCluster> {
    return new BenchCluster(await LocalCluster.start(options));
  }

  /** The nodes that are always there. */
  get staying(): readonly string[] {
    return this.nodes.ids.filter((id) => id !== AWAY);
  }

  /** Ends the node with -9, and waits until the others know. */
  async sendAway(): Promise<void> {
    await this.nodes.kill([AWAY]);
    for (const id of this.staying) await this.until(async () => !(await this.seesAway(id)));
  }

  /** Starts the node and returns as soon as it is ready. */
  async bringBack(): Promise<void> {
    await this.nodes.startOne(AWAY);
  }

  /** What the others remembered of writes that {@link AWAY} lacks, beside the data, is lost. */
  async restartStaying(): Promise<void> {
    await this.nodes.kill(this.staying, 'SIGTERM');
    await this.nodes.start(this.staying);
  }

  async metrics(id: string): Promise<Metrics> {
    return parseMetrics((await this.client.ask(id, 'GET', '/metrics')).body);
  }

  async allMetrics(): Promise<readonly Metrics[]> {
    return Promise.all(this.nodes.ids.map((id) => this.metrics(id)));
  }

  /** By all nodes that run, since their starts. */
  async sentBytes(ids: readonly string[], methods: readonly string[]): Promise<number> {
    const all = await Promise.all(ids.map((id) => this.metrics(id)));
    return all.reduce((sum, metrics) => sum + sentBytes(metrics, methods), 0);
  }

  async objects(): Promise<readonly number[]> {
    return (await this.allMetrics()).map((metrics) => metric(metrics, 'objects'));
  }

  /** Resolves once no node knows of any difference from another, nor keeps anything for one. */
  async healed(): Promise<void> {
    for (const id of this.nodes.ids) await this.until(() => this.isHealed(id));
  }

  private async isHealed(id: string): Promise<boolean> {
    const sync = await this.client.json(id, '/v1/cluster/sync');
    const hints = await this.client.json(id, '/v1/cluster/hints');
    return isEmpty(sync, 'partitions') && numberOf(sync, 'unheard') === 0 && isEmpty(hints, 'targets');
  }

  private async seesAway(id: string): Promise<boolean> {
    const { body } = await this.client.ask(id, 'GET', '/metrics');
    return metric(parseMetrics(body), 'members_up') === this.nodes.ids.length;
  }

  until(isSo: () => Promise<boolean>): Promise<void> {
    return until(isSo, HEALED_WITHIN_MS, String(isSo));
  }

  async remove(): Promise<void> {
    this.client.close();
    await this.nodes.remove();
  }
}

function field(view: unknown, name: string): unknown {
  return typeof view === 'object' && view !== null ? new Map(Object.entries(view)).get(name) : undefined;
}

function isEmpty(view: unknown, name: string): boolean {
  const list = field(view, name);
  if (!Array.isArray(list)) throw new Error(`no list ${name}`);
  return list.length === 0;
}

function numberOf(view: unknown, name: string): number {
  const value = field(view, name);
  if (typeof value !== 'number') throw new Error(`no number ${name}`);
  return value;
}
