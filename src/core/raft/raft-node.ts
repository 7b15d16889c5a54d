import type { LogIndex, Term } from '../ids.ts';
import { invariant } from '../invariant.ts';
import { campaign, countOwnVote } from './election.ts';
import { tickFollower } from './follower.ts';
import { appendProposal, handleSnapshotReport, handleUnreachable, takeRead, tickLeader } from './leader.ts';
import { type RaftMessage, READ_TOKEN_LENGTH_MAX } from './message.ts';
import type { ProgressState } from './progress.ts';
import type { RaftConfig } from './raft-config.ts';
import { RaftState } from './raft-state.ts';
import type { Ready } from './ready.ts';
import { acknowledgeOwn, advanceCommit, broadcastAppend } from './replication.ts';
import { step } from './step.ts';
import type { Configuration, Entry, HardState, RaftId, Role, Snapshot, StoredState } from './types.ts';

export type ProposeResult =
  /** In the leader's log: committed if and when an entry of this term at this index is applied, else lost. */
  | { readonly kind: 'appended'; readonly index: LogIndex; readonly term: Term }
  /** On its way to the leader, with no promise that it arrives. */
  | { readonly kind: 'forwarded'; readonly to: RaftId }
  | Refusal;

export type ReadResult = { readonly kind: 'pending' } | Refusal;

/** `no-leader`: none is known. `dropped`: a limit is reached. Either way nothing was done and a retry is harmless. */
interface Refusal {
  readonly kind: 'refused';
  readonly reason: 'no-leader' | 'dropped';
}

/**
 * Raft as a machine (Ongaro and Ousterhout 2014; Ongaro's dissertation): no clock, no chance of its own, nothing sent.
 * It is fed messages, ticks and requests, and says in {@link Ready} what is to be done about them.
 */
export class RaftNode {
  private readonly raft: RaftState;
  private handedOut: HardState;
  private isReadyOutstanding = false;
  /** Bytes of forwarded proposals that no Ready has given out yet. */
  private forwardedBytes = 0;

  /** `stored` is what the disk holds, or {@link foundingState}, or {@link joiningState}: the caller has stored these too. */
  constructor(config: RaftConfig, stored: StoredState) {
    this.raft = new RaftState(config, stored);
    this.handedOut = this.raft.hardState;
  }

  get id(): RaftId {
    return this.raft.id;
  }

  /** As far as this node knows. */
  get leader(): RaftId | undefined {
    return this.raft.leader;
  }

  /** Takes a message that {@link parseRaftMessage} made or another machine gave out. */
  step(message: RaftMessage): void {
    step(this.raft, message);
  }

  /** Time passes. */
  tick(): void {
    if (this.raft.isHalted) return;
    if (this.raft.role === 'leader') tickLeader(this.raft);
    else tickFollower(this.raft);
  }

  /** Campaigns without waiting for the election time-out. */
  campaign(): void {
    if (!this.raft.isHalted) campaign(this.raft);
  }

  /** Asks for `data`, which is not empty, to be put into the log. The machine keeps it and may give it out: do not change it. */
  propose(data: Uint8Array): ProposeResult {
    invariant(data.length > 0, 'only a leader\u2019s first entry is empty');
    const { raft } = this;
    if (raft.role === 'leader') {
      const index = appendProposal(raft, data);
      return index === undefined ? refused('dropped') : { kind: 'appended', index, term: raft.term };
    }
    if (raft.leader === undefined) return refused('no-leader');
    // While a flush is slow nothing leaves: what waits for it is bounded like what a leader has uncommitted.
    const isTooMuch = this.forwardedBytes + data.length > raft.config.uncommittedBytesMax;
    if (this.forwardedBytes > 0 && isTooMuch) return refused('dropped');
    this.forwardedBytes += data.length;
    raft.send(raft.leader, { kind: 'propose', data });
    return { kind: 'forwarded', to: raft.leader };
  }

  /**
   * Leader only: puts `data` into the log, which will change the configuration once it is applied; {@link reconfigure} must be called
   * then. One server at a time (dissertation 4.1): each configuration differs from the one before by one voter at most.
   * Refused, besides, while an earlier change is not applied or nothing of this term is committed yet (R5).
   */
  proposeReconfiguration(data: Uint8Array): ProposeResult {
    const { raft } = this;
    if (!raft.mayReconfigure) return refused(raft.role === 'leader' ? 'dropped' : 'no-leader');
    const index = appendProposal(raft, data);
    if (index === undefined) return refused('dropped');
    raft.reconfiguresAt(index);
    return { kind: 'appended', index, term: raft.term };
  }

  /** An applied entry has changed who takes part. */
  reconfigure(configuration: Configuration): void {
    const { raft } = this;
    raft.reconfigure(configuration);
    if (raft.role !== 'leader') return;
    // With fewer voters a quorum may have everything already; newcomers are sent what they lack.
    advanceCommit(raft);
    broadcastAppend(raft);
  }

