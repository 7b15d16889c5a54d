import { ByteWriter } from '../core/bytes.ts';
import { StoreError } from '../errors.ts';
import { readForwardedWrite } from '../protocol.ts';
import type { IncomingRequest, RequestHandler } from '../rpc/incoming.ts';
import { SeenRequests } from '../rpc/seen-requests.ts';
import { type CoordinatorContext, requireView } from './coordinator-context.ts';
import { writeForwardedError, writeForwardedOutcome } from './write-forwarding.ts';
import { WriteOperation, type WriteOutcome } from './write-operation.ts';
import { WriteRefusal } from './write-refusal.ts';

/** Of the remaining time a tenth, but no more than this, is kept for the answer's way back. */
const ANSWER_MS_MAX = 50;

/** When to give up, so that who asked still learns which owners hold the write. */
function answerWithin(remainingMs: number): number {
  return remainingMs - Math.min(ANSWER_MS_MAX, remainingMs / 10);
}

/**
 * Coordinates a write that another node was asked for. It is never handed on a second time (H3): an owner that cannot coordinate
 * it says so before anything is stored, and the node that was asked tries another. Nor is it carried out twice.
 */
export function writeHandler(context: CoordinatorContext): RequestHandler {
  const out = new ByteWriter();
  const seen = new SeenRequests();
  return async (body, request) => {
    if (!seen.isNew(request)) return;
    const view = requireView(context);
    // The value is kept beyond this call, the message's buffer is not ours: both are copied when the version is encoded, at once.
    const write = readForwardedWrite(body);
    if (write.sloppy && !view.owns(context.self, write.partition)) context.fallback.check(write);
    else context.replica.ownership.check(write);
    const timeoutMs = answerWithin(request.deadlineMs - context.clock.monotonicMs());
    try {
      const outcome = await new Promise<WriteOutcome>((resolve, reject) =>
        new WriteOperation(context, { view, write, timeoutMs }, resolve, reject).start(),
      );
      writeForwardedOutcome(out.reset(), view, outcome, write.returnValue);
      request.reply(out.view());
    } catch (error) {
      answerError(request, error);
    }
  };

  function answerError(request: IncomingRequest, error: unknown): void {
    if (!(error instanceof StoreError) || error instanceof WriteRefusal) throw error;
    writeForwardedError(out.reset(), error);
    request.reply(out.view());
  }
}
