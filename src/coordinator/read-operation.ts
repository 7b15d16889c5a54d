import type { Container } from '../core/causality/container.ts';
import { EMPTY_DOTS } from '../core/causality/dot-set.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { NodeId } from '../core/ids.ts';
import type { Quorum } from '../core/quorum/quorum-spec.ts';
import { ReadTracker } from '../core/quorum/read-tracker.ts';
import { type ErrorCode, StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Timer } from '../ports.ts';
import type { KeyAddress, ReplicateRequest } from '../protocol.ts';
import { type CoordinatorContext, durabilityOf, quorumDetails } from './coordinator-context.ts';
import type { AskedAs, ReadTimeline } from './explanation.ts';
import { readHints } from './hint-read.ts';
import { ReadAnswers } from './read-answers.ts';
import { ReadCandidates } from './read-candidates.ts';
import type { BringDone } from './read-repairs.ts';
import { askPeer, askSelf, type ReadListener } from './replica-read.ts';
import { type FetchOutcome, fetchVersions } from './version-fetch.ts';
import { writeBack } from './write-back.ts';

export interface ReadTask {
  readonly view: ClusterView;
  readonly address: KeyAddress;
  readonly quorum: Quorum;
  readonly timeoutMs: number;
  /** Fallbacks may stand in for owners that are away. */
  readonly sloppy: boolean;
  /** Keeps what is done, for a request that asks for it. */
  readonly timeline?: ReadTimeline | undefined;
}

/** What a quorum held, merged and filled. */
export interface ReadOutcome {
  readonly container: Container;
  readonly owners: number;
  readonly fallbacks: number;
  readonly hedged: number;
  readonly timings: readonly { readonly node: NodeId; readonly ms: number }[];
}

/**
 * One read: asks as many owners as must answer, this node first; another one for each that fails, and one more when the answer
 * takes longer than the hedging delay. A sloppy one asks a fallback for its hints in the place of each owner that is away or fails;
 * whoever is only suspected is asked last, unless `pr` demands more owners than are there.
 *
 * What a quorum of owners answered is on as many of them before it is shown (H11): else a read after it could ask just those that
 * lack it. Where a fallback stood in, that quorum is the `pr` owners that the request demands. Which owner is behind otherwise,
 * having answered too late to count say, is repaired after the answer, once nobody who was asked can answer any more; a fallback never
 * is: it holds what was kept for others, and has no copy of the key.
 */
export class ReadOperation implements ReadListener {
  private readonly context: CoordinatorContext;
  private readonly task: ReadTask;
  private readonly resolve: (outcome: ReadOutcome) => void;
  private readonly reject: (error: Error) => void;
  private readonly tracker: ReadTracker;
  private readonly candidates: ReadCandidates;
  private readonly answers = new ReadAnswers();
  private readonly startedMs: number;
  private readonly lostHolders: number[] = [];
  private ownersAsked = 0;
  private hedged = 0;
  /** Asked, and neither answered nor lost. */
  private open = 0;
  private timer: Timer | undefined;
  private callOffOwn: (() => boolean) | undefined;
  private isMet = false;
  /** For a version that nobody who told of it can give any more: another owner may have it too. */
  private isSeeking = false;
  private isOver = false;

  constructor(
    context: CoordinatorContext,
    task: ReadTask,
    resolve: (outcome: ReadOutcome) => void,
    reject: (error: Error) => void,
  ) {
    this.context = context;
    this.task = task;
    this.resolve = resolve;
    this.reject = reject;
    this.startedMs = context.clock.monotonicMs();
    this.tracker = new ReadTracker([
      { owners: task.view.ownersOf(task.address.partition).map(numberOf), quorum: task.quorum },
    ]);
    this.candidates = new ReadCandidates(context, task, this.tracker, ({ id }, reason) =>
      task.timeline?.passedOver(id, reason),
    );
  }

