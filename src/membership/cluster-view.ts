import type { ClusterState, Member } from '../core/cluster/cluster-state.ts';
import { type Epoch, type MemberNumber, type NodeId, type Partition, partition as partitionAt } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import { type PreferenceList, preferenceList, type Ring } from '../core/ring/preference-list.ts';

/** One epoch of the cluster, laid out for the requests: who owns a partition, by name, without a search. Immutable. */
export class ClusterView {
  readonly state: ClusterState;
  readonly epoch: Epoch;
  private readonly owners: readonly (readonly Member[])[];
  private readonly byNumber: ReadonlyMap<MemberNumber, Member>;
  private readonly byId: ReadonlyMap<NodeId, Member>;
  /** Where fallbacks are looked for: active members may keep hints. */
  readonly ring: Ring;
  /** Made when first asked for. */
  private readonly preferences: PreferenceList[] = [];

  constructor(state: ClusterState) {
    this.state = state;
    this.epoch = state.epoch;
    this.byNumber = new Map(state.members.map((member) => [member.number, member]));
    this.byId = new Map(state.members.map((member) => [member.id, member]));
    this.owners = state.ownership.map(({ owners }) => owners.map((number) => this.withNumber(number)));
    const active = state.members.filter((member) => member.state === 'active');
    this.ring = {
      table: state.ownership.map(({ owners }) => owners),
      zones: new Map(active.map(({ number, zone }) => [number, zone])),
    };
  }

  /** In order of preference. */
  ownersOf(partition: Partition): readonly Member[] {
    const owners = this.owners[partition];
    invariant(owners !== undefined, `partition ${partition} of ${this.owners.length}`);
    return owners;
  }

  preferenceOf(partition: Partition): PreferenceList {
    const list = this.preferences[partition] ?? preferenceList(this.ring, partition);
    this.preferences[partition] = list;
    return list;
  }

  /** The epoch since which the partition's owners are what they are: a request on an older view is refused (H22). */
  since(partition: Partition): Epoch {
    const ownership = this.state.ownership[partition];
    invariant(ownership !== undefined, `partition ${partition} of ${this.owners.length}`);
    return ownership.since;
  }

  owns(node: NodeId, partition: Partition): boolean {
    return this.ownersOf(partition).some((owner) => owner.id === node);
  }

  /** The partitions that the node owns. */
  partitionsOf(node: NodeId): readonly Partition[] {
    return this.owners.flatMap((owners, index) => (owners.some(({ id }) => id === node) ? [partitionAt(index)] : []));
  }

  member(id: NodeId): Member | undefined {
    return this.byId.get(id);
  }

  withNumber(number: MemberNumber): Member {
    const member = this.byNumber.get(number);
    invariant(member !== undefined, `an owner that is no member: ${number}`);
    return member;
  }
}
