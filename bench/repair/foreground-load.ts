import type { BenchCluster } from './bench-cluster.ts';
import { each } from './client.ts';

export interface Latency {
  readonly phase: string;
  readonly seconds: number;
  readonly operationsPerS: number;
  readonly putP50Ms: number;
  readonly putP99Ms: number;
  readonly getP50Ms: number;
  readonly getP99Ms: number;
  /** Answers other than success, and none. Siblings are a success: a blind write at a node that is behind makes some. */
  readonly errors: number;
}

interface Sample {
  readonly endMs: number;
  readonly tookMs: number;
  readonly isPut: boolean;
}

const CLIENTS = 8;
/** Between a client's answer and its next request: a load that leaves the machine room to breathe. */
const THINK_MS = 8;
export const FOREGROUND_KEYS = 200;

/** A fixed number of clients, each of which writes (w=2) and reads (r=2) in turn at all nodes in turn, and pauses after each answer. */
export class ForegroundLoad {
  private readonly cluster: BenchCluster;
  private readonly value: Uint8Array;
  private readonly samples: Sample[] = [];
  private readonly clients: Promise<unknown>;
  private isStopped = false;
  private startMs = performance.now();
  private errors = 0;

  /** What the load reads must be there: to be called once for a cluster. */
  static prepare({ client }: BenchCluster, value: Uint8Array): Promise<void> {
    return each(FOREGROUND_KEYS, CLIENTS, (i) => client.write('n1', 'PUT', `${pathOf(i)}?w=all`, value));
  }

  constructor(cluster: BenchCluster, value: Uint8Array) {
    this.cluster = cluster;
    this.value = value;
    this.clients = Promise.all(Array.from({ length: CLIENTS }, (_, i) => this.run(i)));
  }

  /** Ends the load. What was measured after `untilMs` is left out. */
  async stop(phase: string, untilMs = performance.now()): Promise<Latency> {
    this.isStopped = true;
    await this.clients;
    const samples = this.samples.filter(({ endMs }) => endMs <= untilMs);
    const seconds = (untilMs - this.startMs) / 1000;
    const times = (isPut: boolean) => samples.filter((one) => one.isPut === isPut).map(({ tookMs }) => tookMs);
    return {
      phase,
      seconds: round(seconds),
      operationsPerS: Math.round(samples.length / seconds),
      putP50Ms: percentile(times(true), 0.5),
      putP99Ms: percentile(times(true), 0.99),
      getP50Ms: percentile(times(false), 0.5),
      getP99Ms: percentile(times(false), 0.99),
      errors: this.errors,
    };
  }

  private async run(client: number): Promise<void> {
    const { nodes } = this.cluster;
    for (let turn = client; !this.isStopped; turn++) {
      await this.one(nodes.ids[turn % nodes.ids.length] ?? '', Math.floor(turn / nodes.ids.length) % 2 === 0);
      await new Promise((resolve) => setTimeout(resolve, THINK_MS));
    }
  }

  private async one(id: string, isPut: boolean): Promise<void> {
    const path = pathOf(Math.floor(Math.random() * FOREGROUND_KEYS));
    const { client } = this.cluster;
    const sentMs = performance.now();
    const { status } = isPut
      ? await client.ask(id, 'PUT', `${path}?w=2`, this.value)
      : await client.ask(id, 'GET', `${path}?r=2`);
    const endMs = performance.now();
    this.samples.push({ endMs, tookMs: endMs - sentMs, isPut });
    if (!(isPut ? [204] : [200, 300]).includes(status)) this.errors++;
  }
}

const pathOf = (i: number): string => `/v1/kv/foreground/key-${i}`;

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
}

const round = (value: number): number => Math.round(value * 10) / 10;
