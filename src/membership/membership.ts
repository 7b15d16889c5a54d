import { pack, unpack } from 'msgpackr';
import type { ClusterConfig } from '../config/cluster-config.ts';
import type { BucketProperties, ClusterSettings, ClusterState, CommandResult } from '../core/cluster/cluster-state.ts';
import type { Command, RetireCommand } from '../core/cluster/command.ts';
import { memberNumber, type NodeId } from '../core/ids.ts';
import { foundingState, joiningState, type RaftId, raftId, type StoredState } from '../core/raft/types.ts';
import { FatalError, StoreError } from '../errors.ts';
import type { Clock, Logger, Random, Store } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import type { NoticeHandler, RequestHandler } from '../rpc/incoming.ts';
import { ClusterView } from './cluster-view.ts';
import { creationCommand, fileDigest, founderNumbers } from './creation.ts';
import { FailureDetector } from './failure-detector.ts';
import { askToTakePart, type Founder, introductionHandler } from './founding.ts';
import { obtainGrant } from './grant.ts';
import { Heartbeats } from './heartbeats.ts';
import { MetadataGroup } from './metadata-group.ts';
import type { MetadataLogLimits } from './metadata-log-limits.ts';
import { RaftStorage } from './raft-storage.ts';
import { Standing } from './standing.ts';
import { claimIdentity, StartRecord, type StoreIdentity } from './store-identity.ts';

export interface MembershipOptions {
  readonly self: NodeId;
  readonly config: ClusterConfig;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onFatal: (error: Error) => void;
  /** Left out: as for a cluster whose metadata changes now and then. */
  readonly metadataLog?: MetadataLogLimits | undefined;
}

/** Up to so many members vote; the others learn. */
const VOTERS_MAX = 5;
/** How long reads wait for a metadata leader before a folder that is not empty answers them provisionally. */
const PROVISIONAL_AFTER_MS = 5000;
const PROVISIONAL_AGAIN_MS = 500;
const CATCH_UP_MS = 1000;
const FOUNDERS = 'founders';

/**
 * This node's part in the cluster: what it knows of it (view), what it may do in it (standing), whom it sees (detector), and its
 * voice in the metadata group.
 */
export class Membership {
  readonly detector = new FailureDetector();
  readonly standing = new Standing();
  private readonly options: MembershipOptions;
  private readonly introduced = new Map<NodeId, string>();
  private founders: readonly Founder[] = [];
  private calls: Calls | undefined;
  private group: MetadataGroup | undefined;
  private heartbeats: Heartbeats | undefined;
  private identity: StoreIdentity | undefined;
  private start: string | undefined;
  private proposals = 0;
  private isStopped = false;
  private isDraining = false;
  private current: ClusterView | undefined;

  constructor(options: MembershipOptions) {
    this.options = options;
  }

  get view(): ClusterView | undefined {
    return this.current;
  }

  get leader(): NodeId | undefined {
    return this.group?.leader;
  }

  /** This node's voice in the metadata group; undefined until it takes part. */
  get metadata(): MetadataGroup | undefined {
    return this.group;
  }

  get raftMetrics(): MetadataGroup['metrics'] | undefined {
    return this.group?.metrics;
  }

  /** Before anything is sent: the folder must be this node's. Errors: FatalError (2). */
  async claimStore(): Promise<void> {
    const { config, self, store, random } = this.options;
    const expected = { cluster: config.cluster, node: self, partitions: config.partitions };
    this.identity = (await claimIdentity(store, expected, random)).identity;
    const bytes = store.meta(FOUNDERS);
    this.keepFounders(bytes === undefined ? [] : unpack(bytes));
  }

  readonly requests: ReadonlyMap<number, RequestHandler> = new Map([
    [
      METHOD.introduce,
      (body, request) =>
        introductionHandler({
          introduction: this.introduction(),
          currentState: () => this.current?.state,
          catchUp: () => this.catchUp(CATCH_UP_MS),
          introduced: this.introduced,
          founders: () => this.founders,
        })(body, request),
    ],
  ]);

