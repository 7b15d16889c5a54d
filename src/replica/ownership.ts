import { DecodeError } from '../core/bytes.ts';
import type { MemberNumber, NodeId, Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { KeyAddress } from '../protocol.ts';

/** Whether messages about a partition are for this node, and were sent on a view that still holds (H22). */
export class Ownership {
  private readonly self: NodeId;
  private readonly currentView: () => ClusterView | undefined;

  constructor(self: NodeId, currentView: () => ClusterView | undefined) {
    this.self = self;
    this.currentView = currentView;
  }

  /** As far as is known. */
  owns(member: NodeId, partition: Partition): boolean {
    return this.currentView()?.owns(member, partition) === true;
  }

  /**
   * Errors: conflict (no view here yet, the sender's is outdated, or this node is not an owner). Never not-ready, which an owner that is
   * catching up says of a partition: who has only just started may have all of it.
   */
  check(address: KeyAddress): void {
    if (this.checkedView(address).owns(this.self, address.partition)) return;
    throw new StoreError('conflict', `not an owner of partition ${address.partition}`);
  }

  /** Errors: as of {@link Ownership.check}, but conflict where this node is an owner. */
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

  private checkedView({ partition, epoch }: KeyAddress): ClusterView {
    const view = this.currentView();
    if (view === undefined) throw new StoreError('conflict', 'the cluster state is not known yet');
    if (partition >= view.state.ownership.length) throw new DecodeError(`partition ${partition}`);
    if (epoch < view.since(partition)) {
      throw new StoreError('conflict', `stale view: partition ${partition} changed in epoch ${view.since(partition)}`);
    }
    return view;
  }
}