  start(): void {
    if (this.tracker.outcome === 'failed') return this.fail('quorum-impossible', 'too few owners are reachable');
    for (let i = 0; i < this.task.quorum.total && !this.isOver; i++) this.askNext('owner');
    // Most reads are over by now or in a moment: the one timer serves the hedge first and then the deadline.
    if (!this.isMet && !this.isOver)
      this.timer = this.context.clock.after(Math.min(this.context.hedge.delayMs, this.task.timeoutMs), () =>
        this.hedge(),
      );
  }

  /** By an owner, or by a fallback that holds a hint. */
  answered(member: Member, container: Container, digest: boolean, deletions = EMPTY_DOTS): void {
    this.open--;
    const isOwner = this.candidates.ownerBehind(member) === undefined;
    const ms = this.context.clock.monotonicMs() - this.startedMs;
    this.answers.add({ member, isOwner, ms }, container, digest, deletions);
    this.task.timeline?.answered(member.id, container, digest);
    if (this.isMet || this.isOver) return this.heardMore();
    if (this.tracker.add({ kind: 'answered', node: member.number, holdsHint: true }) === 'met') this.met();
  }

  lost(member: Member, reason: string): void {
    this.open--;
    this.task.timeline?.failed(member.id, reason);
    if (this.isMet || this.isOver) return this.heardMore();
    if (reason !== NO_HINT) this.candidates.replaceLost(member);
    const outcome = this.tracker.add({ kind: 'failed', node: member.number, reason });
    if (outcome === 'failed') this.fail('quorum-impossible', 'too few owners could answer');
    else this.askNext('replacement');
  }

  /** Who is asked has all the time that the request has left: when it is up, so is the request's. */
  timedOut(member: Member): void {
    this.open--;
    this.task.timeline?.failed(member.id, 'timeout');
    if (this.isOver) this.repairWhenQuiet();
    else this.fail(...this.deadline());
  }

  /** False when everyone has been asked. */
  private askNext(askedAs: AskedAs): boolean {
    const member = this.candidates.next();
    if (member === undefined) return false;
    this.open++;
    const owner = this.candidates.ownerBehind(member);
    if (owner === undefined) this.askOwner(member, askedAs);
    else this.askFallback(member, owner);
    return true;
  }

  private askOwner(owner: Member, askedAs: AskedAs): void {
    this.ownersAsked++;
    this.tracker.ask(owner.number);
    this.task.timeline?.asked(owner.id, askedAs);
    const { view, address } = this.task;
    if (owner.id === this.context.self)
      this.callOffOwn = askSelf(this.context, owner, address, durabilityOf(view), this);
    else askPeer(this.context, owner, address, askedAs === 'owner' && this.ownersAsked > 1, this.leftMs(), this);
  }

  private askFallback(fallback: Member, owner: Member): void {
    this.task.timeline?.asked(fallback.id, 'fallback', owner.id);
    readHints(this.context, fallback, this.task.address, this.leftMs(), (answer) => {
      if (answer.kind === 'timeout') this.timedOut(fallback);
      else if (answer.kind === 'failed') this.lost(fallback, answer.reason);
      else if (answer.held === undefined) this.lost(fallback, NO_HINT);
      else this.answered(fallback, answer.held, false);
    });
  }

  private hedge(): void {
    const leftMs = this.leftMs();
    if (leftMs <= 0) return this.fail(...this.deadline());
    if (this.askNext('hedge')) this.hedged++;
    if (!this.isOver) this.awaitDeadline();
  }

  private awaitDeadline(): void {
    this.timer?.cancel();
    this.timer = this.context.clock.after(this.leftMs(), () => this.fail(...this.deadline()));
  }

  private leftMs(): number {
    return this.task.timeoutMs - (this.context.clock.monotonicMs() - this.startedMs);
  }

  private deadline(): [ErrorCode, string] {
    const { acked } = this.tracker.report();
    const { timeoutMs, quorum } = this.task;
    return this.isMet
      ? ['deadline-exceeded', `not on ${this.ownersDemanded} owners, as what is shown must be, within ${timeoutMs} ms`]
      : ['deadline-exceeded', `${acked.length} of ${quorum.total} required answers within ${timeoutMs} ms`];
  }

  private met(): void {
    this.isMet = true;
    this.task.timeline?.met();
    if (this.answers.merged.isWhole) return this.conclude();
    this.awaitDeadline();
    this.completeVersions();
  }