  readonly notices: ReadonlyMap<number, NoticeHandler> = new Map<number, NoticeHandler>([
    [METHOD.raft, (from, body) => this.group?.received(from, body)],
    [METHOD.heartbeat, (from, body) => this.heartbeats?.received(from, body)],
  ]);

  connected(peer: NodeId): void {
    this.detector.connected(peer);
    this.heartbeats?.beat();
  }

  disconnected(peer: NodeId): void {
    this.detector.disconnected(peer, this.options.clock.monotonicMs());
    this.group?.disconnected(peer);
  }

  /** Resolves when this node may coordinate writes. Errors: FatalError when it may not take part. */
  async join(calls: Calls): Promise<void> {
    this.calls = calls;
    const { clock, random, store, logger, self, config } = this.options;
    this.heartbeats = new Heartbeats({
      calls,
      clock,
      random,
      detector: this.detector,
      peers: () => config.nodes.map(({ id }) => id).filter((id) => id !== self),
      isServing: () => this.current !== undefined,
      mayCoordinate: () => this.standing.actor !== undefined && !this.isDraining,
    });
    this.heartbeats.start();
    const storage = new RaftStorage(store);
    const found = storage.load();
    const stored = found ?? (await this.takePart(storage));
    if (stored === undefined || this.isStopped) return;
    this.group = this.createGroup(storage, stored);
    this.group.start();
    if (found !== undefined) clock.after(PROVISIONAL_AFTER_MS, () => this.readProvisionally());
    const granted = await obtainGrant({
      self,
      store: this.storeId,
      addresses: this.addresses(),
      group: this.group,
      starts: new StartRecord(store),
      random,
      clock,
      logger,
      isStopped: () => this.isStopped,
    });
    if (granted === undefined) return;
    this.start = granted.start;
    this.standing.grant(granted.actor);
    this.heartbeats.beat();
  }

  /** Brings this node's view up to date with the metadata group; false when there is no leader in time. */
  catchUp(timeoutMs: number): Promise<boolean> {
    return this.group?.catchUp(timeoutMs) ?? Promise.resolve(false);
  }

  putBucket(bucket: string, properties: BucketProperties, timeoutMs: number): Promise<void> {
    return this.propose((origin) => ({ kind: 'bucket', origin, bucket, properties }), timeoutMs);
  }

  putSettings(settings: Partial<ClusterSettings>, timeoutMs: number): Promise<void> {
    return this.propose((origin) => ({ kind: 'settings', origin, settings }), timeoutMs);
  }

  /** Errors: no-leader, conflict (the owners agreed on what is no longer so). */
  retire(retirement: Omit<RetireCommand, 'kind' | 'origin'>, timeoutMs: number): Promise<void> {
    return this.propose((origin) => ({ kind: 'retire', origin, ...retirement }), timeoutMs);
  }

  /** Other nodes no longer choose this one to coordinate. */
  drain(): void {
    this.isDraining = true;
    this.heartbeats?.beat();
  }

  stop(): void {
    this.isStopped = true;
    this.heartbeats?.stop();
    this.group?.stop();
  }

  private async propose(
    command: (origin: { member: NodeId; start: string; sequence: number }) => Command,
    timeoutMs: number,
  ): Promise<void> {
    if (this.group === undefined || this.start === undefined) {
      throw new StoreError('no-leader', 'this node has no grant of the metadata group yet', {
        retryable: true,
        retryAfterS: 1,
      });
    }
    const sequence = ++this.proposals;
    const result = await this.group.propose(
      command({ member: this.options.self, start: this.start, sequence }),
      timeoutMs,
    );
    if (result.kind === 'refused') throw refusalError(result);
  }

