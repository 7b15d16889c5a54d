import { ByteWriter } from '../core/bytes.ts';
import type { Container } from '../core/causality/container.ts';
import type { Actor, Dot } from '../core/causality/dot.ts';
import { addDot, type DotSet, dotSetOf } from '../core/causality/dot-set.ts';
import { hintedWrites } from '../core/causality/hinted-writes.ts';
import { encodeVersion } from '../core/causality/version.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { MemberNumber, NodeId } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import { WriteTracker } from '../core/quorum/write-tracker.ts';
import { type ErrorCode, type ErrorDetails, StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Durability, Timer } from '../ports.ts';
import { type ForwardedWrite, METHOD, writeHintRequest, writeReplicateRequest } from '../protocol.ts';
import type { Replica } from '../replica/replica.ts';
import type { CallOutcome } from '../rpc/calls.ts';
import { type CoordinatorContext, durabilityOf, quorumDetails } from './coordinator-context.ts';
import { StandIns } from './stand-ins.ts';
import { isRefusal, WriteRefusal } from './write-refusal.ts';

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

/** Who is sent the write: an owner, or a fallback that keeps it for one. */
interface Seat {
  readonly node: Member;
  readonly owner: Member;
  /** Suspected: sent to in case it is there after all, but already replaced. */
  readonly isExtra: boolean;
}

type Written = Pick<WriteOutcome, 'dot' | 'context' | 'container'>;

const request = new ByteWriter();

