import { ByteWriter, DecodeError } from '../core/bytes.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import { type ErrorCode, StoreError } from '../errors.ts';
import { METHOD, writeForwardedWrite } from '../protocol.ts';
import type { CallOutcome } from '../rpc/calls.ts';
import type { CoordinatorContext } from './coordinator-context.ts';
import { StandIns } from './stand-ins.ts';
import { readForwardedOutcome } from './write-forwarding.ts';
import { WriteOperation, type WriteOutcome, type WriteTask } from './write-operation.ts';
import { isRefusal, WriteRefusal } from './write-refusal.ts';
import type { WriteTimeline } from './write-timeline.ts';

type Unanswered = Exclude<CallOutcome, { kind: 'reply' }>;
type Answer = { readonly kind: 'applied'; readonly outcome: WriteOutcome } | Unanswered;

interface Refusal {
  readonly node: string;
  readonly reason: string;
  /** Undefined: it could not be asked. */
  readonly code: ErrorCode | undefined;
}

const message = new ByteWriter();

/**
 * Finds the node that is to coordinate one write, and has it do so: with a context, this node before other owners; without, always the
 * first that can. When no owner can, a fallback, chosen in the same way.
 *
 * One after another is asked, here as elsewhere, until one does not refuse. Who may have begun is the last: there is never a second
 * coordinator (H3).
 */
export class WriteDispatch {
  private readonly context: CoordinatorContext;
  private readonly task: WriteTask;
  private readonly timeline: WriteTimeline | undefined;
  private readonly refusals: Refusal[] = [];

  constructor(context: CoordinatorContext, task: WriteTask, timeline?: WriteTimeline) {
    this.context = context;
    this.task = task;
    this.timeline = timeline;
  }

  /** Rejects with the error that the coordinating node reported, or why there was none. */
  async run(): Promise<WriteOutcome> {
    const { self, clock } = this.context;
    const startedMs = clock.monotonicMs();
    for (const node of this.candidates()) {
      const leftMs = this.task.timeoutMs - (clock.monotonicMs() - startedMs);
      if (leftMs < 1) break;
      this.timeline?.asks(node.id);
      const answer = await (node.id === self ? this.coordinateHere(leftMs) : this.forward(node, leftMs));
      this.timeline?.ended(answer.kind === 'applied' ? undefined : reasonOf(answer));
      if (answer.kind === 'applied') return answer.outcome;
      if (mayHaveBegun(answer)) throw this.unknownOutcome(node, answer);
      this.refusals.push({
        node: node.id,
        reason: reasonOf(answer),
        code: answer.kind === 'refused' ? answer.code : undefined,
      });
    }
    throw this.noCoordinator();
  }

  /** The fallbacks are looked for when no owner was left: by then it is known who is away. */
  private *candidates(): Generator<Member> {
    const { view, write } = this.task;
    yield* this.inOrder(this.ableOwners());
    if (write.sloppy) yield* this.inOrder(new StandIns(this.context, view, write.partition).members);
  }

  private *inOrder(members: readonly Member[]): Generator<Member> {
    const { self } = this.context;
    const here = this.task.write.context === undefined ? undefined : members.find(({ id }) => id === self);
    if (here !== undefined) yield here;
    for (const member of members) if (member !== here) yield member;
  }

  private ableOwners(): readonly Member[] {
    const { self, clock, detector, standing } = this.context;
    const { view, write } = this.task;
    const nowMs = clock.monotonicMs();
    const able = view
      .ownersOf(write.partition)
      .filter((owner) =>
        owner.id === self ? standing.actorOf(write.partition) !== undefined : detector.mayCoordinate(owner.id, nowMs),
      );
    const isFlapping = ({ id }: Member): boolean => detector.isFlapping(id, nowMs);
    return able.some(isFlapping) ? [...able.filter((owner) => !isFlapping(owner)), ...able.filter(isFlapping)] : able;
  }

  /** Rejects with the error with which the write ended, unless this node leaves it to others. */
  private async coordinateHere(timeoutMs: number): Promise<Answer> {
    try {
      const outcome = await new Promise<WriteOutcome>((resolve, reject) =>
        new WriteOperation(this.context, { ...this.task, timeoutMs }, resolve, reject).start(),
      );
      return { kind: 'applied', outcome };
    } catch (error) {
      if (!(error instanceof WriteRefusal)) throw error;
      return { kind: 'refused', code: error.code, message: error.message };
    }
  }

  /** Rejects with the error that the other node reported, if it did. */
  private forward(to: Member, timeoutMs: number): Promise<Answer> {
    const { view, write } = this.task;
    writeForwardedWrite(message.reset(), write);
    return new Promise((resolve, reject) => {
      this.context.calls.call(to.id, METHOD.write, message.view(), timeoutMs, (outcome) => {
        if (outcome.kind !== 'reply') return resolve(outcome);
        try {
          resolve({ kind: 'applied', outcome: readForwardedOutcome(outcome.body, view) });
        } catch (error) {
          if (error instanceof DecodeError) resolve({ kind: 'failed', reason: 'disconnected' });
          else reject(error);
        }
      });
    });
  }

  private unknownOutcome(node: Member, outcome: Unanswered): StoreError {
    const { view, write, timeoutMs } = this.task;
    const reason = reasonOf(outcome);
    const lost = outcome.kind === 'failed' && outcome.reason !== 'timeout';
    return new StoreError(
      'quorum-not-met',
      lost
        ? `the coordinating node ${node.id} was lost`
        : `no answer of the coordinating node ${node.id} within ${timeoutMs} ms`,
      {
        required: write.w,
        acked: [],
        failed: lost ? [{ node: node.id, reason }] : [],
        pending: lost ? [] : [node.id],
        outcome: 'unknown',
        retryable: true,
        epoch: view.epoch,
      },
    );
  }

  /** Where somebody would have taken it but for want of room, that is what the client is told: there may be some soon. */
  private noCoordinator(): StoreError {
    const { view, write } = this.task;
    const full = this.refusals.find(({ code }) => code === 'overloaded');
    const failed = [...this.refusals.map(({ node, reason }) => ({ node, reason })), ...this.unableOwners()];
    return new StoreError(
      full === undefined ? 'quorum-impossible' : 'overloaded',
      `${full?.reason ?? 'nobody can coordinate the write'}; nothing was stored`,
      {
        required: write.w,
        acked: [],
        failed,
        pending: [],
        outcome: 'not_applied',
        retryable: true,
        epoch: view.epoch,
      },
    );
  }

  /** The owners that were not asked. */
  private unableOwners(): readonly { readonly node: string; readonly reason: string }[] {
    const { clock, detector, self } = this.context;
    const { view, write } = this.task;
    const nowMs = clock.monotonicMs();
    const asked = new Set(this.refusals.map(({ node }) => node));
    return view
      .ownersOf(write.partition)
      .filter(({ id }) => !asked.has(id))
      .map(({ id }) => ({
        node: id,
        reason: id !== self && !detector.isUp(id, nowMs) ? detector.seenAs(id, nowMs) : 'no grant',
      }));
  }
}

/** Whether the node may have stored the write before it fell silent. What it refused, or was never sent, it has not. */
function mayHaveBegun(outcome: Unanswered): boolean {
  if (outcome.kind === 'failed')
    return outcome.reason === 'timeout' || outcome.reason === 'disconnected' || outcome.reason === 'stopped';
  return !isRefusal(outcome.code);
}

function reasonOf(outcome: Unanswered): string {
  return outcome.kind === 'failed' ? outcome.reason : outcome.message;
}
