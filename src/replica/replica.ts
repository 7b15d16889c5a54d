import { DecodeError } from '../core/bytes.ts';
import {
  type Container,
  decodeContainer,
  EMPTY_CONTAINER,
  encodeContainer,
  isVoid,
} from '../core/causality/container.ts';
import type { Actor } from '../core/causality/dot.ts';
import type { DotSet } from '../core/causality/dot-set.ts';
import {
  applyRemote,
  type CoordinatedWrite,
  coordinateWrite,
  type ReplicaUpdate,
} from '../core/causality/replica-update.ts';
import type { MemberNumber, NodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Sequence, Store } from '../ports.ts';
import type { KeyAddress, ReplicateRequest } from '../protocol.ts';

/** One key as this replica holds it. Nothing of it may be shown before `sequence` is durable (rule C7): 0 when it already is. */
export interface ReadSnapshot {
  readonly clock: DotSet;
  /** The stripped container's bytes; undefined when there is none. */
  readonly stored: Uint8Array | undefined;
  readonly sequence: Sequence;
}

/** What one key may grow to. */
export interface ObjectLimits {
  /** Siblings side by side. */
  readonly siblings: number;
  /** Bytes of all siblings together. */
  readonly objectBytes: number;
}

/** What an owner does with the partitions it holds: one synchronous step each, from what is stored to what is stored next. */
export class Replica {
  private readonly self: NodeId;
  private readonly store: Store;
  private readonly limits: ObjectLimits;
  private readonly currentView: () => ClusterView | undefined;

  constructor(self: NodeId, store: Store, limits: ObjectLimits, currentView: () => ClusterView | undefined) {
    this.self = self;
    this.store = store;
    this.limits = limits;
    this.currentView = currentView;
  }

  /** Errors: not-ready (no cluster yet), conflict (the sender's view is outdated, or this node is not an owner). */
  check(address: KeyAddress): void {
    if (this.checkedView(address).owns(this.self, address.partition)) return;
    throw new StoreError('conflict', `not an owner of partition ${address.partition}`);
  }

  /** Errors: as of {@link Replica.check}, but conflict where this node is an owner. */
  checkNoOwner(address: KeyAddress): void {
    if (!this.checkedView(address).owns(this.self, address.partition)) return;
    throw new StoreError('conflict', `an owner of partition ${address.partition}`);
  }

  /** Errors: conflict when the member is no owner. */
  checkOwner(address: KeyAddress, member: MemberNumber): void {
    const owners = this.checkedView(address).ownersOf(address.partition);
    if (owners.some(({ number }) => number === member)) return;
    throw new StoreError('conflict', `member ${member} is not an owner of partition ${address.partition}`);
  }

  private checkedView(address: KeyAddress): ClusterView {
    const view = this.currentView();
    if (view === undefined) throw new StoreError('not-ready', 'the cluster state is not known yet');
    const { partition, epoch } = address;
    if (partition >= view.state.ownership.length) throw new DecodeError(`partition ${partition}`);
    if (epoch < view.since(partition)) {
      throw new StoreError('conflict', `stale view: partition ${partition} changed in epoch ${view.since(partition)}`);
    }
    return view;
  }

  read({ partition, key }: KeyAddress): ReadSnapshot {
    return {
      clock: this.store.clock(partition),
      stored: this.store.read(partition, key),
      sequence: this.store.unflushed(partition, key),
    };
  }

  /**
   * Mints a dot for a client's write and stores it.
   * Errors: sibling-limit (nothing was stored), storage-failed (the record is damaged).
   */
  coordinate(
    address: KeyAddress,
    actor: Actor,
    version: Uint8Array | undefined,
    context: DotSet | undefined,
  ): Pick<CoordinatedWrite, 'dot' | 'filled' | 'covered'> & { readonly sequence: Sequence } {
    const clock = this.store.clock(address.partition);
    const written = coordinateWrite(this.container(address), clock, actor, version, context);
    if (version !== undefined) this.checkSize(written.stored);
    const { dot, filled, covered } = written;
    return { dot, filled, covered, sequence: this.apply(address, written) };
  }

  /** Takes in what another replica sent. The returned sequence must be durable before it is acknowledged, also if nothing changed. */
  merge(request: ReplicateRequest): Sequence {
    const { partition, key, container, dots } = request;
    const update = applyRemote(this.container(request), this.store.clock(partition), container, dots);
    return update === undefined ? this.store.unflushed(partition, key) : this.apply(request, update);
  }

  private container(address: KeyAddress): Container {
    const stored = this.store.read(address.partition, address.key);
    return stored === undefined ? EMPTY_CONTAINER : decodeStored(address, stored);
  }

  /** A single value is always within the limits: they bound what concurrent writers can pile up. Errors: sibling-limit. */
  checkSize({ siblings }: Container): void {
    const { siblings: siblingsMax, objectBytes } = this.limits;
    if (siblings.length <= 1) return;
    const bytes = siblings.reduce((sum, { version }) => sum + version.length, 0);
    if (siblings.length <= siblingsMax && bytes <= objectBytes) return;
    throw new StoreError(
      'sibling-limit',
      `the key would have ${siblings.length} siblings of ${bytes} bytes together, the limits are ${siblingsMax} and ${objectBytes}: read it, merge, and write with the read's Causal-Context`,
      { outcome: 'not_applied', retryable: false },
    );
  }

  private apply({ partition, key }: KeyAddress, { stored, added }: ReplicaUpdate): Sequence {
    return this.store.apply(partition, key, isVoid(stored) ? undefined : encodeContainer(stored), added);
  }
}

/** Damage is an error, never an absence (H1). */
function decodeStored({ partition }: KeyAddress, bytes: Uint8Array): Container {
  try {
    return decodeContainer(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new StoreError('storage-failed', `a damaged record in partition ${partition}`, {}, { cause: error });
  }
}
