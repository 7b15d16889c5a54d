import { type ByteReader, DecodeError } from '../core/bytes.ts';
import type { NodeId } from '../core/ids.ts';
import { InvariantViolation, invariant } from '../core/invariant.ts';
import { type ErrorCode, FatalError, StoreError } from '../errors.ts';
import type { Logger } from '../ports.ts';

/** `body` is valid during the call only: copy what is kept. An error, thrown or rejected with, is answered as a failure. */
export type RequestHandler = (body: ByteReader, request: IncomingRequest) => void | Promise<void>;

export type NoticeHandler = (from: NodeId, body: ByteReader) => void;

export interface ReplySender {
  sendReply(request: IncomingRequest, body: Uint8Array): void;
  sendFailure(request: IncomingRequest, code: ErrorCode, text: string): void;
}

/** A request that waits for its answer: one reply or one failure, at any time. Without either the caller times out. */
export class IncomingRequest {
  readonly from: NodeId;
  readonly nonce: number;
  readonly id: number;
  readonly method: number;
  /** On this node's monotonic clock. An answer after it is not sent. */
  readonly deadlineMs: number;
  private readonly sender: ReplySender;
  private answered = false;

  constructor(sender: ReplySender, from: NodeId, nonce: number, id: number, method: number, deadlineMs: number) {
    this.sender = sender;
    this.from = from;
    this.nonce = nonce;
    this.id = id;
    this.method = method;
    this.deadlineMs = deadlineMs;
  }

  get isAnswered(): boolean {
    return this.answered;
  }

  /** `body` may be reused at once. */
  reply(body: Uint8Array): void {
    invariant(!this.answered, `method ${this.method} was answered twice`);
    this.answered = true;
    this.sender.sendReply(this, body);
  }

  /** `text` is cut to 256 characters. */
  fail(code: ErrorCode, text: string): void {
    invariant(!this.answered, `method ${this.method} was answered twice`);
    this.answered = true;
    this.sender.sendFailure(this, code, text);
  }
}

/** The result is what is left to be done. Our own broken invariants pass through, as an exception or an unhandled rejection: either ends the process. */
export function runHandler(
  handler: RequestHandler,
  request: IncomingRequest,
  body: ByteReader,
  logger: Logger,
): Promise<void> | undefined {
  try {
    return handler(body, request)?.catch((error: unknown) => handlerFailed(error, request, logger));
  } catch (error) {
    handlerFailed(error, request, logger);
    return undefined;
  }
}

function handlerFailed(error: unknown, request: IncomingRequest, logger: Logger): void {
  if (error instanceof InvariantViolation || error instanceof FatalError) throw error;
  const { from, method, isAnswered } = request;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof StoreError) logger.debug({ from, method, code: error.code, reason: text }, 'request refused');
  else logger.error({ from, method, error }, 'a request handler failed');
  if (isAnswered) return;
  if (error instanceof StoreError) request.fail(error.code, text);
  else request.fail('internal', error instanceof DecodeError ? `malformed request: ${text}` : text);
}
