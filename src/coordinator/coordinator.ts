import type { Container } from '../core/causality/container.ts';
import { openContext, sealContext } from '../core/causality/context-token.ts';
import { type Dot, sameDot } from '../core/causality/dot.ts';
import { type DotSet, dotSetOf, without } from '../core/causality/dot-set.ts';
import { decodeVersion } from '../core/causality/version.ts';
import { type ObjectKey, objectKey } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { ForwardedWrite } from '../protocol.ts';
import type { GetRequest, GetResult, QuorumReport, SiblingView, WriteRequest, WriteResult } from './api.ts';
import { type CoordinatorContext, requireQuorum, requireView } from './coordinator-context.ts';
import { explained, ReadTimeline } from './explanation.ts';
import { ReadOperation, type ReadOutcome, type ReadTask } from './read-operation.ts';
import { WriteDispatch } from './write-dispatch.ts';
import type { WriteOutcome, WriteTask } from './write-operation.ts';
import { WriteTimeline } from './write-timeline.ts';

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
    const outcome = await this.dispatch({ view, write, timeoutMs: request.timeoutMs }, timeline);
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

  private async dispatch(task: WriteTask, timeline: WriteTimeline | undefined): Promise<WriteOutcome> {
    if (timeline === undefined) return new WriteDispatch(this.context, task).run();
    try {
      return await new WriteDispatch(this.context, task, timeline).run();
    } catch (error) {
      timeline.ended();
      throw explained(error, timeline.failed(error));
    }
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
  return shown.length > 0 ? dotSetOf(shown) : without(context, dotSetOf(siblings.map(({ dot }) => dot)));
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
