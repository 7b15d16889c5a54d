/**
 * Five real nodes, n=3, under clients that keep a ledger, while nodes are killed and frozen and the links between them cut. In the
 * end all is healed, and the cluster is judged by the ledger.
 *
 * `node dist/test/cluster/fault-run.js [--minutes 5] [--seed N] [--keep]`: prints what it does and one line of figures; exits 1 when
 * something is wrong. The seed fixes which faults come in which order and what clients ask for, not how the processes interleave.
 * `--keep`: leaves folder and logs behind.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Dice } from '../simulator/chance.ts';
import { agreement, Inspection } from './faults/agreement.ts';
import { checkKey, type Violation } from './faults/check-ledger.ts';
import { type KeyHistory, Ledger } from './faults/ledger.ts';
import { Nemesis, PACES } from './faults/nemesis.ts';
import { StoreClient } from './faults/store-client.ts';
import { RealCluster } from './real-cluster.ts';

const NODES = 5;
const CLIENTS = 12;
const AGREEMENT_MS = 10_000;
const SHOWN_VIOLATIONS = 20;

export interface FaultRunOptions {
  readonly seed: number;
  /** The faults go on for so long, and until every kind has been there once. */
  readonly faultsMs: number;
  /** Left out: `steady`. */
  readonly pace?: keyof typeof PACES;
  readonly say?: (text: string) => void;
  readonly keep?: boolean;
}

export interface FaultReport {
  readonly seed: number;
  /** `kind outcome` and how many. */
  readonly operations: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly keys: number;
  /** From the last heal and the last answer to a client until all nodes say that they agree. */
  readonly agreementS: number;
  readonly violations: readonly Violation[];
  /** What should not have happened besides: odd answers, errors in logs, nodes that ended by themselves. */
  readonly surprises: readonly string[];
}

export async function runFaults(options: FaultRunOptions): Promise<FaultReport> {
  const cluster = await RealCluster.create({ nodes: NODES, n: 3, isProxied: true });
  try {
    await cluster.start();
    return await new FaultRun(cluster, options).run();
  } finally {
    if (options.keep === true) keepLogs(cluster);
    await cluster.remove(options.keep);
  }
}

class FaultRun {
  private readonly cluster: RealCluster;
  private readonly options: FaultRunOptions;
  private readonly say: (text: string) => void;
  private readonly ledger = new Ledger();
  private readonly surprises: string[] = [];

