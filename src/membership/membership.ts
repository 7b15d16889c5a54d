import type { ClusterConfig } from '../config/cluster-config.ts';
import type {
  BucketProperties,
  ClusterSettings,
  ClusterState,
  CommandResult,
  Member,
} from '../core/cluster/cluster-state.ts';
import type { Command, RetireCommand } from '../core/cluster/command.ts';
import type { NodeId, Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Clock, Logger, Random, Store } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import type { NoticeHandler, RequestHandler } from '../rpc/incoming.ts';
import { CatchUp } from './catch-up.ts';
import { ClusterView } from './cluster-view.ts';
import { FailureDetector } from './failure-detector.ts';
import type { Granted } from './grant.ts';
import { Heartbeats } from './heartbeats.ts';
import type { MetadataGroup } from './metadata-group.ts';
import type { MetadataLogLimits } from './metadata-log-limits.ts';
import { MetadataPlace } from './metadata-place.ts';
import { Standing } from './standing.ts';

export interface MembershipOptions {
  readonly self: NodeId;
  readonly config: ClusterConfig;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onFatal: (error: Error) => void;
  /** Looks through what an older folder has, under a grant that is not in force yet. Errors: storage-failed. */
  readonly examine: (state: ClusterState) => Promise<void>;
  /** Left out: as for a cluster whose metadata changes now and then. */
  readonly metadataLog?: MetadataLogLimits | undefined;
}

/** How long reads wait for a metadata leader before a folder that is not empty answers them provisionally. */
const PROVISIONAL_AFTER_MS = 5000;
const PROVISIONAL_AGAIN_MS = 500;

/**
 * This node's part in the cluster: what it knows of it (view), what it may do in it (standing), whom it sees (detector), and its
 * voice in the metadata group.
 */
export class Membership {
  readonly detector = new FailureDetector();
  readonly catchUp: CatchUp;
  readonly standing: Standing;
  private readonly options: MembershipOptions;
  private readonly place: MetadataPlace;
  private heartbeats: Heartbeats | undefined;
  private start: string | undefined;
  private proposals = 0;
  private isStopped = false;
  private isDraining = false;
  private current: ClusterView | undefined;

  constructor(options: MembershipOptions) {
    this.options = options;
    this.catchUp = new CatchUp(options.store);
    this.standing = new Standing(this.catchUp);
    this.place = new MetadataPlace({
      ...options,
      catchUp: this.catchUp,
      metadataLog: options.metadataLog,
      onState: (state) => this.onState(state),
      onGrant: (granted) => this.onGrant(granted),
      onRenewed: () => this.onRenewed(),
    });
  }

  get logger(): Logger {
    return this.options.logger;
  }

  get view(): ClusterView | undefined {
    return this.current;
  }

  get leader(): NodeId | undefined {
    return this.place.group?.leader;
  }

  /** This node's voice in the metadata group; undefined until it takes part. */
  get metadata(): MetadataGroup | undefined {
    return this.place.group;
  }

  get raftMetrics(): MetadataGroup['metrics'] | undefined {
    return this.place.group?.metrics;
  }

  /** Before anything is sent: the folder must be this node's. Errors: FatalError (2). */
  claimStore(): Promise<void> {
    return this.place.claimStore();
  }

  get requests(): ReadonlyMap<number, RequestHandler> {
    return this.place.requests;
  }

  readonly notices: ReadonlyMap<number, NoticeHandler> = new Map<number, NoticeHandler>([
    [METHOD.raft, (from, body) => this.place.group?.received(from, body)],
    [METHOD.heartbeat, (from, body) => this.heartbeats?.received(from, body)],
  ]);

  connected(peer: NodeId): void {
    this.detector.connected(peer);
    this.heartbeats?.beat();
  }

  disconnected(peer: NodeId): void {
    this.detector.disconnected(peer, this.options.clock.monotonicMs());
    this.place.group?.disconnected(peer);
  }

  /** Resolves when this node may coordinate writes. Errors: FatalError when it may not take part. */
  async join(calls: Calls): Promise<void> {
    const { clock, random, self, config } = this.options;
    this.heartbeats = new Heartbeats({
      calls,
      clock,
      random,
      detector: this.detector,
      peers: () => config.nodes.map(({ id }) => id).filter((id) => id !== self),
      isServing: () => this.current !== undefined,
      mayCoordinate: () => this.standing.isWhole && !this.isDraining,
    });
    this.heartbeats.start();
    clock.after(PROVISIONAL_AFTER_MS, () => this.readProvisionally());
    await this.place.take(calls);
  }

