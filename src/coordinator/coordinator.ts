import { ByteWriter, DecodeError } from '../core/bytes.ts';
import type { Container } from '../core/causality/container.ts';
import { openContext, sealContext } from '../core/causality/context-token.ts';
import { type Dot, sameDot } from '../core/causality/dot.ts';
import { type DotSet, dotSetOf, subtract } from '../core/causality/dot-set.ts';
import { decodeVersion } from '../core/causality/version.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import { type ObjectKey, objectKey } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import { type ForwardedWrite, METHOD, writeForwardedWrite } from '../protocol.ts';
import type { CallOutcome } from '../rpc/calls.ts';
import type { GetRequest, GetResult, QuorumReport, SiblingView, WriteRequest, WriteResult } from './api.ts';
import { type CoordinatorContext, requireQuorum, requireView } from './coordinator-context.ts';
import { explained, ReadTimeline } from './explanation.ts';
import { ReadOperation, type ReadOutcome, type ReadTask } from './read-operation.ts';
import { StandIns } from './stand-ins.ts';
import { readForwardedOutcome } from './write-forwarding.ts';
import { WriteOperation, type WriteOutcome } from './write-operation.ts';
import { WriteTimeline } from './write-timeline.ts';

type Unanswered = Exclude<CallOutcome, { kind: 'reply' }>;
type ForwardAnswer = { readonly kind: 'applied'; readonly outcome: WriteOutcome } | Unanswered;

const message = new ByteWriter();

/** Serves the requests that clients send to this node, whoever owns the key. */
export class Coordinator {
  private readonly context: CoordinatorContext;

  constructor(context: CoordinatorContext) {
    this.context = context;
  }

  async get(request: GetRequest): Promise<GetResult> {
    const view = requireView(this.context);
    const key = objectKey(request.bucket, request.key);
    const address = { epoch: view.epoch, partition: this.context.partitionOf(key), key };
    const quorum = requireQuorum(view, 'r', request.bucket, request.r, request.pr);
    const timeline = request.explain === true ? this.readTimeline(view, quorum.total) : undefined;
    const outcome = await this.read({
      view,
      address,
      quorum,
      timeoutMs: request.timeoutMs,
      sloppy: request.sloppy ?? true,
      timeline,
    });
    const report = reportOf(view, quorum.total, outcome, outcome.hedged);
    const result = this.getResult(view, key, outcome.container, request, report);
    return timeline === undefined ? result : { ...result, explanation: timeline.explanation() };
  }

  async write(request: WriteRequest): Promise<WriteResult> {
    const view = requireView(this.context);
    const key = objectKey(request.bucket, request.key);
    const { total, owners } = requireQuorum(view, 'w', request.bucket, request.w, request.pw);
    const write: ForwardedWrite = {
      epoch: view.epoch,
      partition: this.context.partitionOf(key),
      key,
      w: total,
      pw: owners,
      sloppy: request.sloppy ?? true,
      returnValue: request.returnValue,
      context: request.context === undefined ? undefined : this.open(view, key, request.context),
      version: request.version,
    };
    const timeline = request.explain === true ? this.writeTimeline(view, write) : undefined;
    const outcome = await (timeline === undefined
      ? this.coordinate(view, write, request.timeoutMs)
      : this.coordinateExplained(view, write, request.timeoutMs, timeline));
    const result = {
      context: sealContext(outcome.context, [outcome.dot], this.context.tokenMac(view, key)),
      durable: outcome.durable,
      quorum: reportOf(view, total, outcome, 0),
    };
    if (timeline !== undefined) return { ...result, explanation: timeline.succeeded(outcome) };
    return request.returnValue ? { ...result, siblings: outcome.container.siblings.map(viewOf) } : result;
  }

  private async read(task: ReadTask): Promise<ReadOutcome> {
    const { timeline } = task;
    const outcome = new Promise<ReadOutcome>((resolve, reject) =>
      new ReadOperation(this.context, task, resolve, reject).start(),
    );
    if (timeline === undefined) return outcome;
    return outcome.catch((error: unknown) => {
      throw explained(error, timeline.explanation());
    });
  }

