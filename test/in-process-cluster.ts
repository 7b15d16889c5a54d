import { createHash } from 'node:crypto';
import type { ClusterConfig } from '../src/config/cluster-config.ts';
import { type NodeId, nodeId } from '../src/core/ids.ts';
import { createNode, type Node } from '../src/node.ts';
import type { Logger, Store } from '../src/ports.ts';
import { MemoryNetwork } from '../src/rpc/memory-transport.ts';
import { openStore } from '../src/storage/open-store.ts';
import { loadHashes } from '../src/system/hash.ts';
import { ManualClock } from '../src/system/manual-clock.ts';
import { tokenMacs } from '../src/system/token-mac.ts';
import { clockOf, FaultyTransport, type Loses, TestDisk } from './faulty-ports.ts';
import { NodeLife } from './simulator/node-life.ts';

export interface InProcessOptions {
  readonly nodes?: number;
  readonly n?: number;
  readonly partitions?: number;
  /** How often ended actors are looked for. Left out: as in production. */
  readonly retirementMs?: number;
}

interface Running {
  readonly node: Node;
  readonly store: Store;
  readonly transport: FaultyTransport;
  readonly life: NodeLife;
}

const SEGMENT_BYTES = 1 << 20;

/** A whole cluster in this process, on a clock that only the test moves, with disks and a network in memory. */
export class InProcessCluster {
  readonly clock = new ManualClock();
  readonly config: ClusterConfig;
  readonly fatal = new Map<string, Error>();
  /** Which messages are lost. */
  loses: Loses = () => false;
  readonly log: string[] = [];
  /** Where a node's cluster.yaml differs from the others'. */
  readonly configs = new Map<string, ClusterConfig>();
  private readonly network = new MemoryNetwork(this.clock);
  private readonly disks = new Map<string, TestDisk>();
  private readonly running = new Map<string, Running>();
  private readonly retirementMs: number | undefined;
  private seed = 1;

  constructor(options: InProcessOptions = {}) {
    const { nodes = 3, n = Math.min(3, nodes), partitions = 8 } = options;
    this.config = configOf(nodes, n, partitions);
    this.retirementMs = options.retirementMs;
  }

  get ids(): readonly NodeId[] {
    return this.config.nodes.map(({ id }) => id);
  }

  node(id: string): Node {
    return this.alive(id).node;
  }

  store(id: string): Store {
    return this.alive(id).store;
  }

  isRunning(id: string): boolean {
    return this.running.has(id);
  }

  disk(id: string): TestDisk {
    const disk = this.disks.get(id) ?? new TestDisk(SEGMENT_BYTES);
    this.disks.set(id, disk);
    return disk;
  }

  /** Starts the nodes (all, when none is named) and waits until each serves. */
  async start(ids: readonly string[] = this.ids): Promise<void> {
    for (const id of ids) await this.launch(id);
    await this.until(() => ids.every((id) => this.node(id).api.notReady() === undefined), `${ids} to be ready`);
  }

  /** Starts a node without waiting for anything. */
  async launch(id: string): Promise<void> {
    const { checksum32, hash64 } = await loadHashes();
    const { log, state } = this.disk(id);
    const logger = this.logger(id);
    const life = new NodeLife();
    const failed = (error: Error) => {
      if (!life.isOver) this.fatal.set(id, error);
    };
    const clock = clockOf(this.clock, life);
    const self = nodeId(id);
    const inner = this.network.transport(self);
    const transport = new FaultyTransport(self, inner, life, (...message) => this.loses(...message));
    const store = await this.settle(openStore({ log, state, clock, logger, checksum32, failed }));
    const node = createNode(this.configs.get(id) ?? this.config, self, {
      clock,
      random: this.random(),
      transport,
      store,
      logger,
      hash64,
      checksum32,
      tokenMacs,
      onFatal: failed,
      retirementMs: this.retirementMs,
    });
    this.running.set(id, { node, store, transport, life });
    node.start().catch(failed);
  }