  /** Brings this node's view up to date with the metadata group; false when there is no leader in time. */
  refresh(timeoutMs: number): Promise<boolean> {
    return this.place.group?.refresh(timeoutMs) ?? Promise.resolve(false);
  }

  putBucket(bucket: string, properties: BucketProperties, timeoutMs: number): Promise<void> {
    return this.propose((origin) => ({ kind: 'bucket', origin, bucket, properties }), timeoutMs);
  }

  putSettings(settings: Partial<ClusterSettings>, timeoutMs: number): Promise<void> {
    return this.propose((origin) => ({ kind: 'settings', origin, settings }), timeoutMs);
  }

  /**
   * This process has lost what it had written: the partition is caught up with before it is served again, and writes go under a new
   * grant from then on (H1, rule C8).
   */
  forgot(partition: Partition): void {
    if (this.catchUp.isOpen(partition)) return;
    this.logger.error(
      { partition },
      'a write of this process is known to others and not here: the partition catches up',
    );
    this.catchUp.lose(partition);
    this.standing.doubt();
    this.heartbeats?.beat();
    this.place.regrant().catch(this.options.onFatal);
  }

  /** Errors: no-leader, conflict (the owners agreed on what is no longer so). */
  retire(retirement: Omit<RetireCommand, 'kind' | 'origin'>, timeoutMs: number): Promise<void> {
    return this.propose((origin) => ({ kind: 'retire', origin, ...retirement }), timeoutMs);
  }

  /** The other owners that the partition waits for (rule C8). An excepted one is waited for while it can be reached after all. */
  waitsFor(view: ClusterView, partition: Partition): readonly Member[] {
    const { self, clock } = this.options;
    const nowMs = clock.monotonicMs();
    return view.ownersOf(partition).filter(({ id, number }) => {
      if (id === self || this.catchUp.hasExchanged(partition, number)) return false;
      return !this.catchUp.excepted.includes(number) || this.detector.isUp(id, nowMs);
    });
  }

  /** Other nodes no longer choose this one to coordinate. */
  drain(): void {
    this.isDraining = true;
    this.heartbeats?.beat();
  }

  stop(): void {
    this.isStopped = true;
    this.heartbeats?.stop();
    this.place.stop();
  }

  private async propose(
    command: (origin: { member: NodeId; start: string; sequence: number }) => Command,
    timeoutMs: number,
  ): Promise<void> {
    const { group } = this.place;
    if (group === undefined || this.start === undefined) {
      throw new StoreError('no-leader', 'this node has no grant of the metadata group yet', {
        retryable: true,
        retryAfterS: 1,
      });
    }
    const sequence = ++this.proposals;
    const result = await group.propose(command({ member: this.options.self, start: this.start, sequence }), timeoutMs);
    if (result.kind === 'refused') throw refusalError(result);
  }

  private onGrant({ start, actor }: Granted): void {
    this.start = start;
    this.standing.grant(actor);
    this.heartbeats?.beat();
  }

  private onRenewed(): void {
    this.catchUp.reload();
    this.standing.revoke();
    this.heartbeats?.beat();
  }

  private onState(state: ClusterState): void {
    // Who has taken another place hears everything from the beginning: what is known already stays until that is reached.
    if (this.current !== undefined && state.epoch < this.current.epoch) return;
    if (this.current?.epoch !== state.epoch) {
      this.options.logger.info({ epoch: state.epoch, members: state.members.length }, 'cluster state');
    }
    const isFirst = this.current === undefined;
    this.current = new ClusterView(state);
    if (isFirst) this.heartbeats?.beat();
  }

  private readProvisionally(): void {
    const { clock, logger } = this.options;
    if (this.standing.mayRead || this.isStopped || this.current === undefined) return;
    // A leader is there: it will tell in a moment whether this folder is the latest.
    if (this.leader !== undefined) return void clock.after(PROVISIONAL_AGAIN_MS, () => this.readProvisionally());
    logger.warn({}, 'no metadata leader: reads are answered from this data folder, be it the latest or not');
    this.standing.readProvisionally();
  }
}

function refusalError(result: Extract<CommandResult, { kind: 'refused' }>): StoreError {
  if (result.reason === 'invalid') return new StoreError('bad-body', result.detail);
  return new StoreError('conflict', result.detail, { retryable: false });
}