/**
 * One write, coordinated by this owner: stored here in one step, sent to the other owners while the local flush is under way, and
 * answered once enough of them hold it durably; with `returnValue` this one too, since what is shown must be durable (C7). There is no rollback: what missed its quorum may have been
 * applied, and the answer says so (H10).
 *
 * A sloppy one asks a fallback to keep it for each owner that is away or fails meanwhile, and may be coordinated by such a fallback.
 * When all have answered or run out of time, this node itself keeps it for the owners that still lack it (H14).
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
  /** Owners that have the write, and those for whom somebody keeps it. */
  private readonly provided = new Set<MemberNumber>();
  private standIns: StandIns | undefined;
  /** Those who were asked and have not answered. */
  private open = 0;
  private timer: Timer | undefined;
  private isOver = false;
  private isDurableHere = false;
  private written: Written | undefined;

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
    const { standing, self } = this.context;
    const isOwner = this.owners.some(({ id }) => id === self);
    const actor = isOwner ? standing.actorOf(this.task.write.partition) : standing.actor;
    if (actor === undefined) throw new WriteRefusal('not-ready', 'this node may not write to the partition yet');
    if (this.context.store.overloaded) {
      const details = { outcome: 'not_applied', retryable: true, retryAfterS: 1 } as const;
      throw new StoreError('overloaded', 'writes come faster than the disk takes them', details);
    }
    const seats = this.takeSeats();
    if (this.tracker.outcome === 'failed') return this.failUntouched();
    const { write } = this.task;
    const version = write.version && this.stamped(write.version);
    const here = this.ownSeat(seats);
    const { dot, filled, covered, sequence } = this.store(here, actor, version);
    this.provided.add(here.owner.number);
    this.written = { dot, context: addDot(covered, dot), container: filled };
    this.timer = this.context.clock.after(this.task.timeoutMs, () => this.failUnknown('deadline'));
    this.send(
      this.written,
      seats.filter((seat) => seat !== here),
    );
    this.context.store.durable(sequence, this.durability).then(
      () => this.acked(here.node),
      (error: unknown) => this.lost(here, error instanceof Error ? error.message : String(error)),
    );
  }

  private stamped({ value, contentType, meta }: NonNullable<ForwardedWrite['version']>): Uint8Array {
    return encodeVersion({ value, contentType, meta, stampMs: this.context.clock.wallMs() });
  }

  /**
   * One step, that happens as a whole or not at all: what fails in it was not applied. Then another node may coordinate the write, if it
   * is for what this one holds that it failed.
   */
  private store(here: Seat, actor: Actor, version: Uint8Array | undefined): ReturnType<Replica['coordinate']> {
    const { write } = this.task;
    const { replica, fallback, store } = this.context;
    const before = store.lastSequence;
    try {
      return here.node === here.owner
        ? replica.coordinate(write, actor, version, write.context)
        : fallback.coordinate(write, here.owner.number, actor, version, write.context);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      invariant(store.lastSequence === before, 'a step that fails stores nothing');
      const { code, message, details } = error;
      if (isRefusal(code)) throw new WriteRefusal(code, message, details, { cause: error });
      throw new StoreError(code, message, { ...details, outcome: 'not_applied' }, { cause: error });
    }
  }

  /** Who can be asked, this node included. Owners that are away are lost to this write before it begins. */
  private takeSeats(): readonly Seat[] {
    const { detector, self } = this.context;
    const seats: Seat[] = [];
    for (const owner of this.owners) {
      const seen = owner.id === self ? 'up' : detector.seenAs(owner.id, this.startedMs);
      if (seen !== 'up') {
        const standIn = this.replacement(owner);
        if (standIn !== undefined) seats.push(standIn);
        this.tracker.add({ kind: 'failed', node: owner.number, reason: seen });
      }
      if (seen !== 'down') seats.push({ node: owner, owner, isExtra: seen !== 'up' });
    }
    return seats;
  }

  /** Named to the tracker: to be called before it hears of the failure. */
  private replacement(owner: Member): Seat | undefined {
    const { view, write } = this.task;
    if (!write.sloppy) return undefined;
    this.standIns ??= new StandIns(this.context, view, write.partition);
    const node = this.standIns.take(owner);
    if (node === undefined) return undefined;
    this.tracker.standIn(node.number, owner.number);
    return { node, owner, isExtra: false };
  }

  /** Errors: conflict when this node is no owner and, as it sees them, none of them is away: they can coordinate for themselves. */
  private ownSeat(seats: readonly Seat[]): Seat {
    const seat = seats.find(({ node }) => node.id === this.context.self);
    if (seat !== undefined) return seat;
    throw new WriteRefusal('conflict', 'no owner is away for whom this node would stand in');
  }

  private send({ dot, container }: Written, seats: readonly Seat[]): void {
    const { epoch, partition, key } = this.task.write;
    writeReplicateRequest(request.reset(), { epoch, partition, key, dots: [dot], container });
    for (const seat of seats) if (seat.node === seat.owner) this.ask(seat, METHOD.replicate);
    for (const seat of seats) if (seat.node !== seat.owner) this.sendHint({ dot, container }, seat);
    this.leaveHints();
  }

  private sendHint({ dot, container }: Pick<Written, 'dot' | 'container'>, seat: Seat): void {
    const { epoch, partition, key } = this.task.write;
    const target = seat.owner.number;
    writeHintRequest(request.reset(), { epoch, partition, key, target, dots: [dot], container });
    this.ask(seat, METHOD.hint);
  }

  /** With what is in `request`. */
  private ask(seat: Seat, method: number): void {
    const leftMs = this.task.timeoutMs - (this.context.clock.monotonicMs() - this.startedMs);
    this.open++;
    this.context.calls.call(seat.node.id, method, request.view(), leftMs, (outcome) => this.heard(seat, outcome));
  }

  private heard(seat: Seat, outcome: CallOutcome): void {
    this.open--;
    if (outcome.kind === 'reply') {
      this.provided.add(seat.owner.number);
      this.acked(seat.node);
    } else if (outcome.kind === 'failed' && outcome.reason === 'timeout') this.failUnknown('deadline');
    else this.lost(seat, outcome.kind === 'failed' ? outcome.reason : outcome.message);
    this.leaveHints();
  }

  private acked(node: Member): void {
    if (this.isOver) return;
    this.timings.push({ node: node.id, ms: this.context.clock.monotonicMs() - this.startedMs });
    if (node.id === this.context.self) this.isDurableHere = true;
    const outcome = this.tracker.add({ kind: 'acked', node: node.number });
    if (outcome === 'met' && (this.isDurableHere || !this.task.write.returnValue)) this.finish();
  }

  private lost({ node, owner, isExtra }: Seat, reason: string): void {
    if (this.isOver) return;
    const standIn = isExtra ? undefined : this.replacement(owner);
    if (this.tracker.add({ kind: 'failed', node: node.number, reason }) === 'failed') this.failUnknown('lost');
    else if (standIn !== undefined && this.written !== undefined) this.sendHint(this.written, standIn);
  }

  /** H14: the owners that lack the write when nobody is left to be heard of get a hint, as far as there is room. */
  private leaveHints(): void {
    if (this.open > 0 || this.written === undefined || this.provided.size >= this.owners.length) return;
    const { write } = this.task;
    const { dot, container } = this.written;
    for (const owner of this.owners) {
      if (this.provided.has(owner.number)) continue;
      this.provided.add(owner.number);
      this.context.hints.keepSurplus(owner.number, write, hintedWrites(container, dotSetOf([dot])));
    }
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
    const within =
      reason === 'deadline' ? `within ${Math.round(this.task.timeoutMs)} ms` : 'before too many of them were lost';
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
    const { pending, ...report } = this.tracker.report();
    const details = quorumDetails(view, write.w, { ...report, pending: outcome === 'unknown' ? pending : [] });
    this.reject(new StoreError(code, message, { ...details, outcome, retryable: true }));
  }
}
