import type { ClusterConfig } from '../../src/config/cluster-config.ts';
import { formatDot } from '../../src/core/causality/dot.ts';
import { decodeVersion } from '../../src/core/causality/version.ts';
import type { ClusterState } from '../../src/core/cluster/cluster-state.ts';
import { type NodeId, nodeId, type Partition } from '../../src/core/ids.ts';
import { InvariantViolation } from '../../src/core/invariant.ts';
import { HEDGE_MS_MAX } from '../../src/core/quorum/hedge-delay.ts';
import type { Hashes } from '../../src/system/hash.ts';
import { watchContents } from './checkers/contents.ts';
import { divergence } from './checkers/convergence.ts';
import { undelivered } from './checkers/hints.ts';
import { watchLostFolders } from './checkers/lost-folders.ts';
import { RaftWatch } from './checkers/raft-watch.ts';
import { remains } from './checkers/remains.ts';
import { REST_MS, RepairsAtRest } from './checkers/repairs-at-rest.ts';
import { Clients } from './clients.ts';
import { Faults } from './faults.ts';
import { History } from './history.ts';
import { LABEL } from './labels.ts';
import { Machine } from './machine.ts';
import { isRequest, messageKind } from './message-kind.ts';
import { Moments } from './moments.ts';
import type { Minted } from './observed-store.ts';
import type { ClusterShape, Plan } from './plan.ts';
import { RetirementWatch } from './retirement-watch.ts';
import { type Fate, SimulatedNetwork } from './simulated-network.ts';
import type { Tally } from './tally.ts';
import type { Trace } from './trace.ts';
import { World } from './world.ts';

/** Something that must not be. `checker` names who found it. */
export interface Violation {
  readonly checker: string;
  readonly what: string;
}

/** The first start of a cluster, and its recovery once all faults are over, must not take longer: election, grants, first contact. */
const START_MS = 30_000;
export const RECOVERY_MS = 30_000;
/** What is under way when the last request has ended is over by then: its time-outs and back-offs are shorter. */
const SETTLE_MS = 5000;
/** Requests are given 3 s at most, and clocks may be slow. */
const REQUEST_MS_MAX = 3500;
/** Hints have reached owners that are back by then: back-offs are shorter. */
const DELIVERY_MS = 20_000;
const RESTART_MS = 300;
/** Several rounds of exchanges between all owners. */
const CONVERGENCE_MS = 20_000;
const CONVERGENCE_LOOK_MS = 250;

/** A whole cluster in one process on virtual time: brought up, troubled, healed and brought to rest as its plan says. */
export class Simulation {
  readonly plan: Plan;
  readonly world: World;
  readonly network: SimulatedNetwork;
  readonly machines: readonly Machine[];
  readonly history = new History();
  readonly raft = new RaftWatch();
  readonly retirements = new RetirementWatch();
  readonly violations: Violation[] = [];
  readonly tally: Tally;
  readonly clients: Clients;
  readonly config: ClusterConfig;
  readonly faults: Faults;
  readonly moments: Moments;
  private readonly trace: Trace | undefined;
  private isHealed = false;
  private readyMs = 0;
  /** Once it was created. */
  clusterState: ClusterState | undefined;

  constructor(plan: Plan, hashes: Hashes, tally: Tally, trace?: Trace) {
    this.plan = plan;
    this.tally = tally;
    this.trace = trace;
    this.world = new World(plan.seed);
    this.moments = new Moments(this.world);
    this.config = configOf(plan.shape);
    this.network = new SimulatedNetwork(this.world, {
      message: (from, to, bytes, fate, delayMs) => {
        this.noteMessage(bytes, fate);
        trace?.message(this.world.nowMs, from, to, bytes, fate, delayMs);
        this.moments.happened({ kind: 'sent', from });
      },
    });
    this.machines = this.config.nodes.map(
      ({ id }, index) =>
        new Machine({
          ...{ world: this.world, network: this.network, config: this.config, hashes, id, index },
          metadataLog: plan.shape.metadataLog,
          exchange: plan.shape.exchange,
          digestBytes: plan.shape.digestBytes,
          retirementMs: plan.shape.retirementMs,
          antiEntropy: plan.shape.antiEntropy,
          clock: { ...(plan.shape.clocks[index] ?? { rate: 1, offsetMs: 0 }) },
          observer: {
            minted: (event) => this.minted(event),
            unreadable: (error) => this.unreadable(error),
            log: (id, level, message, fields) => this.logged(id, level, message, fields),
            died: (id, error) => this.died(id, error),
            noted: (what) => tally.note(what),
          },
        }),
    );
    this.clients = new Clients(this);
    this.faults = new Faults(this);
    this.world.afterEvent = () => {
      this.watchRaft();
      watchLostFolders(this);
      this.retirements.look(this);
    };
  }

  machine(index: number): Machine {
    const machine = this.machines[index];
    if (machine === undefined) throw new Error(`no machine ${index}`);
    return machine;
  }

