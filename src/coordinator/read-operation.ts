import type { Container } from '../core/causality/container.ts';
import { MergedAnswers } from '../core/causality/merged-answers.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { NodeId } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import type { Quorum } from '../core/quorum/quorum-spec.ts';
import { ReadTracker } from '../core/quorum/read-tracker.ts';
import { type ErrorCode, StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Timer } from '../ports.ts';
import type { KeyAddress, ReplicateRequest } from '../protocol.ts';
import { type CoordinatorContext, durabilityOf, namesOf } from './coordinator-context.ts';
import type { AskedAs, ReadTimeline } from './explanation.ts';
import type { BringDone } from './read-repairs.ts';
import { askPeer, askSelf, type ReadListener } from './replica-read.ts';
import { type FetchOutcome, fetchVersions } from './version-fetch.ts';
import { writeBack } from './write-back.ts';

export interface ReadTask {
  readonly view: ClusterView;
  readonly address: KeyAddress;
  readonly quorum: Quorum;
  readonly timeoutMs: number;
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
 * takes longer than the hedging delay. Whoever is only suspected is asked last.
 *
 * What a quorum of owners answered is on as many of them before it is shown (H11): else a read after it could ask just those that
 * lack it. Who is behind otherwise, having answered too late to count say, is repaired after the answer, once nobody who was asked
 * can answer any more.
 */
export class ReadOperation implements ReadListener {
  private readonly context: CoordinatorContext;
  private readonly task: ReadTask;
  private readonly resolve: (outcome: ReadOutcome) => void;
  private readonly reject: (error: Error) => void;
  private readonly tracker: ReadTracker;
  private readonly candidates: Member[] = [];
  private readonly answers = new MergedAnswers();
  /** Of each of the answers, in their order. */
  private readonly timings: { node: NodeId; ms: number }[] = [];
  private readonly startedMs: number;
  private asked = 0;
  private hedged = 0;
  /** Asked, and neither answered nor lost. */
  private open = 0;
  private timer: Timer | undefined;
  private callOffOwn: (() => boolean) | undefined;
  private isMet = false;
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
  }

  start(): void {
    this.chooseCandidates();
    if (this.tracker.outcome === 'failed') return this.fail('quorum-impossible', 'too few owners are reachable');
    for (let i = 0; i < this.task.quorum.total && !this.isOver; i++) this.askNext('owner');
    // Most reads are over by now or in a moment: the one timer serves the hedge first and then the deadline.
    if (!this.isMet && !this.isOver)
      this.timer = this.context.clock.after(Math.min(this.context.hedge.delayMs, this.task.timeoutMs), () =>
        this.hedge(),
      );
  }

  answered(owner: Member, container: Container, digest: boolean): void {
    this.open--;
    this.answers.add(container, digest);
    this.task.timeline?.answered(owner.id, container, digest);
    this.timings.push({ node: owner.id, ms: this.context.clock.monotonicMs() - this.startedMs });
    if (this.isMet || this.isOver) return this.repairWhenQuiet();
    if (this.tracker.add({ kind: 'answered', node: owner.number }) === 'met') this.met();
  }

  lost(owner: Member, reason: string): void {
    this.open--;
    this.task.timeline?.failed(owner.id, reason);
    if (this.isMet || this.isOver) return this.repairWhenQuiet();
    const outcome = this.tracker.add({ kind: 'failed', node: owner.number, reason });
    if (outcome === 'failed') this.fail('quorum-impossible', 'too few owners could answer');
    else this.askNext('replacement');
  }

  /** An owner has all the time that the request has left: when it is up, so is the request's. */
  timedOut(owner: Member): void {
    this.open--;
    this.task.timeline?.failed(owner.id, 'timeout');
    if (this.isOver) this.repairWhenQuiet();
    else this.fail(...this.deadline());
  }

  private chooseCandidates(): void {
    const { detector, self, standing } = this.context;
    const suspects: Member[] = [];
    for (const owner of this.task.view.ownersOf(this.task.address.partition)) {
      const seen = owner.id === self ? 'up' : detector.seenAs(owner.id, this.startedMs);
      if (seen === 'down') this.passOver(owner);
      else if (seen === 'suspect' || (owner.id === self && !standing.readable)) suspects.push(owner);
      else if (owner.id === self) this.candidates.unshift(owner);
      else this.candidates.push(owner);
    }
    this.candidates.push(...suspects);
  }