  private readTimeline({ epoch }: ClusterView, required: number): ReadTimeline {
    const { self, clock } = this.context;
    return new ReadTimeline(clock, { coordinator: self, epoch, required });
  }

  private writeTimeline(view: ClusterView, { partition, w }: ForwardedWrite): WriteTimeline {
    const owners = view.ownersOf(partition).map(({ id }) => id);
    return new WriteTimeline(this.context.clock, { epoch: view.epoch, required: w }, owners);
  }

  private getResult(
    view: ClusterView,
    key: ObjectKey,
    { siblings, context }: Container,
    request: GetRequest,
    quorum: QuorumReport,
  ): GetResult {
    const { dot } = request;
    const chosen = dot === undefined ? siblings : siblings.filter((sibling) => sameDot(sibling.dot, dot));
    const shown = chosen.map((sibling) => sibling.dot);
    const seen = dot === undefined ? context : seenAlone(shown, siblings, context);
    const token = sealContext(seen, shown, this.context.tokenMac(view, key));
    return { siblings: chosen.map(viewOf), context: token, quorum };
  }

  private async coordinateExplained(
    view: ClusterView,
    write: ForwardedWrite,
    timeoutMs: number,
    timeline: WriteTimeline,
  ): Promise<WriteOutcome> {
    try {
      return await this.coordinate(view, write, timeoutMs, timeline);
    } catch (error) {
      timeline.ended();
      throw explained(error, timeline.failed(error));
    } finally {
      timeline.ended();
    }
  }

  /**
   * At the owner that is to coordinate it: with a context, this node before others; without, always the first that can. When none can
   * be reached, at a fallback, chosen in the same way.
   */
  private async coordinate(
    view: ClusterView,
    write: ForwardedWrite,
    timeoutMs: number,
    timeline?: WriteTimeline,
  ): Promise<WriteOutcome> {
    const { self, clock } = this.context;
    const startedMs = clock.monotonicMs();
    const refusals: { readonly node: string; readonly reason: string }[] = [];
    for (const owner of this.candidates(view, write)) {
      const leftMs = timeoutMs - (clock.monotonicMs() - startedMs);
      if (leftMs < 1) break;
      timeline?.asks(owner.id);
      if (owner.id === self) {
        return new Promise((resolve, reject) =>
          new WriteOperation(this.context, { view, write, timeoutMs: leftMs }, resolve, reject).start(),
        );
      }
      const answer = await this.forward(view, owner, write, leftMs);
      timeline?.ended(answer.kind === 'applied' ? undefined : reasonOf(answer));
      if (answer.kind === 'applied') return answer.outcome;
      if (mayHaveBegun(answer)) throw this.unknownOutcome(view, write, owner, answer, timeoutMs);
      refusals.push({ node: owner.id, reason: reasonOf(answer) });
    }
    throw this.noCoordinator(view, write, refusals);
  }

  /** The fallbacks are looked for when no owner was left: by then it is known who is away. */
  private *candidates(view: ClusterView, write: ForwardedWrite): Generator<Member> {
    yield* this.coordinatorsFor(view, write);
    if (!write.sloppy) return;
    const { members } = new StandIns(this.context, view, write.partition);
    const here = write.context === undefined ? undefined : members.find(({ id }) => id === this.context.self);
    yield* here === undefined ? members : [here];
  }

  private coordinatorsFor(view: ClusterView, write: ForwardedWrite): readonly Member[] {
    const { self, clock, detector, standing } = this.context;
    const nowMs = clock.monotonicMs();
    const able = view
      .ownersOf(write.partition)
      .filter((owner) =>
        owner.id === self ? standing.actorOf(write.partition) !== undefined : detector.mayCoordinate(owner.id, nowMs),
      );
    const here = write.context === undefined ? undefined : able.find((owner) => owner.id === self);
    if (here !== undefined) return [here];
    const isFlapping = ({ id }: Member): boolean => detector.isFlapping(id, nowMs);
    return able.some(isFlapping) ? [...able.filter((owner) => !isFlapping(owner)), ...able.filter(isFlapping)] : able;
  }

