import type { BucketProperties, ClusterSettings } from '../core/cluster/cluster-state.ts';
import { type NodeId, objectKey, type Partition, partition } from '../core/ids.ts';
import { resolveLevel } from '../core/quorum/quorum-spec.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView as View } from '../membership/cluster-view.ts';
import type { Membership } from '../membership/membership.ts';
import type {
  CatchUpView,
  ClusterView,
  GetRequest,
  GetResult,
  HintsView,
  KeyPlacement,
  RingView,
  SeenAs,
  StoreApi,
  SyncView,
  WriteRequest,
  WriteResult,
} from './api.ts';
import { Coordinator } from './coordinator.ts';
import { type CoordinatorContext, requireView } from './coordinator-context.ts';

/** The API of this node: requests go to the coordinator, what is asked about the cluster is answered from the node's own view of it. */
export class LocalApi implements StoreApi {
  private readonly context: CoordinatorContext;
  private readonly membership: Membership;
  private readonly coordinator: Coordinator;
  private readonly valueBytesMax: number;
  private readonly syncView: () => SyncView;
  private hasBeenReady = false;
  private isDraining = false;

  constructor(context: CoordinatorContext, membership: Membership, valueBytesMax: number, syncView: () => SyncView) {
    this.context = context;
    this.membership = membership;
    this.coordinator = new Coordinator(context);
    this.valueBytesMax = valueBytesMax;
    this.syncView = syncView;
  }

  get(request: GetRequest): Promise<GetResult> {
    return this.coordinator.get(request);
  }

  write(request: WriteRequest): Promise<WriteResult> {
    return this.coordinator.write(request);
  }

  sync(): SyncView {
    return this.syncView();
  }

  catchUp(): CatchUpView {
    const view = requireView(this.context);
    const { catchUp } = this.membership;
    const { self } = this.context;
    const partitions = view
      .partitionsOf(self)
      .filter((partition) => catchUp.isOpen(partition))
      .map((partition) => ({
        partition,
        waitsFor: this.membership.waitsFor(view, partition).map(({ id }) => id),
      }));
    const excepted = new Set([...catchUp.excepted, ...this.context.replica.damaged.excepted]);
    return { node: self, partitions, excepted: Array.from(excepted, (number) => view.withNumber(number).id) };
  }

  async exceptOwner(owner: string): Promise<CatchUpView> {
    const { catchUp } = this.membership;
    const { damaged } = this.context.replica;
    const member = requireView(this.context).state.members.find(({ id }) => id === owner);
    if (member === undefined || member.id === this.context.self)
      throw new StoreError('bad-body', `except: expected another member's id, got ${owner}`, { field: 'except' });
    if (catchUp.isOver && damaged.count === 0) {
      const detail = 'this node is not catching up, and no record of it is damaged';
      throw new StoreError('conflict', detail, { retryable: false });
    }
    if (this.seenAs(member.id) !== 'down')
      throw new StoreError('conflict', `${owner} is connected: it is exchanged with`, { retryable: false });
    this.membership.logger.warn(
      { owner },
      'an operator excepts an owner: writes that it alone holds may be missed by reads',
    );
    if (damaged.count > 0) damaged.excepted.add(member.number);
    if (!catchUp.isOver) await this.context.store.durable(catchUp.except(member.number), 'flush');
    return this.catchUp();
  }

  cluster(): ClusterView {
    const { state } = requireView(this.context);
    const { cluster, epoch, n, settings } = state;
    return {
      cluster,
      epoch,
      leader: this.membership.leader ?? null,
      n,
      partitions: state.ownership.length,
      settings,
      members: state.members.map(({ id, number, zone, host, http, rpc, state }) => ({
        ...{ id, number, zone, host, http, rpc, state },
        seenAs: this.isFlapping(id) ? 'suspect' : this.seenAs(id),
      })),
    };
  }

