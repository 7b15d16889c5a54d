import type { MemberNumber } from '../ids.ts';
import { type OwnerSet, type QuorumCounts, type QuorumOutcome, type QuorumReport, ReplyTally } from './reply-tally.ts';

/** `acked`: the node holds the write as durably as was asked; a fallback, as a hint. */
export type WriteReply =
  | { readonly kind: 'acked'; readonly node: MemberNumber }
  | { readonly kind: 'failed'; readonly node: MemberNumber; readonly reason: string };

/**
 * Says when a write has its quorum, or can have it no more: `total` is w, `owners` is pw.
 *
 * All owners are asked at once. During an ownership change there are two sets, the old owners and the new, and the write
 * needs its quorum in both. Fallbacks count towards w and never towards pw. Laws: {@link ReplyTally}; and with owners alone
 * (sloppy or not, as long as no fallback is named), a met write and a met read with r + w > N have a node in common.
 */
export class WriteTracker {
  private readonly tally: ReplyTally;

  constructor(sets: readonly OwnerSet[]) {
    this.tally = new ReplyTally(sets, 'asked');
  }

  /** `failed` from the start when a set has fewer owners than the quorum. */
  get outcome(): QuorumOutcome {
    return this.tally.outcome;
  }

  /** The fallback has been asked to keep a hint for the owner. To be called before the owner's failure is added. */
  standIn(fallback: MemberNumber, owner: MemberNumber): void {
    this.tally.standIn(fallback, owner);
  }

  add(reply: WriteReply): QuorumOutcome {
    return reply.kind === 'acked' ? this.tally.acked(reply.node) : this.tally.failed(reply.node, reply.reason);
  }

  counts(): QuorumCounts {
    return this.tally.counts();
  }

  report(): QuorumReport {
    return this.tally.report();
  }
}
