import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built program: tests of real processes run what users run. This file is itself run from its source or built. */
export const PROGRAM =
  [new URL('../../src/main.js', import.meta.url), new URL('../../dist/src/main.js', import.meta.url)]
    .map((url) => fileURLToPath(url))
    .find((path) => existsSync(path)) ?? 'dist/src/main.js';

const READY_MS = 30_000;
const EXIT_MS = 30_000;

export interface ClusterOptions {
  readonly nodes?: number;
  readonly n?: number;
  /** Lines added to cluster.yaml. */
  readonly settings?: string;
}

export interface Exited {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One node as a child process of the test. */
export class NodeProcess {
  readonly id: string;
  readonly child: ChildProcess;
  readonly exited: Promise<Exited>;
  private readonly chunks: string[] = [];
  private readonly changed = new Set<() => void>();

  constructor(id: string, child: ChildProcess) {
    this.id = id;
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => this.heard(chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.heard(chunk));
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        resolve({ code, signal });
        this.heard(Buffer.from(`\n[${id} ended: code ${code}, signal ${signal}]\n`));
      });
    });
  }

  /** What it has printed on both streams. */
  get output(): string {
    return this.chunks.join('');
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves once the output has the text. Errors when the process ends before, or after 30 s. */
  says(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (act: () => void) => {
        clearTimeout(timer);
        this.changed.delete(look);
        act();
      };
      const look = () => {
        if (this.output.includes(text)) finish(resolve);
        else if (!this.isRunning)
          finish(() => reject(new Error(`${this.id} ended before it said "${text}":\n${this.output}`)));
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`${this.id} did not say "${text}":\n${this.output}`))),
        READY_MS,
      );
      this.changed.add(look);
      look();
    });
  }

  private heard(chunk: Buffer): void {
    this.chunks.push(chunk.toString());
    for (const look of [...this.changed]) look();
  }
}

/** A cluster of real processes on loopback, in a folder of its own. */
export class RealCluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'quorate-'));
  readonly file = join(this.folder, 'cluster.yaml');
  readonly ids: readonly string[];
  private readonly ports: readonly number[];
  private readonly processes = new Map<string, NodeProcess>();

  private constructor(ports: readonly number[], options: ClusterOptions) {
    this.ports = ports;
    this.ids = Array.from({ length: ports.length / 2 }, (_, i) => `n${i + 1}`);
    writeFileSync(this.file, this.yaml(options));
  }

  static async create(options: ClusterOptions = {}): Promise<RealCluster> {
    return new RealCluster(await freePorts((options.nodes ?? 3) * 2), options);
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

  process(id: string): NodeProcess {
    const process = this.processes.get(id);
    if (process === undefined) throw new Error(`${id} was not started`);
    return process;
  }

  /** Starts nodes (all, when none is named) and waits until each is ready. */
  async start(ids: readonly string[] = this.ids): Promise<void> {
    const started = ids.map((id) => this.launch(id));
    await Promise.all(started.map((node) => node.says(`ready ${node.id} `)));
  }

  /** Starts a node without waiting. */
  launch(id: string): NodeProcess {
    const child = spawn(process.execPath, [PROGRAM, 'start', '--config', this.file, '--node', id], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const node = new NodeProcess(id, child);
    this.processes.set(id, node);
    return node;
  }

  /** Ends the nodes with `signal` and waits for it. */
  async kill(ids: readonly string[] = this.ids, signal: NodeJS.Signals = 'SIGKILL'): Promise<readonly Exited[]> {
    const nodes = ids.map((id) => this.process(id));
    for (const node of nodes) node.signal(signal);
    return Promise.all(nodes.map((node) => withinExitTime(node)));
  }

  /** Ends what still runs and removes the folder. */
  async remove(): Promise<void> {
    for (const node of this.processes.values()) if (node.isRunning) node.signal('SIGKILL');
    await Promise.all([...this.processes.values()].map((node) => node.exited));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private port(index: number): number {
    const port = this.ports[index];
    if (port === undefined) throw new Error('no such node');
    return port;
  }

  private yaml({ n, settings = '' }: ClusterOptions): string {
    const nodes = this.ids.map(
      (id, i) =>
        `  - { id: ${id}, zone: z${i % 3}, host: 127.0.0.1, http: ${this.httpPort(id)}, rpc: ${this.rpcPort(id)}, data: ${id} }`,
    );
    const replicas = n ?? Math.min(3, this.ids.length);
    return ['cluster: test', `replication: { n: ${replicas} }`, 'nodes:', ...nodes, settings, ''].join('\n');
  }
}

async function withinExitTime(node: NodeProcess): Promise<Exited> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${node.id} did not end:\n${node.output}`)), EXIT_MS);
  });
  return Promise.race([node.exited, late]).finally(() => clearTimeout(timer));
}

/** Below 32768, where the system gives out no ports of its own accord. */
async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (!ports.includes(port) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