  private completeVersions(): void {
    this.isSeeking = false;
    this.fetchVersions((outcome) => {
      if (this.isOver) return;
      this.isSeeking = outcome === 'failed';
      if (outcome === 'whole') this.conclude();
      else if (outcome === 'timeout') this.fail(...this.deadline());
      else if (this.open === 0 && !this.askNext('replacement'))
        this.fail('quorum-impossible', 'the owners that told of the value were lost');
    });
  }

  private heardMore(): void {
    if (this.isSeeking && !this.isOver) this.completeVersions();
    else this.repairWhenQuiet();
  }

  private fetchVersions(done: (outcome: FetchOutcome) => void): void {
    const { timeline, address } = this.task;
    const task = {
      ...{ address, answers: this.answers.merged, lost: this.lostHolders, leftMs: () => this.leftMs() },
      ownerOf: (index: number) => this.answers.memberOf(index),
      fetched: timeline && ((owner: Member, container: Container) => timeline.fetched(owner.id, container)),
    };
    fetchVersions(this.context, task, done);
  }

  /** What was merged by now is the result: what comes later is for repairs alone. */
  private conclude(): void {
    const { container } = this.answers.merged;
    this.task.timeline?.decided(container);
    const behind = this.answers.ownersBehind();
    const needed = this.ownersDemanded - (this.answers.owners - behind.length);
    if (needed <= 0) this.finish(container);
    else this.writeBack(container, behind, needed);
  }

  /** So many must have what is shown: a quorum of owners, or with fallbacks in it, as many owners as the request demands. */
  private get ownersDemanded(): number {
    const { total, owners } = this.task.quorum;
    return this.tracker.counts().owners < total ? owners : total;
  }

  private writeBack(container: Container, behind: readonly number[], needed: number): void {
    this.awaitDeadline();
    const update = this.answers.update(this.task.address);
    const task = {
      needed,
      behind: behind.map((index) => this.answers.bringing(index)),
      spare: this.candidates.unaskedOwners.map(({ id }) => id),
      bring: (owner: NodeId, done: BringDone) => this.bring(owner, update, done),
    };
    writeBack(task, (isEnough) => {
      if (this.isOver) return;
      if (isEnough) this.finish(container);
      else if (this.leftMs() < 1) this.fail(...this.deadline());
      else this.fail('quorum-impossible', 'too few owners could take in what the read found');
    });
  }

  private bring(owner: NodeId, update: ReplicateRequest, done: BringDone): void {
    const { timeline } = this.task;
    timeline?.writesBack(owner);
    this.context.readRepairs.writeBack(owner, update, this.leftMs(), (failure) => {
      timeline?.wroteBack(owner, failure);
      done(failure);
    });
  }

  private finish(container: Container): void {
    this.end();
    const { owners, fallbacks } = this.tracker.counts();
    this.resolve({ container, owners, fallbacks, hedged: this.hedged, timings: this.answers.timings });
    this.repairWhenQuiet();
  }

  private end(): void {
    this.isOver = true;
    this.timer?.cancel();
    if (this.callOffOwn?.()) this.open--;
  }

  private repairWhenQuiet(): void {
    if (!this.isOver || this.open > 0) return;
    if (this.answers.ownersBehind().length > 0) this.fetchVersions((outcome) => outcome === 'whole' && this.repair());
  }

  private repair(): void {
    const behind = this.answers.ownersBehind();
    const owners = behind.map((index) => this.answers.bringing(index));
    this.task.timeline?.repairs(owners);
    this.context.readRepairs.repairLater(owners, this.answers.update(this.task.address));
  }

  private fail(code: ErrorCode, message: string): void {
    if (this.isOver) return;
    this.end();
    const { view, quorum } = this.task;
    const details = quorumDetails(view, quorum.total, this.tracker.report());
    this.reject(new StoreError(code, message, { ...details, retryable: true }));
    this.repairWhenQuiet();
  }
}

/** Says nothing about the key: only owners can assert that there is none. */
const NO_HINT = 'no-hint';

const numberOf = (member: Member): Member['number'] => member.number;