  private passOver(owner: Member): void {
    this.tracker.add({ kind: 'failed', node: owner.number, reason: 'down' });
    this.task.timeline?.passedOver(owner.id, 'down');
  }

  /** False when everyone has been asked. */
  private askNext(askedAs: AskedAs): boolean {
    const owner = this.candidates[this.asked];
    if (owner === undefined) return false;
    this.asked++;
    this.open++;
    this.tracker.ask(owner.number);
    this.task.timeline?.asked(owner.id, askedAs);
    const { view, address } = this.task;
    if (owner.id === this.context.self)
      this.callOffOwn = askSelf(this.context, owner, address, durabilityOf(view), this);
    else askPeer(this.context, owner, address, askedAs === 'owner' && this.asked > 1, this.leftMs(), this);
    return true;
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
      ? ['deadline-exceeded', `not on ${quorum.total} owners, as what is shown must be, within ${timeoutMs} ms`]
      : ['deadline-exceeded', `${acked.length} of ${quorum.total} required answers within ${timeoutMs} ms`];
  }

  private met(): void {
    this.isMet = true;
    this.task.timeline?.met();
    if (this.answers.isWhole) return this.conclude();
    this.awaitDeadline();
    this.fetchVersions((outcome) => {
      if (this.isOver) return;
      if (outcome === 'whole') this.conclude();
      else if (outcome === 'timeout') this.fail(...this.deadline());
      else this.fail('quorum-impossible', 'the owners that told of the value were lost');
    });
  }

  private fetchVersions(done: (outcome: FetchOutcome) => void): void {
    const { timeline, address } = this.task;
    const task = {
      ...{ address, answers: this.answers, leftMs: () => this.leftMs() },
      ownerOf: (index: number) => this.answerer(index),
      fetched: timeline && ((owner: Member, container: Container) => timeline.fetched(owner.id, container)),
    };
    fetchVersions(this.context, task, done);
  }

  /** What was merged by now is the result: what comes later is for repairs alone. */
  private conclude(): void {
    const { container } = this.answers;
    this.task.timeline?.decided(container);
    const behind = this.answers.behind();
    const { total } = this.task.quorum;
    const needed = total - (this.timings.length - behind.length);
    const { owners, fallbacks } = this.tracker.counts();
    if (needed <= 0 || fallbacks > 0 || owners < total) this.finish(container);
    else this.writeBack(container, behind, needed);
  }

  private writeBack(container: Container, behind: readonly number[], needed: number): void {
    this.awaitDeadline();
    const update = this.update();
    const task = {
      needed,
      behind: behind.map((index) => this.bringing(index)),
      spare: this.candidates.slice(this.asked).map(({ id }) => id),
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
    this.resolve({ container, owners, fallbacks, hedged: this.hedged, timings: this.timings });
    this.repairWhenQuiet();
  }

  private end(): void {
    this.isOver = true;
    this.timer?.cancel();
    if (this.callOffOwn?.()) this.open--;
  }

  private repairWhenQuiet(): void {
    if (!this.isOver || this.open > 0) return;
    if (this.answers.behind().length > 0) this.fetchVersions((outcome) => outcome === 'whole' && this.repair());
  }

  private repair(): void {
    const behind = this.answers.behind();
    const owners = behind.map((index) => this.bringing(index));
    this.task.timeline?.repairs(owners);
    this.context.readRepairs.repairLater(owners, this.update());
  }

  /** Whose answer that is. From now on it counts as up to date. */
  private bringing(index: number): NodeId {
    this.answers.brought(index);
    return this.answerer(index).id;
  }

  private answerer(index: number): Member {
    const owner = this.candidates.find(({ id }) => id === this.timings[index]?.node);
    invariant(owner !== undefined, 'answers are of those that were asked');
    return owner;
  }

  private update(): ReplicateRequest {
    const { container, named, isWhole } = this.answers;
    invariant(isWhole, 'only what is known is sent on');
    return { ...this.task.address, dots: named, container };
  }

  private fail(code: ErrorCode, message: string): void {
    if (this.isOver) return;
    this.end();
    const { view, quorum } = this.task;
    const { acked, failed, pending } = this.tracker.report();
    this.reject(
      new StoreError(code, message, {
        required: quorum.total,
        acked: namesOf(view, acked),
        failed: failed.map(({ node, reason }) => ({ node: view.withNumber(node).id, reason })),
        pending: namesOf(view, pending),
        retryable: true,
        epoch: view.epoch,
      }),
    );
    this.repairWhenQuiet();
  }
}

const numberOf = (member: Member): Member['number'] => member.number;