  /** Stops the node as SIGTERM does. */
  async stop(id: string): Promise<void> {
    const stopped = this.node(id).stop();
    this.running.delete(id);
    await this.settle(stopped);
  }

  /** The power fails: what was not flushed is lost, but for `kept` bytes of each write. */
  async crash(id: string, kept: (writeBytes: number) => number = () => 0): Promise<void> {
    const { life, transport } = this.alive(id);
    this.running.delete(id);
    life.end();
    this.disk(id).cutPower(kept);
    await transport.stop();
  }

  /** The process stands still (SIGSTOP) while time goes on. */
  pause(id: string): void {
    this.alive(id).life.pause();
  }

  resume(id: string): void {
    this.alive(id).life.resume();
  }

  /** A message that `loses` has kept back goes on its way after all. */
  send(from: string, to: string, message: Uint8Array): void {
    this.alive(from).transport.send(nodeId(to), message);
  }

  cut(a: string, b: string): void {
    this.running.get(a)?.transport.cut(b);
    this.running.get(b)?.transport.cut(a);
  }

  mend(a: string, b: string): void {
    this.running.get(a)?.transport.mend(b);
    this.running.get(b)?.transport.mend(a);
  }

  /** The node's data folder is emptied. It must not run. */
  wipe(id: string): void {
    this.disks.delete(id);
  }

  /** The node's data folder is put back from a copy. It must not run. */
  restore(id: string, copy: TestDisk): void {
    this.disks.set(id, copy);
  }

  /** Moves time on, in small steps, until the promise is settled. */
  async settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let isSettled = false;
    const mark = () => {
      isSettled = true;
    };
    promise.then(mark, mark);
    await this.until(() => isSettled, 'the promise to be settled', limitMs);
    return promise;
  }

  async until(condition: () => boolean, what: string, limitMs = 60_000): Promise<void> {
    const endMs = this.clock.monotonicMs() + limitMs;
    while (!condition()) {
      if (this.clock.monotonicMs() > endMs)
        throw new Error(`waited ${limitMs} ms for ${what}\n${this.log.slice(-20).join('\n')}`);
      await this.pass(1);
    }
  }

  /** Lets `ms` of virtual time pass. */
  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      this.clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private alive(id: string): Running {
    const running = this.running.get(id);
    if (running === undefined) throw new Error(`${id} does not run`);
    return running;
  }

  private logger(id: string): Logger {
    const keep = (level: string) => (fields: object, message: string) => {
      this.log.push(`${this.clock.monotonicMs()} ${id} ${level} ${message} ${JSON.stringify(fields)}`);
    };
    return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
  }

  private random() {
    const name = `node ${this.seed++}`;
    let count = 0;
    const bytes = (length: number): Uint8Array => {
      const block = createHash('sha512').update(`${name} ${count++}`).digest();
      return Uint8Array.from(block.subarray(0, length));
    };
    return { bytes, next: () => Buffer.from(bytes(4)).readUInt32LE() / 2 ** 32 };
  }
}

function configOf(count: number, n: number, partitions: number): ClusterConfig {
  const nodes = Array.from({ length: count }, (_, i) => ({
    id: nodeId(`n${i + 1}`),
    zone: `z${i % 3}`,
    weight: 1,
    host: '127.0.0.1',
    http: 8081 + i,
    rpc: 9081 + i,
    data: `/data/n${i + 1}`,
    bind: '127.0.0.1',
  }));
  return {
    cluster: 'test',
    partitions,
    replication: { n, r: 'quorum', w: 'quorum' },
    durability: 'flush',
    nodes,
    limits: {
      valueBytes: 1 << 20,
      siblings: 4,
      objectBytes: 1 << 24,
      requests: 4096,
      bodyBytes: 1 << 28,
      peerQueueBytes: 1 << 26,
      peerRequests: 16_384,
      memtableBytes: 1 << 26,
      hintBytes: 1 << 26,
    },
    timeouts: { requestMs: 2000, drainMs: 10_000 },
    insecure: false,
  };
}
