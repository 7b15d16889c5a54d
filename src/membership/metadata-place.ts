import { pack, unpack } from 'msgpackr';
import type { ClusterConfig } from '../config/cluster-config.ts';
import { type ClusterState, firstRaftId } from '../core/cluster/cluster-state.ts';
import { foundingConfiguration, VOTERS_MAX } from '../core/cluster/metadata-configuration.ts';
import { memberNumber, type NodeId } from '../core/ids.ts';
import { foundingState, joiningState, type StoredState } from '../core/raft/types.ts';
import { FatalError } from '../errors.ts';
import type { Clock, Logger, Random, Store } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import type { RequestHandler } from '../rpc/incoming.ts';
import { CatchUp } from './catch-up.ts';
import { addressesOf, creationCommand, fileDigest, founderNumbers } from './creation.ts';
import { FolderWatch } from './folder-watch.ts';
import { askToTakePart, type Founder, type Introduction, introductionHandler } from './founding.ts';
import { type Granted, obtainGrant } from './grant.ts';
import { latestStartHandler } from './latest-folder.ts';
import { MetadataGroup } from './metadata-group.ts';
import type { MetadataLogLimits } from './metadata-log-limits.ts';
import { RaftStorage } from './raft-storage.ts';
import { claimIdentity, newIdentity, StartRecord, type StoreIdentity } from './store-identity.ts';

export interface MetadataPlaceOptions {
  readonly self: NodeId;
  readonly config: ClusterConfig;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly catchUp: CatchUp;
  readonly metadataLog: MetadataLogLimits | undefined;
  readonly onState: (state: ClusterState) => void;
  readonly onGrant: (granted: Granted) => void;
  /** What an older folder has must be held against this state before anything is done with it. Errors: storage-failed. */
  readonly examine: (state: ClusterState) => Promise<void>;
  /** All partitions are to be caught up with, and the grant is none any more: written, but not flushed yet. */
  readonly onRenewed: () => void;
  readonly onFatal: (error: Error) => void;
}

const FOUNDERS = 'founders';
const REFRESH_MS = 1000;
const READMIT_MS = 1500;

/**
 * This node's place in the metadata group: found at the start, and found again, under another Raft id and with all data to be caught up
 * with, when the data folder turns out to be an older copy or to have lost what it promised (H24, R3).
 */
export class MetadataPlace {
  private readonly options: MetadataPlaceOptions;
  private readonly introduced = new Map<NodeId, string>();
  private founders: readonly Founder[] = [];
  private calls: Calls | undefined;
  private current: MetadataGroup | undefined;
  private identity: StoreIdentity | undefined;
  /** Until the folder is known to be the latest, the group is there but takes no part. */
  private isWaiting = false;
  private isTaking = false;
  private isRegranting = false;
  private isStopped = false;
  /** A grant was in force: since then the folder has been the latest, and nobody could retire anything without it. */
  private wasGranted = false;

  constructor(options: MetadataPlaceOptions) {
    this.options = options;
  }

