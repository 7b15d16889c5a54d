import { ByteWriter, DecodeError } from '../core/bytes.ts';
import { type Container, decodeContainer, EMPTY_CONTAINER, fill, merge } from '../core/causality/container.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { NodeId } from '../core/ids.ts';
import type { Quorum } from '../core/quorum/quorum-spec.ts';
import { ReadTracker } from '../core/quorum/read-tracker.ts';
import { type ErrorCode, StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Timer } from '../ports.ts';
import { type KeyAddress, METHOD, readReadAnswer, writeReadRequest } from '../protocol.ts';
import type { ReadSnapshot } from '../replica/replica.ts';
import type { CallOutcome } from '../rpc/calls.ts';
import { type CoordinatorContext, durabilityOf, namesOf } from './coordinator-context.ts';
import { readHints } from './hint-read.ts';
import { StandIns } from './stand-ins.ts';

export interface ReadTask {
  readonly view: ClusterView;
  readonly address: KeyAddress;
  readonly quorum: Quorum;
  readonly timeoutMs: number;
  /** Fallbacks may stand in for owners that are away. */
  readonly sloppy: boolean;
}

/** What a quorum held, merged and filled. */
export interface ReadOutcome {
  readonly container: Container;
  readonly owners: number;
  readonly fallbacks: number;
  readonly hedged: number;
  readonly timings: readonly { readonly node: NodeId; readonly ms: number }[];
}

const request = new ByteWriter();

/**
 * One read: asks as many owners as must answer, this node first; another one for each that fails, and one more when the answer
 * takes longer than the hedging delay. Whoever is only suspected is asked last.
 */
