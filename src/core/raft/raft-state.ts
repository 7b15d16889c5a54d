import { type LogIndex, logIndex, type Term, term } from '../ids.ts';
import { invariant } from '../invariant.ts';
import type { MessageBody, RaftMessage } from './message.ts';
import { Progress } from './progress.ts';
import { assertRaftConfig, type RaftConfig } from './raft-config.ts';
import { RaftLog } from './raft-log.ts';
import { type ConfirmedRead, ReadRounds } from './read-rounds.ts';
import { Tracker } from './tracker.ts';
import type { Configuration, HardState, RaftId, Role, StoredState } from './types.ts';

/**
 * One node's Raft state and the changes of role: what the message handlers share. Changed by them alone.
 *
 * 1. The term never goes back; the vote changes within a term only from nobody to somebody.
 * 2. Nothing here sends: messages pile up in `outbox` until they may leave.
 * 3. Pre-vote and check-quorum are always on, together (R4): each alone lets a node that was cut off, or one that is, stall the group.
 */
export class RaftState {
  readonly config: RaftConfig;
  readonly log: RaftLog;
  readonly tracker: Tracker;
  reads: ReadRounds;
  /** Reads that this node asked the leader to confirm. */
  readonly forwardedReads = new Set<string>();
  /** Reads confirmed for this node's own callers. */
  confirmedReads: ConfirmedRead[] = [];
  outbox: RaftMessage[] = [];
  leader: RaftId | undefined;
  electionElapsed = 0;
  heartbeatElapsed = 0;
  private currentRole: Role = 'follower';
  private currentTerm: Term;
  private currentVote: RaftId | undefined;
  private timeoutTicks = 0;
  private hasLostLog = false;
  /** At a leader: no entry behind this one changes the configuration. */
  private lastReconfiguration: LogIndex = logIndex(0);

  constructor(config: RaftConfig, stored: StoredState) {
    assertRaftConfig(config);
    this.config = config;
    this.log = new RaftLog(stored);
    this.tracker = new Tracker(stored.snapshot.configuration);
    this.reads = new ReadRounds(config.pendingReadsMax);
    this.currentTerm = stored.hardState.term;
    this.currentVote = stored.hardState.vote;
    invariant(this.log.lastTerm <= this.currentTerm, 'the stored term is not below that of a stored entry');
    this.drawElectionTimeout();
  }

  get id(): RaftId {
    return this.config.id;
  }

  get role(): Role {
    return this.currentRole;
  }

  get term(): Term {
    return this.currentTerm;
  }

  get vote(): RaftId | undefined {
    return this.currentVote;
  }

  /** The log is shorter than what this node has acknowledged: it takes no further part (R3). */
  get isHalted(): boolean {
    return this.hasLostLog;
  }

  get hardState(): HardState {
    return { term: this.currentTerm, vote: this.currentVote, commit: this.log.committed };
  }

  /**
   * Only a voter campaigns, and not before what it knows to be committed is applied, and a snapshot that it received is on disk:
   * either may change who votes.
   */
  get isPromotable(): boolean {
    const { log } = this;
    return this.tracker.isVoter(this.id) && !log.hasUnsavedSnapshot && log.applied === log.committed;
  }

  /**
   * At a leader: whether another change of the configuration may be put into the log (R5). The one before must be applied, and what
   * earlier leaders left behind, which may be one, committed by an entry of this leader's own term.
   */
  get mayReconfigure(): boolean {
    const isSettled = this.hasCommittedInTerm && this.log.applied >= this.lastReconfiguration;
    return this.currentRole === 'leader' && isSettled;
  }

  /** This node leads, or has heard from a leader within the shortest election time-out. */
  get hasLiveLeader(): boolean {
    return this.leader !== undefined && this.electionElapsed < this.config.electionTicks;
  }

  get isElectionDue(): boolean {
    return this.electionElapsed >= this.timeoutTicks;
  }

  /** Whether an entry of this leader's own term is committed: only then does it know what is (5.4.2). */
  get hasCommittedInTerm(): boolean {
    return this.log.termAt(this.log.committed) === this.currentTerm;
  }

  send(to: RaftId, body: MessageBody, messageTerm: Term = this.currentTerm): void {
    invariant(to !== this.id, 'a node does not write to itself');
    this.outbox.push({ from: this.id, to, term: messageTerm, ...body });
  }

  castVote(candidate: RaftId): void {
    invariant(this.currentVote === undefined || this.currentVote === candidate, 'one vote in a term');
    this.currentVote = candidate;
    this.electionElapsed = 0;
  }

  becomeFollower(newTerm: Term, leader: RaftId | undefined): void {
    this.reset(newTerm);
    this.currentRole = 'follower';
    this.leader = leader;
  }

  /** Asks how an election would go. The term and the vote stay: a node that cannot win disturbs nobody (dissertation 9.6). */
  becomePreCandidate(): void {
    invariant(this.currentRole !== 'leader', 'a leader does not campaign');
    this.reset(this.currentTerm);
    this.currentRole = 'pre-candidate';
  }

  becomeCandidate(): void {
    invariant(this.currentRole === 'pre-candidate', 'an election follows a pre-election');
    this.reset(term(this.currentTerm + 1));
    this.currentRole = 'candidate';
    this.castVote(this.id);
  }

  becomeLeader(): void {
    invariant(this.currentRole === 'candidate' && this.currentVote === this.id, 'only a candidate is elected');
    this.reset(this.currentTerm);
    this.currentRole = 'leader';
    this.leader = this.id;
    const { lastIndex, persisted } = this.log;
    this.lastReconfiguration = lastIndex;
    this.tracker.resetProgress((id) => this.newProgress(id === this.id ? persisted : logIndex(0), lastIndex));
    this.tracker.progress(this.id)?.becomeReplicate();
  }

  /** The leader's entry at `index` changes the configuration once it is applied. */
  reconfiguresAt(index: LogIndex): void {
    this.lastReconfiguration = index;
  }

  /** What was applied says who takes part from now on. A leader that no longer votes steps down (R7). */
  reconfigure(configuration: Configuration): void {
    const { lastIndex } = this.log;
    this.tracker.reconfigure(configuration, () => this.newProgress(logIndex(0), lastIndex));
    if (this.currentRole !== 'follower' && !this.tracker.isVoter(this.id))
      this.becomeFollower(this.currentTerm, undefined);
  }

  forgetLeader(): void {
    this.leader = undefined;
    this.forwardedReads.clear();
  }

  halt(): void {
    this.becomeFollower(this.currentTerm, undefined);
    this.outbox = [];
    this.hasLostLog = true;
  }

  private newProgress(match: LogIndex, lastIndex: LogIndex): Progress {
    return new Progress(match, logIndex(lastIndex + 1), this.config.inflightAppendsMax);
  }

  private reset(newTerm: Term): void {
    invariant(newTerm >= this.currentTerm, 'the term never goes back');
    if (newTerm > this.currentTerm) this.currentVote = undefined;
    this.currentTerm = newTerm;
    this.forgetLeader();
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.drawElectionTimeout();
    this.tracker.resetVotes();
    this.tracker.stopProgress();
    this.reads = new ReadRounds(this.config.pendingReadsMax);
  }

  private drawElectionTimeout(): void {
    const { electionTicks, random } = this.config;
    this.timeoutTicks = electionTicks + Math.floor(random() * electionTicks);
  }
}
