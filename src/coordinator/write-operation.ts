import { ByteWriter } from '../core/bytes.ts';
import type { Container } from '../core/causality/container.ts';
import type { Actor, Dot } from '../core/causality/dot.ts';
import { addDot, type DotSet } from '../core/causality/dot-set.ts';
import { encodeVersion } from '../core/causality/version.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { NodeId } from '../core/ids.ts';
import { WriteTracker } from '../core/quorum/write-tracker.ts';
import { type ErrorCode, type ErrorDetails, StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Durability, Timer } from '../ports.ts';
import { type ForwardedWrite, METHOD, writeReplicateRequest } from '../protocol.ts';
import type { Replica } from '../replica/replica.ts';
import type { CallOutcome } from '../rpc/calls.ts';
import { type CoordinatorContext, durabilityOf, namesOf } from './coordinator-context.ts';

export interface WriteTask {
  readonly view: ClusterView;
  readonly write: ForwardedWrite;
  readonly timeoutMs: number;
}

export interface WriteOutcome {
  readonly dot: Dot;
  /** What the write's context covered, and its own dot: the answer's context. */
  readonly context: DotSet;
  /** What this replica held after the write. */
  readonly container: Container;
  readonly durable: Durability;
  readonly owners: number;
  readonly fallbacks: number;
  readonly timings: readonly { readonly node: NodeId; readonly ms: number }[];
}

const request = new ByteWriter();

/**
 * One write, coordinated by this owner: stored here in one step, sent to the other owners while the local flush is under way, and
 * answered once enough of them hold it durably; with `returnValue` this one too, since what is shown must be durable (C7). There is no rollback: what missed its quorum may have been
 * applied, and the answer says so (H10).
 */
export class WriteOperation {
  private readonly context: CoordinatorContext;
  private readonly task: WriteTask;
  private readonly resolve: (outcome: WriteOutcome) => void;
  private readonly reject: (error: Error) => void;
  private readonly owners: readonly Member[];
  private readonly tracker: WriteTracker;
  private readonly durability: Durability;
  private readonly startedMs: number;
  private readonly timings: { node: NodeId; ms: number }[] = [];
  private timer: Timer | undefined;
  private isOver = false;
  private isDurableHere = false;
  private written: Pick<WriteOutcome, 'dot' | 'context' | 'container'> | undefined;

  constructor(
    context: CoordinatorContext,
    task: WriteTask,
    resolve: (outcome: WriteOutcome) => void,
    reject: (error: Error) => void,
  ) {
    this.context = context;
    this.task = task;
    this.resolve = resolve;
    this.reject = reject;
    this.durability = durabilityOf(task.view);
    this.startedMs = context.clock.monotonicMs();
    this.owners = task.view.ownersOf(task.write.partition);
    const { w, pw } = task.write;
    const owners = this.owners.map((owner) => owner.number);
    this.tracker = new WriteTracker([{ owners, quorum: { total: w, owners: pw } }]);
  }

  start(): void {
    const actor = this.context.standing.actor;
    if (actor === undefined)
      throw new StoreError('not-ready', 'this node has no grant to write yet', { outcome: 'not_applied' });
    if (this.context.store.overloaded) {
      const details = { outcome: 'not_applied', retryable: true, retryAfterS: 1 } as const;
      throw new StoreError('overloaded', 'writes come faster than the disk takes them', details);
    }
    const reachable = this.reachableOwners();
    if (this.tracker.outcome === 'failed') return this.failUntouched();
    const { write } = this.task;
    const version = write.version && this.stamped(write.version);
    const { dot, filled, covered, sequence } = this.store(actor, version);
    this.written = { dot, context: addDot(covered, dot), container: filled };
    this.timer = this.context.clock.after(this.task.timeoutMs, () => this.failUnknown('deadline'));
    const { epoch, partition, key } = write;
    this.replicate(reachable, { epoch, partition, key, dots: [dot], container: filled });
    this.context.store.durable(sequence, this.durability).then(
      () => this.acked(this.self()),
      (error: unknown) => this.lost(this.self(), error instanceof Error ? error.message : String(error)),
    );
  }

