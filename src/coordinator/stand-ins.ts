import type { Member } from '../core/cluster/cluster-state.ts';
import type { MemberNumber, Partition } from '../core/ids.ts';
import { type StandIn, usableList } from '../core/ring/preference-list.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { CoordinatorContext } from './coordinator-context.ts';

type Needs = Pick<CoordinatorContext, 'self' | 'detector' | 'clock' | 'standing'>;

/**
 * Who stands in for whom in one request (Dynamo 4.6, sloppy quorum). Each fallback is handed out once: it stands in for one owner.
 * Made when the first owner is missed: requests whose owners are all there pay nothing for it.
 */
export class StandIns {
  private readonly view: ClusterView;
  private readonly planned: readonly StandIn[];
  /** Further fallbacks that can be asked, the best first. */
  private readonly spare: MemberNumber[];
  private readonly taken = new Set<MemberNumber>();

  constructor(needs: Needs, view: ClusterView, partition: Partition) {
    const list = view.preferenceOf(partition);
    const isUsable = (member: MemberNumber): boolean => mayStandIn(needs, view.withNumber(member));
    const { standIns } = usableList(list, view.ring, (member) =>
      list.fallbacks.includes(member) ? isUsable(member) : isUp(needs, view.withNumber(member)),
    );
    const planned = new Set(standIns.map(({ fallback }) => fallback));
    this.view = view;
    this.planned = standIns;
    this.spare = list.fallbacks.filter((member) => !planned.has(member) && isUsable(member));
  }

  /** Those that stand in from the beginning, in the order of the owners that are away. */
  get members(): readonly Member[] {
    return this.planned.map(({ fallback }) => this.view.withNumber(fallback));
  }

  /** The next one for this owner; undefined when nobody is left. */
  take(owner: Member): Member | undefined {
    const planned = this.planned.find((standIn) => standIn.owner === owner.number)?.fallback;
    const next = planned === undefined || this.taken.has(planned) ? this.spare.shift() : planned;
    if (next === undefined) return undefined;
    this.taken.add(next);
    return this.view.withNumber(next);
  }
}

function isUp({ self, detector, clock }: Needs, member: Member): boolean {
  return member.id === self || detector.isUp(member.id, clock.monotonicMs());
}

/** A fallback keeps hints only under a grant. */
function mayStandIn({ self, detector, clock, standing }: Needs, { id }: Member): boolean {
  return id === self ? standing.actor !== undefined : detector.mayCoordinate(id, clock.monotonicMs());
}