  constructor(cluster: RealCluster, options: FaultRunOptions) {
    const { say = () => undefined } = options;
    this.cluster = cluster;
    this.options = options;
    const startMs = performance.now();
    this.say = (text) => say(`${((performance.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  }

  async run(): Promise<FaultReport> {
    const { cluster, ledger } = this;
    const { seed, faultsMs, pace = 'steady' } = this.options;
    const nemesis = new Nemesis(cluster, new Dice(seed), PACES[pace], this.say);
    let isOver = false;
    const clients = this.clients().map((client) => client.run(() => isOver));
    try {
      await nemesis.run(performance.now() + faultsMs);
    } finally {
      isOver = true;
      await Promise.all(clients);
    }
    const healedMs = performance.now();
    this.say('all is healed, the clients have stopped');
    await agreement(cluster, AGREEMENT_MS);
    const agreementS = Math.round(performance.now() - healedMs) / 1000;
    this.say(`all nodes say that they agree, after ${agreementS} s`);
    const histories = ledger.histories();
    const violations = await this.judge(histories, healedMs + AGREEMENT_MS);
    for (const id of cluster.ids) this.noteErrors(id);
    return {
      seed,
      operations: Object.fromEntries([...ledger.totals].sort()),
      faults: Object.fromEntries([...nemesis.totals].sort()),
      keys: histories.length,
      agreementS,
      violations,
      surprises: this.surprises,
    };
  }

  private clients(): readonly StoreClient[] {
    const { cluster, ledger, surprises } = this;
    const { seed } = this.options;
    const surprised = (text: string): void => void surprises.push(text);
    return Array.from(
      { length: CLIENTS },
      (_, i) => new StoreClient(`c${i + 1}`, { cluster, ledger, dice: new Dice(seed * CLIENTS + i + 1), surprised }),
    );
  }

  private async judge(histories: readonly KeyHistory[], agreedMs: number): Promise<readonly Violation[]> {
    const inspection = new Inspection(this.cluster);
    const keys = histories.map(({ key }) => key);
    const copies = await inspection.ownCopies(keys, agreedMs);
    this.say(`${keys.length} keys were read from every owner`);
    const answers = await inspection.throughNodes(keys);
    this.say('and through the nodes');
    inspection.close();
    const violations: Violation[] = [];
    for (const history of histories) {
      const found = checkKey(history, [...(copies.get(history.key) ?? []), ...(answers.get(history.key) ?? [])]);
      violations.push(...found);
      if (found.length > 0 && violations.length <= SHOWN_VIOLATIONS) this.tell(history, found);
    }
    return violations;
  }

  /** A violation with all that was asked of its key: the one thing that helps to understand it. */
  private tell({ key, writes, reads }: KeyHistory, found: readonly Violation[]): void {
    for (const { kind, text } of found) this.say(`VIOLATION ${kind} ${key}: ${text}`);
    const requests = [...writes, ...reads].sort((a, b) => a.startMs - b.startMs);
    for (const request of requests.slice(-200)) this.say(`    ${JSON.stringify(request)}`);
  }

  /** Only faults end nodes, and what a node calls an error must not happen. */
  private noteErrors(id: string): void {
    const lives = this.cluster.livesOf(id);
    for (const [i, life] of lives.entries()) {
      const wasKilled = life.child.signalCode === 'SIGKILL' && i < lives.length - 1;
      if (!life.isRunning && !wasKilled) this.surprises.push(`${id} has ended by itself: ${life.stderr.slice(-1000)}`);
      const errors = life.stderr.split('\n').filter((line) => !line.startsWith('{') || /"level":"error"/.test(line));
      this.surprises.push(...errors.filter((line) => line !== '').map((line) => `${id} logged ${line}`));
    }
  }
}

/** What a node has said in all its lives. */
function logOf(cluster: RealCluster, id: string): string {
  return cluster
    .livesOf(id)
    .map(({ stderr }) => stderr)
    .join('--- the next life ---\n');
}

function keepLogs(cluster: RealCluster): void {
  for (const id of cluster.ids) writeFileSync(join(cluster.folder, `${id}.log`), logOf(cluster, id));
  process.stdout.write(`kept: ${cluster.folder}\n`);
}

/** `total lost 0, back 0, ...`: what a run came to, in one line. */
function summary({ seed, operations, faults, keys, agreementS, violations, surprises }: FaultReport): string {
  const sum = (counts: Readonly<Record<string, number>>, part: string): number =>
    Object.entries(counts).reduce((total, [what, count]) => (what.includes(part) ? total + count : total), 0);
  const found = (kind: Violation['kind']): string =>
    `${kind} ${violations.filter((violation) => violation.kind === kind).length}`;
  return [
    `seed ${seed}: ${sum(operations, '')} operations on ${keys} keys`,
    `writes acknowledged ${sum(operations, ' acknowledged')}, unknown ${sum(operations, ' unknown')}, refused ${sum(operations, ' refused')}`,
    `reads answered ${sum(operations, 'get answered')}, failed ${sum(operations, 'get failed')}`,
    `faults ${sum(faults, '')}`,
    (['lost', 'back', 'invented', 'stale', 'disagreement'] as const).map(found).join(', '),
    `surprises ${surprises.length}`,
    `agreement after ${agreementS} s`,
  ].join('; ');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string' }, seed: { type: 'string' }, keep: { type: 'boolean' } },
  });
  const { minutes = '1', seed = String(Math.floor(Math.random() * 1e6)), keep = false } = values;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const report = await runFaults({ seed: Number(seed), faultsMs: Number(minutes) * 60_000, say, keep });
  for (const surprise of new Set(report.surprises)) say(`surprise: ${surprise}`);
  const { violations, surprises, ...figures } = report;
  say(JSON.stringify(figures, null, 2));
  say(summary(report));
  process.exitCode = violations.length + surprises.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