  private stamped({ value, contentType, meta }: NonNullable<ForwardedWrite['version']>): Uint8Array {
    return encodeVersion({ value, contentType, meta, stampMs: this.context.clock.wallMs() });
  }

  /** One step, that happens as a whole or not at all: what fails in it was not applied. */
  private store(actor: Actor, version: Uint8Array | undefined): ReturnType<Replica['coordinate']> {
    const { write } = this.task;
    try {
      return this.context.replica.coordinate(write, actor, version, write.context);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new StoreError(error.code, error.message, { ...error.details, outcome: 'not_applied' }, { cause: error });
    }
  }

  /** The other owners that can be asked; the rest are lost to this write before it begins. */
  private reachableOwners(): readonly Member[] {
    const { detector, self } = this.context;
    return this.owners.filter((owner) => {
      if (owner.id === self) return false;
      const seen = detector.seenAs(owner.id, this.startedMs);
      if (seen !== 'up') this.tracker.add({ kind: 'failed', node: owner.number, reason: seen });
      return seen !== 'down';
    });
  }

  private replicate(owners: readonly Member[], message: Parameters<typeof writeReplicateRequest>[1]): void {
    writeReplicateRequest(request.reset(), message);
    for (const owner of owners) {
      this.context.calls.call(owner.id, METHOD.replicate, request.view(), this.task.timeoutMs, (outcome) =>
        this.heard(owner, outcome),
      );
    }
  }

  private heard(owner: Member, outcome: CallOutcome): void {
    if (outcome.kind === 'reply') this.acked(owner);
    else if (outcome.kind === 'failed' && outcome.reason === 'timeout') this.failUnknown('deadline');
    else this.lost(owner, outcome.kind === 'failed' ? outcome.reason : outcome.message);
  }

  private acked(owner: Member): void {
    if (this.isOver) return;
    this.timings.push({ node: owner.id, ms: this.context.clock.monotonicMs() - this.startedMs });
    if (owner.id === this.context.self) this.isDurableHere = true;
    const outcome = this.tracker.add({ kind: 'acked', node: owner.number });
    if (outcome === 'met' && (this.isDurableHere || !this.task.write.returnValue)) this.finish();
  }

  private lost(owner: Member, reason: string): void {
    if (this.isOver) return;
    if (this.tracker.add({ kind: 'failed', node: owner.number, reason }) === 'failed') this.failUnknown('lost');
  }

  private finish(): void {
    if (this.written === undefined) return;
    this.isOver = true;
    this.timer?.cancel();
    const { owners, fallbacks } = this.tracker.counts();
    const { dot, context, container } = this.written;
    this.resolve({ dot, context, container, durable: this.durability, owners, fallbacks, timings: this.timings });
  }

  private failUntouched(): void {
    this.fail('quorum-impossible', 'too few owners are reachable; nothing was stored', 'not_applied');
  }

  private failUnknown(reason: 'deadline' | 'lost'): void {
    const { acked } = this.tracker.report();
    const within = reason === 'deadline' ? `within ${this.task.timeoutMs} ms` : 'before too many owners were lost';
    this.fail(
      'quorum-not-met',
      `${acked.length} of ${this.task.write.w} required acknowledgements ${within}`,
      'unknown',
    );
  }

  private fail(code: ErrorCode, message: string, outcome: NonNullable<ErrorDetails['outcome']>): void {
    if (this.isOver) return;
    this.isOver = true;
    this.timer?.cancel();
    const { view, write } = this.task;
    const { acked, failed, pending } = this.tracker.report();
    this.reject(
      new StoreError(code, message, {
        required: write.w,
        acked: namesOf(view, acked),
        failed: failed.map(({ node, reason }) => ({ node: view.withNumber(node).id, reason })),
        pending: outcome === 'unknown' ? namesOf(view, pending) : [],
        outcome,
        retryable: true,
        epoch: view.epoch,
      }),
    );
  }

  private self(): Member {
    const member = this.task.view.member(this.context.self);
    if (member === undefined) throw new StoreError('internal', 'this node is not a member');
    return member;
  }
}
