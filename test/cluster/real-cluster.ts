import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../bench/cluster/free-ports.ts';
import { type Finished, Program } from '../child-process.ts';
import { ProxiedNetwork } from './faults/proxied-network.ts';
import { eventually, jsonOf, send } from './http-request.ts';

/** The program that users run. */
const MAIN = 'src/main.js';
const WAIT_MS = 30_000;

export interface ClusterOptions {
  readonly nodes?: number;
  readonly n?: number;
  /** Lines added to cluster.yaml. */
  readonly settings?: string;
  /** The nodes reach each other through proxies that can be cut: see {@link RealCluster.network}. */
  readonly isProxied?: boolean;
}

/** A cluster of real processes on loopback, in a folder of its own. */
export class RealCluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'quorate-'));
  readonly file = join(this.folder, 'cluster.yaml');
  readonly ids: readonly string[];
  private readonly ports: readonly number[];
  private readonly proxies: ProxiedNetwork | undefined;
  private readonly lives = new Map<string, readonly Program[]>();
  private readonly all = new Set<Program>();

  private constructor(ids: readonly string[], ports: readonly number[], proxies: ProxiedNetwork | undefined) {
    this.ids = ids;
    this.ports = ports;
    this.proxies = proxies;
  }

  static async create(options: ClusterOptions = {}): Promise<RealCluster> {
    const { nodes = 3, isProxied = false } = options;
    const ids = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
    const ports = await freePorts(nodes * 2);
    const rpcPort = (id: string): number => ports[2 * ids.indexOf(id) + 1] ?? 0;
    const proxies = isProxied ? await ProxiedNetwork.between(ids, rpcPort) : undefined;
    const cluster = new RealCluster(ids, ports, proxies);
    cluster.writeFiles(options);
    return cluster;
  }

  /** What lies between the nodes of a proxied cluster. */
  get network(): ProxiedNetwork {
    if (this.proxies === undefined) throw new Error('this cluster was not created with isProxied');
    return this.proxies;
  }

  url(id: string): string {
    return `http://127.0.0.1:${this.httpPort(id)}`;
  }

  httpPort(id: string): number {
    return this.port(2 * this.ids.indexOf(id));
  }

  rpcPort(id: string): number {
    return this.port(2 * this.ids.indexOf(id) + 1);
  }

  dataFolder(id: string): string {
    return join(this.folder, id);
  }

  /** Loses all that a node keeps, which must not run. */
  wipe(id: string): void {
    rmSync(this.dataFolder(id), { recursive: true });
  }

  /** Copies all that a node keeps to a folder beside it, which is returned. It must not run. */
  copyFolder(id: string, name: string): string {
    const copy = join(this.folder, name);
    rmSync(copy, { recursive: true, force: true });
    cpSync(this.dataFolder(id), copy, { recursive: true });
    return copy;
  }

  /** Gives a node, which must not run, what was copied instead of what it has. */
  restoreFolder(id: string, copy: string): void {
    rmSync(this.dataFolder(id), { recursive: true, force: true });
    cpSync(copy, this.dataFolder(id), { recursive: true });
  }

  /** The latest process of the node. */
  process(id: string): Program {
    const process = this.livesOf(id).at(-1);
    if (process === undefined) throw new Error(`${id} was not started`);
    return process;
  }

  /** Every process of the node so far, in order. */
  livesOf(id: string): readonly Program[] {
    return this.lives.get(id) ?? [];
  }

  /**
   * Starts nodes (all, when none is named) and waits until each is ready and sees every node that runs, and is seen by it.
   * Rejects when one ends, or after 30 s.
   */
  async start(ids: readonly string[] = this.ids): Promise<void> {
    await Promise.all(ids.map((id) => this.says(this.launch(id), new RegExp(`^ready ${id} `, 'm'))));
    const running = this.ids.filter((id) => this.livesOf(id).at(-1)?.isRunning === true);
    const settled = Promise.all(running.map((from) => eventually(() => this.seesAll(from, running))));
    await inTime(settled, () => `${running} do not see each other`);
  }

  /** Starts a node without waiting. `file`: another cluster.yaml than the cluster's own. */
  launch(id: string, file: string = this.fileOf(id)): Program {
    const node = this.run(['start', '--config', file, '--node', id]);
    this.lives.set(id, [...this.livesOf(id), node]);
    return node;
  }

  /** Runs the program; whatever it is, it ends with the cluster. */
  run(args: readonly string[]): Program {
    const program = new Program(MAIN, args);
    this.all.add(program);
    return program;
  }

  /** Waits for output, 30 s at most. */
  says(program: Program, pattern: RegExp): Promise<RegExpExecArray> {
    return inTime(program.until(pattern), () => `did not say ${pattern}:\n${program.stdout}${program.stderr}`);
  }

  /** Ends the nodes with `signal` and waits for it. */
  async kill(ids: readonly string[] = this.ids, signal: NodeJS.Signals = 'SIGKILL'): Promise<readonly Finished[]> {
    const nodes = ids.map((id) => this.process(id));
    for (const node of nodes) node.child.kill(signal);
    return Promise.all(nodes.map((node) => this.end(node)));
  }

  /** SIGSTOP: the process stands still, its connections stay. */
  freeze(id: string): void {
    this.process(id).child.kill('SIGSTOP');
  }

  thaw(id: string): void {
    this.process(id).child.kill('SIGCONT');
  }

  /** Waits for the program's end, 30 s at most. */
  end(program: Program): Promise<Finished> {
    return inTime(program.ended(), () => `did not end:\n${program.stdout}${program.stderr}`);
  }

  /** Ends what still runs and removes the folder, or keeps it. */
  async remove(keep = false): Promise<void> {
    for (const program of this.all) if (program.isRunning) program.child.kill('SIGKILL');
    await Promise.all([...this.all].map((program) => program.ended()));
    this.proxies?.close();
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }

  private async seesAll(from: string, ids: readonly string[]): Promise<true | undefined> {
    const { members = [] } = jsonOf(await send(this.httpPort(from), '/v1/cluster')) as {
      members?: { id: string; seenAs: string }[];
    };
    return ids.every((id) => members.some((member) => member.id === id && member.seenAs === 'up')) ? true : undefined;
  }

  private port(index: number): number {
    const port = this.ports[index];
    if (port === undefined) throw new Error('no such node');
    return port;
  }

  /** The cluster.yaml that the node is started with. */
  private fileOf(id: string): string {
    return this.proxies === undefined ? this.file : join(this.folder, `${id}.yaml`);
  }

  private writeFiles(options: ClusterOptions): void {
    writeFileSync(this.file, this.yaml(options, undefined));
    if (this.proxies === undefined) return;
    for (const id of this.ids) writeFileSync(this.fileOf(id), this.yaml(options, id));
  }

  /** As `reader` is to see the cluster: in a proxied one each reaches the others in ways of its own. */
  private yaml({ n, settings = '' }: ClusterOptions, reader: string | undefined): string {
    const nodes = this.ids.map((id, i) => {
      const rpc = reader === undefined || reader === id ? this.rpcPort(id) : this.network.portOf(reader, id);
      return `  - { id: ${id}, zone: z${i % 3}, host: 127.0.0.1, http: ${this.httpPort(id)}, rpc: ${rpc}, data: ${id} }`;
    });
    const replicas = n ?? Math.min(3, this.ids.length);
    return ['cluster: test', `replication: { n: ${replicas} }`, 'nodes:', ...nodes, settings, ''].join('\n');
  }
}

function inTime<T>(promise: Promise<T>, message: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(message())), WAIT_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
