import type { Member } from '../core/cluster/cluster-state.ts';
import type { Quorum } from '../core/quorum/quorum-spec.ts';
import type { ReadTracker } from '../core/quorum/read-tracker.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { KeyAddress } from '../protocol.ts';
import type { CoordinatorContext } from './coordinator-context.ts';
import { StandIns } from './stand-ins.ts';

type Needs = Pick<CoordinatorContext, 'self' | 'detector' | 'clock' | 'standing'>;

interface CandidatesTask {
  readonly view: ClusterView;
  readonly address: KeyAddress;
  readonly quorum: Quorum;
  /** Fallbacks may stand in for owners that are away. */
  readonly sloppy: boolean;
}

/**
 * Whom one read may ask, in order: owners, this node first; then those who stand in for others of them (Dynamo 4.6, only where the
 * request is sloppy); then owners that are only suspected. But a fallback never comes before an owner while fewer owners than the request
 * demands (`pr`) were asked and not lost: without their answers there is none. Fallbacks are named to the tracker, in time.
 */
export class ReadCandidates {
  private readonly needs: Needs;
  private readonly task: CandidatesTask;
  private readonly tracker: ReadTracker;
  private readonly members: Member[] = [];
  private standIns: StandIns | undefined;
  /** Per fallback in use the owner that it stands in for. */
  private readonly stoodInFor = new Map<Member, Member>();
  private asked = 0;
  /** Owners that were asked, and were not lost since. */
  private ownersGoing = 0;

  /** The owners that are down are lost to the tracker at once, and told to `passedOver`. */
  constructor(
    needs: Needs,
    task: CandidatesTask,
    tracker: ReadTracker,
    passedOver: (owner: Member, reason: string) => void,
  ) {
    this.needs = needs;
    this.task = task;
    this.tracker = tracker;
    const nowMs = needs.clock.monotonicMs();
    const suspects: Member[] = [];
    for (const owner of task.view.ownersOf(task.address.partition)) {
      const isSelf = owner.id === needs.self;
      const seen = isSelf ? 'up' : needs.detector.seenAs(owner.id, nowMs);
      if (seen !== 'up') this.replace(owner);
      if (seen === 'down') {
        tracker.add({ kind: 'failed', node: owner.number, reason: seen });
        passedOver(owner, seen);
      } else if (seen === 'suspect' || !this.isWhole(owner, nowMs)) suspects.push(owner);
      else if (isSelf) this.members.unshift(owner);
      else this.members.push(owner);
    }
    this.members.push(...this.stoodInFor.keys(), ...suspects);
  }

  /** One without a grant, or that is catching up, may make the read wait, or refuse it. */
  private isWhole(owner: Member, nowMs: number): boolean {
    const { self, standing, detector } = this.needs;
    return owner.id === self
      ? standing.isReadable(this.task.address.partition)
      : detector.mayCoordinate(owner.id, nowMs);
  }

  /** Undefined when everyone has been asked. */
  next(): Member | undefined {
    if (this.ownersGoing < this.task.quorum.owners) this.bringOwnerForward();
    const member = this.members[this.asked];
    if (member === undefined) return undefined;
    this.asked++;
    if (!this.stoodInFor.has(member)) this.ownersGoing++;
    return member;
  }

  /** The owner that a fallback stands in for; undefined of an owner. */
  ownerBehind(member: Member): Member | undefined {
    return this.stoodInFor.get(member);
  }

  /** Another one is to stand in for the owner that was lost, or whose fallback was. To be called before the tracker hears of it. */
  replaceLost(lost: Member): void {
    if (!this.stoodInFor.has(lost)) this.ownersGoing--;
    // One that was only suspected has been replaced already.
    for (const replaced of this.stoodInFor.values()) if (replaced === lost) return;
    const fallback = this.replace(this.stoodInFor.get(lost) ?? lost);
    if (fallback !== undefined) this.members.push(fallback);
  }

  /** The owners that have not been asked. */
  get unaskedOwners(): readonly Member[] {
    return this.members.slice(this.asked).filter((member) => !this.stoodInFor.has(member));
  }

  private bringOwnerForward(): void {
    const index = this.members.findIndex((member, i) => i >= this.asked && !this.stoodInFor.has(member));
    if (index > this.asked) this.members.splice(this.asked, 0, ...this.members.splice(index, 1));
  }

  private replace(owner: Member): Member | undefined {
    const { view, address, sloppy } = this.task;
    if (!sloppy) return undefined;
    this.standIns ??= new StandIns(this.needs, view, address.partition);
    const fallback = this.standIns.take(owner);
    if (fallback === undefined) return undefined;
    this.stoodInFor.set(fallback, owner);
    this.tracker.standIn(fallback.number, owner.number);
    return fallback;
  }
}