  /** Rejects with the error that the owner reported, if it did. */
  private forward(view: ClusterView, owner: Member, write: ForwardedWrite, timeoutMs: number): Promise<ForwardAnswer> {
    writeForwardedWrite(message.reset(), write);
    return new Promise((resolve, reject) => {
      this.context.calls.call(owner.id, METHOD.write, message.view(), timeoutMs, (outcome) => {
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

  private unknownOutcome(
    view: ClusterView,
    write: ForwardedWrite,
    owner: Member,
    outcome: Unanswered,
    timeoutMs: number,
  ): StoreError {
    const reason = reasonOf(outcome);
    const lost = outcome.kind === 'failed' && outcome.reason !== 'timeout';
    return new StoreError(
      'quorum-not-met',
      lost
        ? `the coordinating node ${owner.id} was lost`
        : `no answer of the coordinating node ${owner.id} within ${timeoutMs} ms`,
      {
        required: write.w,
        acked: [],
        failed: lost ? [{ node: owner.id, reason }] : [],
        pending: lost ? [] : [owner.id],
        outcome: 'unknown',
        retryable: true,
        epoch: view.epoch,
      },
    );
  }

  private noCoordinator(
    view: ClusterView,
    write: ForwardedWrite,
    refusals: readonly { readonly node: string; readonly reason: string }[],
  ): StoreError {
    const { clock, detector, self } = this.context;
    const nowMs = clock.monotonicMs();
    const tried = new Set(refusals.map(({ node }) => node));
    const unable = view
      .ownersOf(write.partition)
      .filter(({ id }) => !tried.has(id))
      .map(({ id }) => ({
        node: id,
        reason: id !== self && !detector.isUp(id, nowMs) ? detector.seenAs(id, nowMs) : 'no grant',
      }));
    return new StoreError('quorum-impossible', 'nobody can coordinate the write; nothing was stored', {
      required: write.w,
      acked: [],
      failed: [...refusals, ...unable],
      pending: [],
      outcome: 'not_applied',
      retryable: true,
      epoch: view.epoch,
    });
  }

  private open(view: ClusterView, key: ObjectKey, token: string): DotSet {
    const context = openContext(token, this.context.tokenMac(view, key));
    if (context !== undefined) return context;
    throw new StoreError(
      'bad-context',
      'Causal-Context: expected a token that this cluster gave out for this key, unchanged',
      {
        field: 'Causal-Context',
      },
    );
  }
}

/** What a read of one sibling had seen: that one, or where it is no more, everything but the siblings that it was not shown. */
function seenAlone(shown: readonly Dot[], siblings: Container['siblings'], context: DotSet): DotSet {
  return shown.length > 0 ? dotSetOf(shown) : subtract(context, dotSetOf(siblings.map(({ dot }) => dot)));
}

function reportOf(
  view: ClusterView,
  required: number,
  outcome: Pick<WriteOutcome, 'owners' | 'fallbacks' | 'timings'>,
  hedged: number,
): QuorumReport {
  const { owners, fallbacks, timings } = outcome;
  return { required, owners, fallbacks, hedged, epoch: view.epoch, timings };
}

function viewOf({ dot, version }: Container['siblings'][number]): SiblingView {
  const { value, contentType, meta, stampMs } = decodeVersion(version);
  return { dot, value, contentType, meta, stampMs };
}

/** Whether the owner may have stored the write before it fell silent. What it refused, or was never sent, it has not. */
function mayHaveBegun(outcome: Unanswered): boolean {
  if (outcome.kind === 'failed')
    return outcome.reason === 'timeout' || outcome.reason === 'disconnected' || outcome.reason === 'stopped';
  return outcome.code !== 'not-ready' && outcome.code !== 'conflict' && outcome.code !== 'overloaded';
}

function reasonOf(outcome: Unanswered): string {
  return outcome.kind === 'failed' ? outcome.reason : outcome.message;
}