export class ReadOperation {
  private readonly context: CoordinatorContext;
  private readonly task: ReadTask;
  private readonly resolve: (outcome: ReadOutcome) => void;
  private readonly reject: (error: Error) => void;
  private readonly tracker: ReadTracker;
  private readonly candidates: Member[] = [];
  private standIns: StandIns | undefined;
  /** Per fallback in use the owner that it stands in for. */
  private readonly stoodInFor = new Map<Member, Member>();
  private readonly timings: { node: NodeId; ms: number }[] = [];
  private readonly startedMs: number;
  private asked = 0;
  private hedged = 0;
  private merged: Container | undefined;
  private timer: Timer | undefined;
  private callOffOwn: (() => void) | undefined;
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
    for (let i = 0; i < this.task.quorum.total && !this.isOver; i++) this.askNext();
    // Most reads are over by now or in a moment: the one timer serves the hedge first and then the deadline.
    if (!this.isOver)
      this.timer = this.context.clock.after(Math.min(this.context.hedgeMs, this.task.timeoutMs), () => this.hedge());
  }

  private chooseCandidates(): void {
    const { detector, self, standing } = this.context;
    const suspects: Member[] = [];
    for (const owner of this.task.view.ownersOf(this.task.address.partition)) {
      const seen = owner.id === self ? 'up' : detector.seenAs(owner.id, this.startedMs);
      if (seen !== 'up') this.replace(owner);
      if (seen === 'down') this.tracker.add({ kind: 'failed', node: owner.number, reason: 'down' });
      else if (seen === 'suspect' || (owner.id === self && !standing.readable)) suspects.push(owner);
      else if (owner.id === self) this.candidates.unshift(owner);
      else this.candidates.push(owner);
    }
    this.candidates.push(...this.stoodInFor.keys(), ...suspects);
  }

  /** Names a fallback to stand in for the owner, if there is one. To be called before the tracker hears of the failure. */
  private replace(owner: Member): Member | undefined {
    const { view, address, sloppy } = this.task;
    if (!sloppy) return undefined;
    this.standIns ??= new StandIns(this.context, view, address.partition);
    const fallback = this.standIns.take(owner);
    if (fallback === undefined) return undefined;
    this.stoodInFor.set(fallback, owner);
    this.tracker.standIn(fallback.number, owner.number);
    return fallback;
  }

  /** False when everyone has been asked. */
  private askNext(): boolean {
    const owner = this.candidates[this.asked];
    if (owner === undefined) return false;
    this.asked++;
    if (this.stoodInFor.has(owner)) this.askFallback(owner);
    else this.askOwner(owner);
    return true;
  }

  private askOwner(owner: Member): void {
    this.tracker.ask(owner.number);
    if (owner.id === this.context.self) this.askSelf(owner);
    else this.askPeer(owner);
  }

  private askFallback(fallback: Member): void {
    const leftMs = this.task.timeoutMs - (this.context.clock.monotonicMs() - this.startedMs);
    readHints(this.context, fallback, this.task.address, leftMs, (answer) => {
      if (this.isOver) return;
      if (answer.kind === 'timeout') this.fail(...this.deadline());
      else if (answer.kind === 'failed') this.lost(fallback, answer.reason);
      else if (answer.held === undefined) this.lost(fallback, 'no-hint');
      else this.answered(fallback, answer.held);
    });
  }

  private askPeer(owner: Member): void {
    writeReadRequest(request.reset(), this.task.address);
    const remainingMs = this.task.timeoutMs - (this.context.clock.monotonicMs() - this.startedMs);
    this.context.calls.call(owner.id, METHOD.read, request.view(), remainingMs, (outcome) =>
      this.heard(owner, outcome),
    );
  }

  private heard(owner: Member, outcome: CallOutcome): void {
    if (this.isOver) return;
    // A call has all the time that the request has left: when it is up, so is the request's.
    if (outcome.kind === 'failed' && outcome.reason === 'timeout') return this.fail(...this.deadline());
    if (outcome.kind !== 'reply') return this.lost(owner, outcome.kind === 'failed' ? outcome.reason : outcome.message);
    try {
      const { clock, stored } = readReadAnswer(outcome.body);
      this.answered(owner, fill(stored ?? EMPTY_CONTAINER, clock));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.lost(owner, `malformed answer: ${error.message}`);
    }
  }

  private askSelf(owner: Member): void {
    const { standing, replica, store } = this.context;
    this.callOffOwn = standing.whenReadable(() => {
      try {
        const snapshot = replica.read(this.task.address);
        if (snapshot.sequence === 0) return this.answered(owner, filled(snapshot));
        store.durable(snapshot.sequence, durabilityOf(this.task.view)).then(
          () => this.answered(owner, filled(snapshot)),
          (error: unknown) => this.lost(owner, reasonOf(error)),
        );
      } catch (error) {
        if (!(error instanceof StoreError || error instanceof DecodeError)) throw error;
        this.lost(owner, reasonOf(error));
      }
    });
  }

  private answered(owner: Member, container: Container): void {
    if (this.isOver) return;
    this.merged = this.merged === undefined ? container : merge(this.merged, container);
    this.timings.push({ node: owner.id, ms: this.context.clock.monotonicMs() - this.startedMs });
    const holdsHint = this.stoodInFor.has(owner);
    if (this.tracker.add({ kind: 'answered', node: owner.number, holdsHint }) === 'met') this.finish(this.merged);
  }

  private lost(owner: Member, reason: string): void {
    if (this.isOver) return;
    if (reason !== 'no-hint') this.replaceLost(owner);
    const outcome = this.tracker.add({ kind: 'failed', node: owner.number, reason });
    if (outcome === 'failed') this.fail('quorum-impossible', 'too few owners could answer');
    else this.askNext();
  }

  /** One that was only suspected has been replaced already. */
  private replaceLost(lost: Member): void {
    if ([...this.stoodInFor.values()].includes(lost)) return;
    const fallback = this.replace(this.stoodInFor.get(lost) ?? lost);
    if (fallback !== undefined) this.candidates.push(fallback);
  }

  private hedge(): void {
    const leftMs = this.task.timeoutMs - (this.context.clock.monotonicMs() - this.startedMs);
    if (leftMs <= 0) return this.fail(...this.deadline());
    if (this.askNext()) this.hedged++;
    if (!this.isOver) this.timer = this.context.clock.after(leftMs, () => this.fail(...this.deadline()));
  }

  private deadline(): [ErrorCode, string] {
    const { acked } = this.tracker.report();
    return [
      'deadline-exceeded',
      `${acked.length} of ${this.task.quorum.total} required answers within ${this.task.timeoutMs} ms`,
    ];
  }

  private finish(container: Container): void {
    this.end();
    const { owners, fallbacks } = this.tracker.counts();
    this.resolve({ container, owners, fallbacks, hedged: this.hedged, timings: this.timings });
  }

  private end(): void {
    this.isOver = true;
    this.timer?.cancel();
    this.callOffOwn?.();
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
  }
}

const numberOf = (member: Member): Member['number'] => member.number;

function filled({ clock, stored }: ReadSnapshot): Container {
  return fill(stored === undefined ? EMPTY_CONTAINER : decodeContainer(stored), clock);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
