import type { MemberNumber } from '../ids.ts';
import { invariant } from '../invariant.ts';
import type { Quorum } from './quorum-spec.ts';

/** The owners of one side of an ownership, and what a request demands of them. */
export interface OwnerSet {
  readonly owners: readonly MemberNumber[];
  readonly quorum: Quorum;
}

export type QuorumOutcome = 'pending' | 'met' | 'failed';

/** What counts towards the demand, in the set that is furthest from its own (the first of such sets). */
export interface QuorumCounts {
  readonly required: number;
  readonly owners: number;
  /** Absent owners that a fallback stands in for. */
  readonly fallbacks: number;
}

/** Who did what, in the order in which nodes were named; each node is in one list. */
export interface QuorumReport {
  readonly acked: readonly MemberNumber[];
  readonly failed: readonly { readonly node: MemberNumber; readonly reason: string }[];
  /** Asked, and not heard of. */
  readonly pending: readonly MemberNumber[];
}

type ReplyState = 'unasked' | 'asked' | 'acked' | 'failed';

/**
 * The accounting that writes and reads share: whose replies count, in one or more sets of owners.
 *
 * A set's *seats* are its owners. A seat is taken once its owner, or the fallback named to stand in for that owner, has acked;
 * it is lost once all of these have failed. Laws:
 * 1. `met` iff in every set at least `total` seats are taken, at least `owners` of them by the owners themselves.
 * 2. `failed` iff in some set too few seats, or too few owners, are not lost. Said as soon as it is so.
 * 3. `met` and `failed` are final, and exclude each other.
 * 4. Of one node only the first reply counts, in every set that it belongs to, for one seat of each.
 * 5. The outcome after a set of replies does not depend on their order.
 * 6. Once every node has replied, the outcome is not `pending`.
 *
 * Law 3 constrains the caller: a fallback for an owner is named before that owner's failure is added.
 * Made per request: the arrays have one place per node, few enough that looking through them beats any index.
 */
export class ReplyTally {
  private readonly sets: readonly OwnerSet[];
  private readonly nodes: MemberNumber[];
  private readonly states: ReplyState[];
  private readonly reasons: string[] = [];
  /** nodes[owners + i] is a fallback, and stands in for fallbackFor[i]. */
  private readonly owners: number;
  private readonly fallbackFor: MemberNumber[] = [];
  private decided: QuorumOutcome;

  /** At least one set; within a set, owners are distinct. */
  constructor(sets: readonly OwnerSet[], state: 'unasked' | 'asked') {
    const first = sets[0];
    invariant(first !== undefined, 'a quorum is of some set');
    this.sets = sets;
    this.nodes = first.owners.slice();
    for (let index = 1; index < sets.length; index++) {
      for (const owner of sets[index]?.owners ?? []) if (!this.nodes.includes(owner)) this.nodes.push(owner);
    }
    this.owners = this.nodes.length;
    this.states = this.nodes.map(() => state);
    this.decided = this.evaluate();
  }

  get outcome(): QuorumOutcome {
    return this.decided;
  }

  /** The owner has been asked. Without effect when it was asked before. */
  ask(owner: MemberNumber): void {
    const index = this.indexOf(owner);
    if (this.states[index] === 'unasked') this.states[index] = 'asked';
  }

  /** The fallback has been asked in place of the owner. A fallback is no owner, and stands in for one only. */
  standIn(fallback: MemberNumber, owner: MemberNumber): void {
    invariant(!this.nodes.includes(fallback), 'a fallback is no owner, and is asked once');
    invariant(this.indexOf(owner) < this.owners, 'a fallback stands in for an owner');
    this.nodes.push(fallback);
    this.states.push('asked');
    this.fallbackFor.push(owner);
  }

  isFallback(node: MemberNumber): boolean {
    return this.indexOf(node) >= this.owners;
  }

  acked(node: MemberNumber): QuorumOutcome {
    return this.settle(this.indexOf(node), 'acked');
  }

  failed(node: MemberNumber, reason: string): QuorumOutcome {
    const index = this.indexOf(node);
    if (this.isOpen(index)) this.reasons[index] = reason;
    return this.settle(index, 'failed');
  }

  counts(): QuorumCounts {
    let weakest: QuorumCounts | undefined;
    let weakestLack = Number.NEGATIVE_INFINITY;
    for (const { owners, quorum } of this.sets) {
      const byOwner = owners.filter((owner) => this.stateOf(owner) === 'acked').length;
      const taken = owners.filter((owner) => this.isTaken(owner)).length;
      const lack = Math.max(quorum.total - taken, quorum.owners - byOwner);
      if (lack <= weakestLack) continue;
      weakest = { required: quorum.total, owners: byOwner, fallbacks: taken - byOwner };
      weakestLack = lack;
    }
    invariant(weakest !== undefined, 'a quorum is of some set');
    return weakest;
  }

  report(): QuorumReport {
    const withState = (state: ReplyState): MemberNumber[] =>
      this.nodes.filter((_, index) => this.states[index] === state);
    const failed = withState('failed').map((node) => ({ node, reason: this.reasons[this.indexOf(node)] ?? '' }));
    return { acked: withState('acked'), failed, pending: withState('asked') };
  }

  private settle(index: number, state: 'acked' | 'failed'): QuorumOutcome {
    if (!this.isOpen(index)) return this.decided;
    this.states[index] = state;
    if (this.decided === 'pending') this.decided = this.evaluate();
    return this.decided;
  }

  private evaluate(): QuorumOutcome {
    let isMet = true;
    for (const { owners, quorum } of this.sets) {
      let byOwner = 0;
      let ownersPossible = 0;
      let taken = 0;
      let possible = 0;
      for (const owner of owners) {
        const state = this.stateOf(owner);
        if (state === 'acked') byOwner++;
        if (state !== 'failed') ownersPossible++;
        if (this.isTaken(owner)) taken++;
        if (state !== 'failed' || this.hasFallback(owner)) possible++;
      }
      if (possible < quorum.total || ownersPossible < quorum.owners) return 'failed';
      if (taken < quorum.total || byOwner < quorum.owners) isMet = false;
    }
    return isMet ? 'met' : 'pending';
  }

  private isTaken(owner: MemberNumber): boolean {
    return (
      this.stateOf(owner) === 'acked' ||
      this.fallbackFor.some((named, i) => named === owner && this.states[this.owners + i] === 'acked')
    );
  }

  /** A fallback stands in for the owner and has not failed. */
  private hasFallback(owner: MemberNumber): boolean {
    return this.fallbackFor.some((named, i) => named === owner && this.states[this.owners + i] !== 'failed');
  }

  private isOpen(index: number): boolean {
    const state = this.states[index];
    return state === 'unasked' || state === 'asked';
  }

  private stateOf(node: MemberNumber): ReplyState {
    return this.states[this.nodes.indexOf(node)] ?? 'unasked';
  }

  private indexOf(node: MemberNumber): number {
    const index = this.nodes.indexOf(node);
    invariant(index >= 0, `a reply of member ${node}, which was not asked`);
    return index;
  }
}
