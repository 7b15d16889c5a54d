import type { MemberNumber } from '../ids.ts';
import { type OwnerSet, type QuorumCounts, type QuorumOutcome, type QuorumReport, ReplyTally } from './reply-tally.ts';

/** `holdsHint`: the node, a fallback, holds a hint for the key; of no meaning for an owner. */
export type ReadReply =
  | { readonly kind: 'answered'; readonly node: MemberNumber; readonly holdsHint?: boolean }
  | { readonly kind: 'failed'; readonly node: MemberNumber; readonly reason: string };

/**
 * Says when a read has its quorum, or can have it no more: `total` is r, `owners` is pr.
 *
 * Owners are asked one after another: those not asked yet can still answer, so they are not lost and not pending either.
 * Only owners can assert absence: a fallback that holds no hint for the key counts as failed, for the reason `no-hint`.
 * Laws: {@link ReplyTally}.
 */
export class ReadTracker {
  private readonly tally: ReplyTally;

  constructor(sets: readonly OwnerSet[]) {
    this.tally = new ReplyTally(sets, 'unasked');
  }

  /** `failed` from the start when a set has fewer owners than the quorum. */
  get outcome(): QuorumOutcome {
    return this.tally.outcome;
  }

  /** The owner has been asked. */
  ask(owner: MemberNumber): void {
    this.tally.ask(owner);
  }

  /** The fallback has been asked for its hint for the owner. To be called before the owner's failure is added. */
  standIn(fallback: MemberNumber, owner: MemberNumber): void {
    this.tally.standIn(fallback, owner);
  }

  add(reply: ReadReply): QuorumOutcome {
    if (reply.kind === 'failed') return this.tally.failed(reply.node, reply.reason);
    const counts = reply.holdsHint === true || !this.tally.isFallback(reply.node);
    return counts ? this.tally.acked(reply.node) : this.tally.failed(reply.node, 'no-hint');
  }

  counts(): QuorumCounts {
    return this.tally.counts();
  }

  report(): QuorumReport {
    return this.tally.report();
  }
}