  /** A folder without Raft state: a founder, or a member that comes late. */
  private async takePart(storage: RaftStorage): Promise<StoredState | undefined> {
    const { config, self, store, clock, logger } = this.options;
    const numbers = founderNumbers(config);
    const voters = config.nodes.slice(0, VOTERS_MAX).map(({ id }) => id);
    if (this.calls === undefined) throw new FatalError('the transport is not started');
    const admission = await askToTakePart({
      self,
      voters,
      introduction: this.introduction(),
      calls: this.calls,
      clock,
      logger,
      isStopped: () => this.isStopped,
    });
    if (admission === undefined || this.isStopped) return undefined;
    const isFounded = admission.kind === 'found';
    const founders = isFounded
      ? config.nodes.map(({ id }, i) => ({
          id,
          number: numbers[i] ?? memberNumber(i + 1),
          store: admission.stores.get(id) ?? '',
        }))
      : admission.founders;
    const ids = founders.map(({ number }) => raftId(number));
    const configuration = { voters: ids.slice(0, VOTERS_MAX), outgoing: [], learners: ids.slice(VOTERS_MAX) };
    const state = isFounded ? foundingState(configuration, new Uint8Array(0)) : joiningState();
    store.applyMeta([{ key: FOUNDERS, value: pack(founders) }]);
    await store.durable(storage.create(state), 'flush');
    this.keepFounders(founders);
    return state;
  }

  private createGroup(storage: RaftStorage, stored: StoredState): MetadataGroup {
    const { self, store, clock, random, logger, config, onFatal, metadataLog } = this.options;
    const nodes = new Map<RaftId, NodeId>(this.founders.map(({ id, number }) => [raftId(number), id]));
    const own = this.founders.find(({ id }) => id === self);
    if (own === undefined || this.calls === undefined)
      throw new FatalError(`${self} is not a member of the cluster`, 2);
    const options = {
      ...{ self, nodes, calls: this.calls, store, storage, clock, random, logger, onFatal, metadataLog },
      onState: (state: ClusterState) => this.onState(state),
      creation: () => creationCommand(config, this.founders, random),
    };
    return new MetadataGroup(options, raftId(own.number), stored);
  }

  private onState(state: ClusterState): void {
    if (this.current?.epoch !== state.epoch) {
      this.options.logger.info({ epoch: state.epoch, members: state.members.length }, 'cluster state');
    }
    const isFirst = this.current === undefined;
    this.current = new ClusterView(state);
    if (isFirst) this.heartbeats?.beat();
  }

  private readProvisionally(): void {
    const { clock, logger } = this.options;
    if (this.standing.readable || this.isStopped || this.current === undefined) return;
    // A leader is there: it will tell in a moment whether this folder is the latest.
    if (this.leader !== undefined) return void clock.after(PROVISIONAL_AGAIN_MS, () => this.readProvisionally());
    logger.warn({}, 'no metadata leader: reads are answered from this data folder, be it the latest or not');
    this.standing.readProvisionally();
  }

  private introduction() {
    return { store: this.storeId, file: fileDigest(this.options.config) };
  }

  private get storeId(): string {
    if (this.identity === undefined) throw new FatalError('the data folder was not claimed');
    return this.identity.store;
  }

  private addresses() {
    const own = this.options.config.nodes.find(({ id }) => id === this.options.self);
    if (own === undefined) throw new FatalError(`${this.options.self} is not in cluster.yaml`, 2);
    return { host: own.host, http: own.http, rpc: own.rpc };
  }

  private keepFounders(founders: readonly Founder[]): void {
    this.founders = founders;
    for (const { id, store } of founders) if (store !== '') this.introduced.set(id, store);
  }
}

function refusalError(result: Extract<CommandResult, { kind: 'refused' }>): StoreError {
  if (result.reason === 'invalid') return new StoreError('bad-body', result.detail);
  return new StoreError('conflict', result.detail, { retryable: false });
}