  /**
   * Asks how far the log was committed at some moment from now on; the answer comes in {@link Ready.reads}, or never, when
   * the leader changes or a message is lost: ask again under a new token after a while.
   * `token` must not be used twice, by an earlier life of this process neither, or an old answer would be taken for the new one.
   */
  readIndex(token: string): ReadResult {
    invariant(token.length <= READ_TOKEN_LENGTH_MAX, 'a read\u2019s token is short');
    const { raft } = this;
    if (raft.role === 'leader')
      return takeRead(raft, { from: raft.id, token }) ? { kind: 'pending' } : refused('dropped');
    if (raft.leader === undefined) return refused('no-leader');
    if (raft.forwardedReads.size >= raft.config.pendingReadsMax) return refused('dropped');
    raft.forwardedReads.add(token);
    raft.send(raft.leader, { kind: 'read-index', token });
    return { kind: 'pending' };
  }

  /** A message to `id` was not delivered. */
  reportUnreachable(id: RaftId): void {
    handleUnreachable(this.raft, id);
  }

  /**
   * What became of the sending of a snapshot to `id`. Without a report the wait ends with the follower's own answer, or after
   * one to two election time-outs with another attempt.
   */
  reportSnapshot(id: RaftId, arrived: boolean): void {
    handleSnapshotReport(this.raft, id, arrived);
  }

  /**
   * Makes `data`, the state machine as of the applied `index`, the snapshot, and forgets the log up to there but for the last
   * `keepEntries`. Returns the snapshot, to be stored before the entries up to its index are deleted from disk; undefined
   * when there is one as new already.
   */
  compact(index: LogIndex, data: Uint8Array, keepEntries = 0): Snapshot | undefined {
    return this.raft.log.compact(index, this.raft.tracker.configuration, data, keepEntries);
  }

  /** The entries that were not applied yet, those included of which it is not known whether they are committed. */
  unapplied(): readonly Entry[] {
    return this.raft.log.unapplied;
  }

  /** What is to be done now; undefined when that is nothing, or {@link advance} was not called for the last one. */
  ready(): Ready | undefined {
    const { raft } = this;
    if (this.isReadyOutstanding || raft.isHalted || !this.hasWork()) return undefined;
    const before = this.handedOut;
    const after = raft.hardState;
    const { snapshot, unpersisted, committed } = raft.log.handOut();
    const isPromise = after.term !== before.term || after.vote !== before.vote;
    const ready = {
      hardState: isPromise || after.commit !== before.commit ? after : undefined,
      snapshot,
      entries: unpersisted,
      mustFlush: isPromise || unpersisted.length > 0 || snapshot !== undefined,
      messages: raft.outbox,
      committed,
      reads: raft.confirmedReads,
    };
    invariant(after.term >= before.term && after.commit >= before.commit, 'term and commit index never go back');
    raft.outbox = [];
    raft.confirmedReads = [];
    this.forwardedBytes = 0;
    this.handedOut = after;
    this.isReadyOutstanding = true;
    return ready;
  }

  /** The last Ready is written and flushed, and will be applied before anything else is asked of the machine. */
  advance(): void {
    invariant(this.isReadyOutstanding, 'only a Ready that was given out is done');
    const { raft } = this;
    this.isReadyOutstanding = false;
    raft.log.handedOutIsDone();
    if (raft.role === 'leader') acknowledgeOwn(raft);
    const { term, vote } = this.handedOut;
    if (term === raft.term && vote === raft.id) countOwnVote(raft);
  }

  status(): RaftStatus {
    const { raft } = this;
    return {
      id: raft.id,
      role: raft.role,
      term: raft.term,
      vote: raft.vote,
      leader: raft.leader,
      commit: raft.log.committed,
      applied: raft.log.applied,
      firstIndex: raft.log.firstIndex,
      lastIndex: raft.log.lastIndex,
      uncommittedBytes: raft.log.uncommittedBytes,
      configuration: raft.tracker.configuration,
      isHalted: raft.isHalted,
      followers: this.followers(),
    };
  }

  private followers(): readonly FollowerStatus[] {
    return this.raft.tracker.members.flatMap((id) => {
      const progress = this.raft.tracker.progress(id);
      if (progress === undefined) return [];
      const { match, next, state, isPaused, inflightCount, recentlyActive, pendingSnapshot } = progress;
      return [{ id, match, next, state, isPaused, inflightCount, recentlyActive, pendingSnapshot }];
    });
  }

  private hasWork(): boolean {
    const { raft } = this;
    const { term, vote, commit } = this.handedOut;
    return (
      raft.outbox.length > 0 ||
      raft.confirmedReads.length > 0 ||
      raft.log.hasWork ||
      raft.term !== term ||
      raft.vote !== vote ||
      raft.log.committed !== commit
    );
  }
}

export interface RaftStatus {
  readonly id: RaftId;
  readonly role: Role;
  readonly term: Term;
  readonly vote: RaftId | undefined;
  readonly leader: RaftId | undefined;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly uncommittedBytes: number;
  readonly configuration: Configuration;
  /** The disk has lost what this node promised: it takes no further part and must come back under a new id (R3). */
  readonly isHalted: boolean;
  /** At a leader: every member, itself included. */
  readonly followers: readonly FollowerStatus[];
}

export interface FollowerStatus {
  readonly id: RaftId;
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly state: ProgressState;
  readonly isPaused: boolean;
  readonly inflightCount: number;
  readonly recentlyActive: boolean;
  readonly pendingSnapshot: LogIndex | undefined;
}

function refused(reason: Refusal['reason']): Refusal {
  return { kind: 'refused', reason };
}