  /** Ms since the cluster was first ready: the plan's time. */
  get sinceReadyMs(): number {
    return this.world.nowMs - this.readyMs;
  }

  owns(id: NodeId, partition: Partition): boolean {
    const number = this.clusterState?.members.find((member) => member.id === id)?.number;
    return number !== undefined && this.clusterState?.ownership[partition]?.owners.includes(number) === true;
  }

  violated(checker: string, what: string): void {
    this.violations.push({ checker, what });
    this.say('violation', `${checker}: ${what}`);
  }

  /** What a checker or an observer cannot even read, nobody should have written. */
  unreadable(error: unknown): void {
    this.violated('unreadable', textOf(error));
  }

  /** The text is made only where there is a trace. */
  say(who: string, text: string | (() => string)): void {
    this.trace?.say(this.world.nowMs, who, typeof text === 'string' ? text : text());
  }

  /**
   * The whole run. What is checked while it goes on is found in `violations`; the rest is for the checkers. `atRest` is called when
   * the last request has ended and all faults are over, before the probes write to every key and so wipe off traces.
   */
  async run(atRest: () => void): Promise<void> {
    try {
      await this.play(atRest);
    } catch (error) {
      this.unreadable(error);
    }
  }

  private async play(atRest: () => void): Promise<void> {
    for (const machine of this.machines) machine.start();
    if (!(await this.until(START_MS, () => this.allServe())))
      return this.violated('liveness', `not ready ${START_MS} ms after the first start: ${this.missing()}`);
    this.clusterState = this.machine(0).node?.membership.view?.state;
    this.readyMs = this.world.nowMs;
    for (const operation of this.plan.operations) {
      this.world.schedule(operation.atMs, LABEL.operation, () => this.clients.run(operation));
    }
    for (const fault of this.plan.faults) this.world.schedule(fault.atMs, LABEL.fault, () => this.faults.strike(fault));
    await this.until(this.plan.healMs, () => false);
    this.heal();
    if (!(await this.until(RECOVERY_MS, () => this.allServe())))
      this.violated('liveness', `not ready ${RECOVERY_MS} ms after healing: ${this.missing()}`);
    await this.until(REQUEST_MS_MAX, () => false);
    await this.converge();
    if (this.violations.length === 0) atRest();
    this.clients.probe();
    await this.until(this.clients.longestMs + SETTLE_MS, () => false);
    // A request that the network had kept for so long may have come a moment ago; what it started must end as well.
    await this.until(REQUEST_MS_MAX, () => this.isQuiet());
    for (const { node } of this.machines) {
      this.noteRepairs(node?.readRepairs.stats());
      this.tally.note('contents were compared', node?.contents.counts.compared ?? 0);
      if (node !== undefined && node.hedge.delayMs < HEDGE_MS_MAX) this.tally.note('a hedging delay was learned');
    }
    await this.until(this.network.lateUntilMs + SETTLE_MS - this.world.nowMs, () => false);
    await this.until(DELIVERY_MS, () => undelivered(this).length === 0);
    await this.until(REQUEST_MS_MAX, () => this.isQuiet());
    await this.converge();
    await this.rest();
    if (this.raft.leaders > 1) this.tally.note('the metadata group changed its leader');
  }

  /** Runs on for at most `ms`; whether the condition held in time. A violation ends it. */
  private async until(ms: number, condition: () => boolean): Promise<boolean> {
    const isOver = () => this.violations.length > 0 || condition();
    try {
      await this.world.run(this.world.nowMs + ms, isOver);
    } catch (error) {
      this.violated('crash', textOf(error));
    }
    return this.violations.length > 0 || condition();
  }

  private watchRaft(): void {
    try {
      this.raft.look(this.machines);
    } catch (error) {
      this.violated('raft', error instanceof Error ? error.message : String(error));
    }
  }

  private heal(): void {
    this.isHealed = true;
    this.say('world', 'heals');
    for (const { node } of this.machines)
      this.tally.note('contents were compared among requests and faults', node?.contents.counts.compared ?? 0);
    this.faults.end();
    for (const machine of this.machines) {
      machine.resume();
      // Its next start looks through all that is stored; this one may never come across it.
      if (this.faults.rotting.isUnder(machine)) machine.crash(false, false);
      machine.isHeldDown = false;
      machine.start();
    }
  }

  /** Every node serves, with all of its data, and is seen to by all others. */
  private allServe(): boolean {
    const { machines } = this;
    return machines.every((machine) => !machine.isLost && machines.every((other) => machine.sees(other)));
  }

  /** All replicas must become equal by themselves, with nobody asking for anything; and hints must be gone, of which `hints` judges. */
  private async converge(): Promise<void> {
    const endMs = this.world.nowMs + CONVERGENCE_MS;
    while (this.isSettling() && this.world.nowMs < endMs && this.violations.length === 0) {
      await this.until(CONVERGENCE_LOOK_MS, () => false);
    }
    if (this.violations.length > 0) return;
    const after = `${CONVERGENCE_MS} ms after the last request`;
    const damage = this.faults.rotting.remaining();
    if (damage !== undefined) return this.violated('damage', `${after}: ${damage}`);
    const difference = divergence(this);
    const left = this.remains();
    if (difference !== undefined) this.violated('convergence', `${after}: ${difference}`);
    else if (left !== undefined) this.violated('remains', `${after}: ${left}`);
  }

