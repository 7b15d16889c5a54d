import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Durability } from '../../src/ports.ts';
import { freePorts } from './free-ports.ts';
import { get } from './get.ts';
import { NodeProcess } from './node-process.ts';
import { removedAtTheEnd } from './removed-at-the-end.ts';
import { until } from './until.ts';

export interface LocalClusterOptions {
  /** How many; 3 when left out. */
  readonly nodes?: number;
  /** Replicas of a key; as many as there are nodes, at most 3, when left out. */
  readonly n?: number;
  readonly durability?: Durability;
  /** Further lines of cluster.yaml. */
  readonly settings?: string;
  /** Where the nodes keep their data, each in a folder of its own within a new one; left out: the system's folder for temporary files. */
  readonly folder?: string;
}

/** What a node may take to be ready, however much it keeps. */
const READY_WITHIN_MS = 300_000;
const MEET_WITHIN_MS = 60_000;

/**
 * Nodes of this build as processes of this machine, which reach each other over loopback: n1, n2, ...
 *
 * 1. They end, and what they keep is removed, with {@link remove}, with this process (also by a signal, also by an error that
 *    nobody caught); when this process is ended by SIGKILL, the nodes still stop, and only the folder is left.
 * 2. Ports are free when the cluster is created. A node that finds its port taken ends, and with it the start.
 */
export class LocalCluster {
  /** Where all nodes keep their data. */
  readonly folder: string;
  readonly ids: readonly string[];
  /** Replicas of a key. */
  readonly n: number;
  readonly durability: Durability;
  private readonly file: string;
  private readonly ports: readonly number[];
  private readonly latest = new Map<string, NodeProcess>();
  private readonly forget: () => void;
  private isRemoved = false;

  private constructor(options: LocalClusterOptions, ids: readonly string[], ports: readonly number[]) {
    this.ids = ids;
    this.ports = ports;
    this.n = options.n ?? Math.min(3, ids.length);
    this.durability = options.durability ?? 'flush';
    this.folder = mkdtempSync(join(options.folder ?? tmpdir(), 'quorate-bench-'));
    this.forget = removedAtTheEnd(this);
    this.file = join(this.folder, 'cluster.yaml');
    writeFileSync(this.file, this.yaml(options.settings ?? ''));
  }

  /** Starts the nodes and waits until each is ready and sees the others. Rejects when one does not get there; then nothing is left. */
  static async start(options: LocalClusterOptions = {}): Promise<LocalCluster> {
    const ids = Array.from({ length: options.nodes ?? 3 }, (_, i) => `n${i + 1}`);
    const cluster = new LocalCluster(options, ids, await freePorts(ids.length * 2));
    try {
      await cluster.start();
      return cluster;
    } catch (error) {
      await cluster.remove();
      throw error;
    }
  }

  url(id: string): string {
    return `http://127.0.0.1:${this.httpPort(id)}`;
  }

  httpPort(id: string): number {
    return this.portOf(id, 0);
  }

  /** Of the nodes that run. */
  get urls(): readonly string[] {
    return this.running.map((id) => this.url(id));
  }

  /** Of the nodes that run. */
  get pids(): readonly number[] {
    return this.running.map((id) => this.process(id).pid);
  }

  get running(): readonly string[] {
    return this.ids.filter((id) => this.latest.get(id)?.isRunning === true);
  }

  /** The node's latest process. */
  process(id: string): NodeProcess {
    const process = this.latest.get(id);
    if (process === undefined) throw new Error(`${id} was not started`);
    return process;
  }

  /** Starts nodes that do not run (all, when none is named), and waits until each that runs is ready and sees the others. */
  async start(ids: readonly string[] = this.ids): Promise<void> {
    await Promise.all(ids.map((id) => this.startOne(id)));
    await this.meet();
  }

  /** Starts a node that does not run, and resolves as soon as it serves, to the seconds since its process was made. */
  async startOne(id: string): Promise<number> {
    if (this.isRemoved) throw new Error('the cluster was removed');
    if (this.latest.get(id)?.isRunning === true) throw new Error(`${id} runs already`);
    const startMs = performance.now();
    const node = new NodeProcess(['start', '--config', this.file, '--node', id]);
    this.latest.set(id, node);
    await node.says(new RegExp(`^ready ${id} `, 'm'), READY_WITHIN_MS);
    return (performance.now() - startMs) / 1000;
  }

  /** Resolves once each node that runs sees every other one that does. Rejects after a minute. */
  async meet(): Promise<void> {
    const ids = this.running;
    await Promise.all(ids.map((id) => until(() => this.seesAll(id, ids), MEET_WITHIN_MS, `${id} sees ${ids}`)));
  }

  /** Ends nodes (all, when none is named), at once or, with SIGTERM, after they have finished what is under way. */
  async kill(ids: readonly string[] = this.ids, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await Promise.all(ids.map((id) => this.process(id).end(signal)));
  }

  /** What nodes said last that have ended. */
  lastWords(): string {
    const ended = this.ids.filter((id) => this.latest.get(id)?.isRunning === false);
    return ended.map((id) => `${id} has ended: ${this.process(id).lastWords}`).join('\n');
  }

  /** Ends all nodes and removes what they keep. May be called again. */
  async remove(): Promise<void> {
    this.isRemoved = true;
    await Promise.all([...this.latest.values()].map((node) => node.end('SIGKILL')));
    this.removeNow();
    this.forget();
  }

  /** The same in one step, for a process that is about to end. */
  removeNow(): void {
    for (const node of this.latest.values()) node.kill();
    // A process that was told to end a moment ago may still make a file.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  private async seesAll(from: string, ids: readonly string[]): Promise<boolean> {
    const view: unknown = JSON.parse(await get(`${this.url(from)}/v1/cluster`));
    const up = membersOf(view).filter(({ seenAs }) => seenAs === 'up');
    return ids.every((id) => up.some((member) => member.id === id));
  }

  private yaml(settings: string): string {
    const nodes = this.ids.map((id, i) => {
      const ports = `http: ${this.httpPort(id)}, rpc: ${this.portOf(id, 1)}`;
      return `  - { id: ${id}, zone: z${i % 3}, host: 127.0.0.1, ${ports}, data: ${id} }`;
    });
    const head = ['cluster: bench', `replication: { n: ${this.n} }`, `durability: ${this.durability}`];
    return [...head, 'nodes:', ...nodes, settings, ''].join('\n');
  }

  private portOf(id: string, which: 0 | 1): number {
    const port = this.ports[2 * this.ids.indexOf(id) + which];
    if (port === undefined) throw new Error(`there is no node ${id}`);
    return port;
  }
}

interface Member {
  readonly id: unknown;
  readonly seenAs: unknown;
}

function membersOf(view: unknown): readonly Member[] {
  const members = typeof view === 'object' && view !== null && 'members' in view ? view.members : undefined;
  if (!Array.isArray(members)) throw new Error('/v1/cluster names no members');
  return members.map((member: unknown) => ({ id: undefined, seenAs: undefined, ...Object(member) }));
}
