import { type LogIndex, logIndex } from '../ids.ts';
import { invariant } from '../invariant.ts';

/**
 * How the leader sends to one follower.
 *
 * - `probe`: it does not know where the logs agree; one append at a time, until it is answered or a heartbeat is.
 * - `replicate`: it does; appends are streamed ahead of their answers, at most `inflightMax` of them unanswered (R13).
 * - `snapshot`: what the follower needs is compacted; nothing but heartbeats until the snapshot is there.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot';

/**
 * What a leader knows of one follower's log.
 *
 *     match < next        match: known to agree and to be on the follower's disk; next: the first entry to send
 *     replicate: next may be ahead of match + 1 by what is in flight
 */
export class Progress {
  private matchIndex: LogIndex;
  private nextIndex: LogIndex;
  private currentState: ProgressState = 'probe';
  private snapshotIndex: LogIndex | undefined;
  private snapshotIntervals = 0;
  /** The last index of every append in flight, ascending. */
  private inflight: LogIndex[] = [];
  private waiting = false;
  private sentCommitIndex: LogIndex = logIndex(0);
  private readonly inflightMax: number;
  /** The follower was heard from since the leader last checked its quorum. */
  recentlyActive = false;

  constructor(match: LogIndex, next: LogIndex, inflightMax: number) {
    this.matchIndex = match;
    this.nextIndex = next;
    this.inflightMax = inflightMax;
    this.assertOrder();
  }

  get match(): LogIndex {
    return this.matchIndex;
  }

  get next(): LogIndex {
    return this.nextIndex;
  }

  get state(): ProgressState {
    return this.currentState;
  }

  /** The snapshot under way to the follower. */
  get pendingSnapshot(): LogIndex | undefined {
    return this.snapshotIndex;
  }

  get inflightCount(): number {
    return this.inflight.length;
  }

  get isInflightFull(): boolean {
    return this.inflight.length >= this.inflightMax;
  }

  /** No append may be sent until something is heard. */
  get isPaused(): boolean {
    return this.currentState === 'snapshot' || this.waiting;
  }

  becomeProbe(): void {
    const afterSnapshot = this.snapshotIndex === undefined ? 0 : this.snapshotIndex + 1;
    this.nextIndex = logIndex(Math.max(this.matchIndex + 1, afterSnapshot));
    this.enter('probe', undefined);
    this.sentCommitIndex = logIndex(Math.min(this.sentCommitIndex, this.nextIndex - 1));
  }

  becomeReplicate(): void {
    this.nextIndex = logIndex(this.matchIndex + 1);
    this.enter('replicate', undefined);
  }

  becomeSnapshot(index: LogIndex): void {
    this.nextIndex = logIndex(index + 1);
    this.enter('snapshot', index);
    this.snapshotIntervals = 0;
    this.sentCommitIndex = index;
  }

  /**
   * The transport is done with the snapshot. Probing begins again, after the snapshot or where it was before; but not at
   * once: either the follower answers when it has installed it, or a heartbeat later it is time for another attempt.
   */
  snapshotReported(arrived: boolean): void {
    if (!arrived) this.snapshotIndex = undefined;
    this.becomeProbe();
    this.waiting = true;
  }

  /**
   * Another election time-out has passed. A snapshot that was lost on its way is not always reported, and nothing that the
   * follower says would show it: one that has been under way for a whole interval is taken for lost, and may be sent again.
   */
  intervalPassed(): void {
    if (this.currentState !== 'snapshot') return;
    this.snapshotIntervals++;
    if (this.snapshotIntervals > 1) this.snapshotReported(false);
  }

  /** An append left, with `count` entries from `next` on. */
  sentAppend(count: number, commit: LogIndex): void {
    invariant(!this.isPaused, 'nothing is sent to a paused follower');
    this.sentCommit(commit);
    if (this.currentState === 'replicate') {
      if (count > 0) {
        this.nextIndex = logIndex(this.nextIndex + count);
        this.inflight.push(logIndex(this.nextIndex - 1));
      }
      this.waiting = this.isInflightFull;
    } else {
      this.waiting = count > 0;
    }
  }

  sentCommit(commit: LogIndex): void {
    this.sentCommitIndex = commit;
  }

  /** Whether an empty append would tell the follower of a commit that no message under way tells it of. */
  lacksCommit(commit: LogIndex): boolean {
    return commit > this.sentCommitIndex && this.sentCommitIndex < this.nextIndex - 1;
  }

  /** A heartbeat was answered: the follower is there, so it may be sent to again, if only to learn what was lost. */
  resume(): void {
    this.waiting = false;
  }

  /** The logs agree up to `index`. Returns false when that was known. */
  accepted(index: LogIndex): boolean {
    const isNews = index > this.matchIndex;
    if (isNews) {
      this.matchIndex = index;
      this.nextIndex = logIndex(Math.max(this.nextIndex, index + 1));
      this.waiting = false;
    }
    this.inflight = this.inflight.filter((last) => last > index);
    this.assertOrder();
    return isNews;
  }

  /**
   * The append that followed the entry at `rejectedIndex` was refused; the logs agree at `hint` at the latest.
   * Returns false when the answer is to an old message and says nothing.
   */
  rejected(rejectedIndex: LogIndex, hint: LogIndex): boolean {
    if (this.currentState === 'replicate') {
      if (rejectedIndex <= this.matchIndex) return false;
      this.becomeProbe();
      return true;
    }
    if (this.currentState === 'snapshot' || rejectedIndex !== this.nextIndex - 1) return false;
    this.nextIndex = logIndex(Math.max(Math.min(rejectedIndex, hint + 1), this.matchIndex + 1));
    this.sentCommitIndex = logIndex(Math.min(this.sentCommitIndex, this.nextIndex - 1));
    this.waiting = false;
    return true;
  }

  private enter(state: ProgressState, snapshotIndex: LogIndex | undefined): void {
    this.currentState = state;
    this.snapshotIndex = snapshotIndex;
    this.inflight = [];
    this.waiting = false;
    this.assertOrder();
  }

  private assertOrder(): void {
    invariant(this.matchIndex < this.nextIndex, 'what is to be sent next comes after what is known to agree');
  }
}