  ring(): RingView {
    const view = requireView(this.context);
    const partitions = view.state.ownership.map((_, index) => ({
      partition: partition(index),
      owners: ownersOf(view, partition(index)),
      next: null,
    }));
    return { epoch: view.epoch, partitions };
  }

  ringOf(bucket: string, key: string): KeyPlacement {
    const view = requireView(this.context);
    const place = this.context.partitionOf(objectKey(bucket, key));
    const { owners, fallbacks } = view.preferenceOf(place);
    const preference = [...owners, ...fallbacks].map((number) => view.withNumber(number).id);
    return { epoch: view.epoch, partition: place, owners: ownersOf(view, place), preferenceList: preference };
  }

  hints(): HintsView {
    const view = requireView(this.context);
    const { hints, clock } = this.context;
    const { bytes, bytesMax, refused, damaged } = hints;
    const targets = hints.totals().map(({ target, oldestMs, ...totals }) => ({
      target: view.withNumber(target).id,
      ...totals,
      oldestMs: Math.max(0, clock.wallMs() - oldestMs),
    }));
    return { bytes, bytesMax, refused, damaged: damaged.count, targets };
  }

  buckets(): readonly { readonly bucket: string; readonly properties: BucketProperties }[] {
    const { buckets } = requireView(this.context).state;
    return [...buckets]
      .map(([bucket, properties]) => ({ bucket, properties }))
      .sort((a, b) => (a.bucket < b.bucket ? -1 : 1));
  }

  bucket(bucket: string): Required<BucketProperties> {
    const { settings, buckets } = requireView(this.context).state;
    const { r, w } = settings;
    return { r, w, conflict: 'siblings', valueBytes: this.valueBytesMax, ...buckets.get(bucket) };
  }

  putBucket(bucket: string, properties: BucketProperties, timeoutMs: number): Promise<void> {
    return this.membership.putBucket(bucket, properties, timeoutMs);
  }

  putSettings(settings: Partial<ClusterSettings>, timeoutMs: number): Promise<void> {
    return this.membership.putSettings(settings, timeoutMs);
  }

  notReady(): string | undefined {
    if (this.isDraining) return 'the node is draining';
    if (this.hasBeenReady) return undefined;
    const missing = this.missing();
    this.hasBeenReady = missing === undefined;
    return missing;
  }

  drain(): void {
    this.isDraining = true;
  }

  /** What has to be seen once: the cluster state, this node's grant, and the default quorums of every partition. */
  private missing(): string | undefined {
    const view = this.context.currentView();
    if (view === undefined) return 'the cluster state is not known yet';
    const { standing } = this.membership;
    if (standing.actor === undefined && !standing.isProvisional)
      return 'this node has no grant of the metadata group yet';
    const { settings, n, ownership } = view.state;
    const needed = Math.max(resolveLevel(settings.r, n) ?? n, resolveLevel(settings.w, n) ?? n);
    for (const index of ownership.keys()) {
      const owners = ownersOf(view, partition(index));
      if (owners.filter((id) => this.seenAs(id) === 'up').length < needed) {
        return `the default quorum of partition ${index} has not been reachable yet`;
      }
      if (!owners.some((id) => this.mayCoordinate(id)))
        return `no owner of partition ${index} may coordinate writes yet`;
    }
    return undefined;
  }

  private isFlapping(id: NodeId): boolean {
    const { detector, clock } = this.context;
    const nowMs = clock.monotonicMs();
    return detector.isFlapping(id, nowMs) && detector.seenAs(id, nowMs) === 'up';
  }

  private seenAs(id: NodeId): SeenAs {
    const { self, detector, clock } = this.context;
    return id === self ? 'up' : detector.seenAs(id, clock.monotonicMs());
  }

  private mayCoordinate(id: NodeId): boolean {
    const { self, detector, clock, standing } = this.context;
    return id === self ? standing.isWhole : detector.mayCoordinate(id, clock.monotonicMs());
  }
}

function ownersOf(view: View, place: Partition): readonly NodeId[] {
  return view.ownersOf(place).map(({ id }) => id);
}