  private isSettling(): boolean {
    // What is damaged cannot be compared.
    if (this.faults.rotting.remaining() !== undefined) return true;
    return divergence(this) !== undefined || undelivered(this).length > 0 || this.remains() !== undefined;
  }

  /** What waits for a clock to grow is looked through in the rounds of exchanges. */
  private remains(): string | undefined {
    return this.plan.shape.antiEntropy === false ? undefined : remains(this);
  }

  private async rest(): Promise<void> {
    if (this.violations.length > 0) return;
    const repairs = new RepairsAtRest(this);
    this.clients.lookAgain();
    await this.until(REST_MS, () => false);
    await this.until(REQUEST_MS_MAX, () => this.isQuiet());
    if (this.violations.length === 0) repairs.check();
  }

  private isQuiet(): boolean {
    return this.machines.every(({ node }) => node === undefined || node.calls.stats().pending === 0);
  }

  private missing(): string {
    return this.machines
      .map((machine) => {
        const unseen = this.machines.filter((other) => !machine.sees(other)).map(({ id }) => id);
        const why = machine.isRunning
          ? (machine.node?.api.notReady() ?? (machine.isLost ? 'catching up, or without its vote' : ''))
          : (machine.diedOf?.message ?? 'not running');
        return unseen.length === 0 && !machine.isLost
          ? ''
          : `${machine.id} does not see ${unseen.join(', ')} serve (${why})`;
      })
      .filter((text) => text !== '')
      .join('; ');
  }

  private noteMessage(bytes: Uint8Array, fate: Fate): void {
    if (fate !== 'delivered') this.tally.note(`message ${fate}`);
    if (isRequest(bytes) && messageKind(bytes)?.method === 'write') this.tally.note(`a forwarded write was ${fate}`);
  }

  private noteRepairs(stats = { sent: 0, failed: 0, writtenBack: 0 }): void {
    this.tally.note('read repairs', stats.sent);
    this.tally.note('read repairs that failed', stats.failed);
    this.tally.note('write-backs of reads', stats.writtenBack);
  }

  private minted(event: Minted): void {
    if (event.asFallback) this.tally.note('a fallback coordinated a write');
    if (event.replaced.length > 1) this.tally.note('a write replaced several siblings');
    const value = event.version === undefined ? undefined : Buffer.from(decodeVersion(event.version).value).toString();
    const operation = value === undefined ? undefined : Number(value);
    this.history.minted({ ...event, atMs: this.world.nowMs, name: formatDot(event.dot), operation });
  }

  private logged(id: NodeId, level: string, message: string, fields: object): void {
    this.tally.note(`log: ${message}`);
    watchContents(this, id, message, fields);
    if ('reason' in fields && String(fields.reason).endsWith(' has ended'))
      this.tally.note('a write of an ended actor was refused');
    this.trace?.log(this.world.nowMs, id, level, message, fields);
  }

  private died(id: NodeId, error: Error): void {
    const machine = this.machines.find((candidate) => candidate.id === id);
    this.say(id, `died: ${error.message}`);
    if (machine === undefined) return;
    if (error instanceof InvariantViolation)
      return this.violated('invariant', `${id}: ${error.stack ?? error.message}`);
    if (!this.faults.hasTroubledDisk(machine))
      return this.violated('crash', `${id} died without a cause: ${error.stack ?? error.message}`);
    this.tally.note('died of its disk');
    this.world.schedule(RESTART_MS, LABEL.fault, () => {
      if (!machine.isHeldDown) machine.start();
    });
  }

  get healed(): boolean {
    return this.isHealed;
  }
}

export function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function configOf(shape: ClusterShape): ClusterConfig {
  const nodes = Array.from({ length: shape.nodes }, (_, i) => ({
    id: nodeId(`n${i + 1}`),
    zone: `z${i % shape.zones}`,
    weight: 1,
    host: '127.0.0.1',
    http: 8081 + i,
    rpc: 9081 + i,
    data: `/data/n${i + 1}`,
    bind: '127.0.0.1',
  }));
  return {
    cluster: 'simulated',
    partitions: shape.partitions,
    replication: { n: shape.n, r: 'quorum', w: 'quorum' },
    durability: shape.durability,
    nodes,
    limits: {
      valueBytes: 4096,
      siblings: shape.siblings,
      objectBytes: 1 << 20,
      requests: 1000,
      bodyBytes: 1 << 24,
      peerQueueBytes: 1 << 24,
      peerRequests: 1000,
      memtableBytes: 1 << 20,
      hintBytes: shape.hintBytes ?? 1 << 20,
    },
    timeouts: { requestMs: 2000, drainMs: 1000 },
    insecure: false,
  };
}