  /** This node's voice; undefined until it takes part. */
  get group(): MetadataGroup | undefined {
    return this.isWaiting ? undefined : this.current;
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
          currentState: () => this.current?.currentState,
          refresh: () => this.group?.refresh(REFRESH_MS) ?? Promise.resolve(false),
          introduced: this.introduced,
          founders: () => this.founders,
          isUnsure: () => this.isWaiting,
          readmit: (member, replaces, store) => this.readmit(member, replaces, store),
        })(body, request),
    ],
    [METHOD.latestStart, latestStartHandler((node) => this.current?.latestStart(node))],
  ]);

  /** Resolves when this node has its place and a grant, or was stopped. Errors: FatalError when it may not take part. */
  async take(calls: Calls): Promise<void> {
    this.calls = calls;
    this.isTaking = true;
    try {
      while (!this.isStopped && (await this.takeOnce()) === 'outdated') await this.renewFolder();
    } finally {
      this.isTaking = false;
    }
  }

  stop(): void {
    this.isStopped = true;
    this.current?.stop();
  }

  private async takeOnce(): Promise<'settled' | 'outdated'> {
    const { store, onGrant } = this.options;
    const storage = new RaftStorage(store);
    const starts = new StartRecord(store);
    const found = storage.load();
    if (found !== undefined && !(await this.isLatest(this.createGroup(storage, found), starts))) return 'outdated';
    const stored = found ?? (await this.takePart(storage));
    if (stored === undefined || this.isStopped) return 'settled';
    const group = found === undefined ? this.createGroup(storage, stored) : this.current;
    if (group === undefined) return 'settled';
    group.start();
    const granted = await this.grantOfLatest(group, starts);
    if (granted === 'outdated' || (granted === undefined && !this.isStopped)) return 'outdated';
    if (granted !== undefined) onGrant(granted);
    this.wasGranted = true;
    this.watchOf(group).fromNowOn();
    return 'settled';
  }

  /** Another grant for the process that is running: what it wrote under the one before may be forgotten. One at a time: each knows the starts before it. */
  async regrant(): Promise<void> {
    const { group } = this;
    if (group === undefined || this.isTaking || this.isRegranting) return;
    this.isRegranting = true;
    try {
      const granted = await this.grantOf(group, new StartRecord(this.options.store));
      if (typeof granted === 'object') this.options.onGrant(granted);
      if (granted === 'outdated') this.lostFolder();
    } finally {
      this.isRegranting = false;
    }
  }

  private grantOf(group: MetadataGroup, starts: StartRecord): ReturnType<typeof obtainGrant> {
    const { config, self, clock, random, logger } = this.options;
    return obtainGrant({
      ...{ self, group, starts, random, clock, logger },
      store: this.storeId,
      addresses: addressesOf(config, self),
      isStopped: () => this.isStopped || group.isStopped,
    });
  }

  /**
   * There is none as soon as somebody knows a later folder: the group stops then. With the grant everything is known that was retired
   * without this folder: a retirement that names an earlier life of this node is refused from here on.
   */
  private async grantOfLatest(group: MetadataGroup, starts: StartRecord): ReturnType<typeof obtainGrant> {
    const { catchUp, examine } = this.options;
    let isOver = false;
    this.watchOf(group).untilGranted(starts, () => isOver);
    try {
      const granted = await this.grantOf(group, starts);
      if (typeof granted !== 'object' || !catchUp.isUnexamined) return granted;
      await examine(granted.state);
      return this.isStopped || group.isStopped ? undefined : granted;
    } finally {
      isOver = true;
    }
  }

  private async isLatest(group: MetadataGroup, starts: StartRecord): Promise<boolean> {
    this.isWaiting = true;
    const isLatest = await this.watchOf(group).isLatest(starts);
    this.isWaiting = false;
    if (!isLatest) group.stop();
    return isLatest;
  }

  private watchOf(group: MetadataGroup): FolderWatch {
    const { config, self, clock, onFatal } = this.options;
    const peers = config.nodes.map(({ id }) => id).filter((id) => id !== self);
    const calls = this.requireCalls();
    return new FolderWatch({ self, peers, calls, clock, onFatal, isStopped: () => this.isStopped }, group);
  }

  /** What the folder knew of the metadata group, and what it is known by, is given up: its objects stay, but for what the examination finds. */
  private async renewFolder(): Promise<void> {
    const { store, random, logger, self, onRenewed } = this.options;
    if (this.identity === undefined) throw new FatalError('the data folder was not claimed');
    logger.warn(
      { node: self, store: this.identity.store },
      'this data folder is older than the latest one that the cluster knows of this node, or has lost what was acknowledged from it: it takes part as a new one, and catches up with the other owners',
    );
    this.current?.stop();
    const storage = new RaftStorage(store);
    storage.load();
    const { identity, changes } = newIdentity(this.identity, random);
    this.identity = identity;
    const sequence = store.applyMeta([...changes, ...storage.removal(), CatchUp.ofWholeFolder(!this.wasGranted)]);
    // In the same step: what is exchanged during the flush must not be noted in the record as it was before.
    onRenewed();
    await store.durable(sequence, 'flush');
  }

  /** A folder without a voice: a founder's, a member's that comes late, or one that has taken the place of another. */
  private async takePart(storage: RaftStorage): Promise<StoredState | undefined> {
    const { config, self, store, clock, logger, catchUp } = this.options;
    const ids = config.nodes.map(({ id }) => id);
    const admission = await askToTakePart({
      ...{ self, clock, logger },
      voters: ids.slice(0, VOTERS_MAX),
      learners: ids.slice(VOTERS_MAX),
      introduction: this.introduction(),
      mayFound: catchUp.isOver,
      calls: this.requireCalls(),
      isStopped: () => this.isStopped,
    });
    if (admission === undefined || this.isStopped) return undefined;
    const founders = admission.kind === 'found' ? this.foundersWith(admission.stores) : admission.founders;
    const voices = founders.map(({ raft }) => raft);
    const own = founders.find(({ id }) => id === self);
    const state =
      admission.kind === 'found'
        ? foundingState({ ...foundingConfiguration(voices), outgoing: [] }, new Uint8Array(0))
        : joiningState();
    const isReadmitted = own !== undefined && own.raft !== firstRaftId(own.number);
    const behind = isReadmitted && catchUp.isOver ? [CatchUp.ofWholeFolder(true)] : [];
    store.applyMeta([{ key: FOUNDERS, value: pack(founders) }, ...behind]);
    catchUp.reload();
    await store.durable(storage.create(state), 'flush');
    this.keepFounders(founders);
    return state;
  }

  private foundersWith(stores: ReadonlyMap<NodeId, string>): readonly Founder[] {
    const { config } = this.options;
    const numbers = founderNumbers(config);
    return config.nodes.map(({ id }, i) => {
      const number = numbers[i] ?? memberNumber(i + 1);
      return { id, number, raft: firstRaftId(number), store: stores.get(id) ?? '' };
    });
  }

  private createGroup(storage: RaftStorage, stored: StoredState): MetadataGroup {
    const { self, store, clock, random, logger, config, onFatal, onState, metadataLog } = this.options;
    const own = this.founders.find(({ id }) => id === self);
    if (own === undefined) throw new FatalError(`${self} is not a member of the cluster`, 2);
    const options = {
      ...{ self, store, storage, clock, random, logger, onFatal, onState, metadataLog },
      nodes: new Map(this.founders.map(({ id, raft }) => [raft, id])),
      calls: this.requireCalls(),
      onLostLog: () => this.lostFolder(),
      creation: () => creationCommand(config, this.founders, random),
    };
    this.current = new MetadataGroup(options, own.raft, stored);
    return this.current;
  }

  /** While a place is being taken, that ends by itself when its group stops. */
  private lostFolder(): void {
    const { calls } = this;
    if (this.isTaking || this.isStopped || calls === undefined) return;
    this.isTaking = true;
    this.renewFolder()
      .then(() => this.take(calls))
      .catch(this.options.onFatal);
  }

  private async readmit(member: NodeId, replaces: string, store: string): Promise<void> {
    const { logger } = this.options;
    if (replaces === '') logger.info({ member, store }, 'a member comes with its first data folder');
    else logger.warn({ member, lost: replaces, store }, 'a member comes back with another data folder');
    await this.group?.propose({ kind: 'readmit', member, replaces, store }, READMIT_MS);
  }

  private introduction(): Introduction {
    return { store: this.storeId, file: fileDigest(this.options.config) };
  }

  private get storeId(): string {
    if (this.identity === undefined) throw new FatalError('the data folder was not claimed');
    return this.identity.store;
  }

  private requireCalls(): Calls {
    if (this.calls === undefined) throw new FatalError('the transport is not started');
    return this.calls;
  }

  private keepFounders(founders: readonly Founder[]): void {
    this.founders = founders;
    for (const { id, store } of founders) if (store !== '') this.introduced.set(id, store);
  }
}
