import type { ClusterConfig } from '../../src/config/cluster-config.ts';
import { VOTERS_MAX } from '../../src/core/cluster/metadata-configuration.ts';
import type { NodeId } from '../../src/core/ids.ts';
import type { MetadataLogLimits } from '../../src/membership/metadata-log-limits.ts';
import { createNode, type Node } from '../../src/node.ts';
import type { Logger, Store } from '../../src/ports.ts';
import type { ExchangeLimits } from '../../src/repair/exchange-limits.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Hashes } from '../../src/system/hash.ts';
import { tokenMacs } from '../../src/system/token-mac.ts';
import { mix, roll } from './chance.ts';
import { NodeLife } from './node-life.ts';
import { ObservedStore, type StoreObserver } from './observed-store.ts';
import { type ClockError, simulatedClock } from './simulated-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import type { SimulatedNetwork } from './simulated-network.ts';
import type { World } from './world.ts';

export interface MachineOptions {
  readonly world: World;
  readonly network: SimulatedNetwork;
  readonly config: ClusterConfig;
  readonly hashes: Hashes;
  readonly id: NodeId;
  readonly index: number;
  readonly clock: ClockError;
  readonly metadataLog: MetadataLogLimits | undefined;
  readonly exchange: ExchangeLimits | undefined;
  readonly digestBytes: number | undefined;
  readonly retirementMs: number | undefined;
  readonly antiEntropy: boolean | undefined;
  readonly observer: MachineObserver;
}

export interface MachineObserver extends StoreObserver {
  log(id: NodeId, level: string, message: string, fields: object): void;
  /** The process has ended by itself. */
  died(id: NodeId, error: Error): void;
  /** For the tally. */
  noted(what: string): void;
}

const STORE_LIMITS = { checkpointBytes: 4000, checkpointDelayMs: 200, batchEntries: 8, spareSegments: 1 };

/** A machine with its disk and clock, and the process that runs on it, if one does. */
export class Machine {
  readonly id: NodeId;
  readonly index: number;
  readonly disk: SimulatedDisk;
  readonly clock: ClockError;
  private readonly options: MachineOptions;
  private life: NodeLife | undefined;
  private lives = 0;
  private current: { readonly node: Node; readonly store: Store } | undefined;
  private lostFolder = false;
  /** How often its folder was lost. */
  losses = 0;
  /** Raft ids under which this machine has made promises that its disk has forgotten. */
  readonly forsworn = new Set<number>();
  /** Down on purpose until the fault is over. */
  isHeldDown = false;
  diedOf: Error | undefined;

  constructor(options: MachineOptions) {
    this.options = options;
    this.id = options.id;
    this.index = options.index;
    this.clock = options.clock;
    this.disk = new SimulatedDisk(options.world, options.index, (what) => options.observer.noted(what));
  }

  /** Undefined while no process runs, or it has not opened its store yet. */
  get node(): Node | undefined {
    return this.current?.node;
  }

  get store(): Store | undefined {
    return this.current?.store;
  }

  /** Its folder was emptied or an older copy put back, and it is not yet what it was before: with all data, and its vote. */
  get isLost(): boolean {
    if (this.lostFolder && this.isRestored) this.lostFolder = false;
    return this.lostFolder;
  }

  /** When its processes began. */
  readonly startedMs: number[] = [];

  loseFolder(): void {
    this.losses++;
    this.lostFolder = true;
  }

  private get isRestored(): boolean {
    const { standing, metadata, view } = this.current?.node.membership ?? {};
    if (standing?.isWhole !== true || metadata === undefined || view === undefined) return false;
    const { voters, learners } = view.state.metadata;
    const member = view.member(this.id);
    return (
      member !== undefined &&
      metadata.id === member.raft &&
      (this.index < VOTERS_MAX ? voters : learners).includes(member.raft)
    );
  }

  get isRunning(): boolean {
    return this.life !== undefined;
  }

  /** Which life of the process this is, or was the last. */
  get lifeNumber(): number {
    return this.lives;
  }

  get isPaused(): boolean {
    return this.life?.isPaused ?? false;
  }

  /** Whether this node serves, and knows that the other one does. */
  sees(other: Machine): boolean {
    const membership = this.current?.node.membership;
    if (membership?.standing.actor === undefined) return false;
    return other === this || membership.detector.mayCoordinate(other.id, this.options.world.nowMs * this.clock.rate);
  }

  start(): void {
    if (this.life !== undefined) return;
    const life = new NodeLife();
    this.life = life;
    this.lives++;
    this.startedMs.push(this.options.world.nowMs);
    this.diedOf = undefined;
    this.run(life).catch((error: unknown) => this.die(life, error));
  }

  pause(): void {
    this.life?.pause();
  }

  resume(): void {
    this.life?.resume();
  }

  /** `silently`: no peer is told by its system. */
  crash(power: boolean, silently: boolean): void {
    if (this.life === undefined) return;
    this.end(silently);
    if (power) this.disk.powerCut();
    else this.disk.processEnded();
  }

  private async run(life: NodeLife): Promise<void> {
    const { world, network, config, hashes, observer } = this.options;
    const clock = simulatedClock(world, this.clock, life);
    const logger = this.logger();
    const failed = (error: Error) => this.die(life, error);
    const { checksum32, hash64 } = hashes;
    const engine = await openStore({
      ...this.disk.devices(life),
      clock,
      logger,
      checksum32,
      failed,
      limits: STORE_LIMITS,
    });
    if (life.isOver) return;
    const store = new ObservedStore(engine, observer, () => node.membership.standing.actor);
    const node: Node = createNode(config, this.id, {
      ...{ clock, logger, store, hash64, checksum32, tokenMacs },
      random: this.random(),
      transport: network.transport(this.id, life),
      onFatal: failed,
      digestBytes: this.options.digestBytes,
      retirementMs: this.options.retirementMs,
      antiEntropy: this.options.antiEntropy,
      ...(this.options.metadataLog && { metadataLog: this.options.metadataLog }),
      ...(this.options.exchange && { exchange: this.options.exchange }),
    });
    this.current = { node, store };
    await node.start();
  }

  private die(life: NodeLife, error: unknown): void {
    if (life.isOver || life !== this.life) return;
    this.diedOf = error instanceof Error ? error : new Error(String(error));
    this.end(false);
    this.disk.processEnded();
    this.options.observer.died(this.id, this.diedOf);
  }

  private end(silently: boolean): void {
    this.life?.end();
    this.life = undefined;
    this.current = undefined;
    this.options.network.ended(this.id, silently);
  }

  private logger(): Logger {
    const log = (level: string) => (fields: object, message: string) => {
      this.options.observer.log(this.id, level, message, fields);
    };
    return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  }

  private random() {
    const seed = mix(this.options.world.seed, mix(this.index, this.lives));
    let drawn = 0;
    const next = (): number => roll(seed, drawn++);
    return { next, bytes: (length: number) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
  }
}
