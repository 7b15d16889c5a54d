import { ByteReader, ByteWriter, DecodeError } from '../core/bytes.ts';
import type { NodeId } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import type { ErrorCode } from '../errors.ts';
import type { Clock, Logger, Random, SendOutcome, Transport } from '../ports.ts';
import { ENVELOPE, readFailure, writeFailure, writeNotice, writeReply, writeRequest } from './envelope.ts';
import { FRAME_HEADER_BYTES } from './frame.ts';
import { IncomingRequest, type NoticeHandler, type ReplySender, type RequestHandler, runHandler } from './incoming.ts';
import { PendingCalls } from './pending-calls.ts';

/**
 * `refused`: the peer's handler failed, with its code. `failed`: no answer. With `full` (too much is under way) and `unreachable`
 * (no connection) nothing was sent; with `disconnected`, `timeout` and `stopped` (this node ends) the peer may have done the work.
 */
export type CallOutcome =
  | { readonly kind: 'reply'; readonly body: ByteReader }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string }
  | CallFailed;

export interface CallFailed {
  readonly kind: 'failed';
  readonly reason: 'unreachable' | 'full' | 'disconnected' | 'timeout' | 'stopped';
}

export type CallDone = (outcome: CallOutcome) => void;

export interface CallsOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** By method, 0..255. */
  readonly requests: ReadonlyMap<number, RequestHandler>;
  readonly notices: ReadonlyMap<number, NoticeHandler>;
  /** Called after the calls to the peer were failed. */
  readonly onDisconnected?: (peer: NodeId, reason: string) => void;
  readonly onConnected?: (peer: NodeId) => void;
  /** Per peer. */
  readonly pendingMax?: number;
}

export interface CallsStats {
  /** Calls that wait for their answer. */
  readonly pending: number;
  /** Counters since the start. */
  readonly timeouts: number;
  /** Answers that nobody waits for: too late, repeated, or to an earlier life of this node. */
  readonly strayReplies: number;
  /** Requests that arrived with no time left, and answers given too late. */
  readonly expired: number;
  readonly malformed: number;
}

const METHODS = 256;

const PENDING_MAX = 16_384;
/** A writer that has grown beyond this is not kept. */
const SHARED_WRITER_BYTES = 1024 * 1024;

const FULL: CallFailed = { kind: 'failed', reason: 'full' };
const UNREACHABLE: CallFailed = { kind: 'failed', reason: 'unreachable' };
const DISCONNECTED: CallFailed = { kind: 'failed', reason: 'disconnected' };
const STOPPED: CallFailed = { kind: 'failed', reason: 'stopped' };
const TIMEOUT: CallFailed = { kind: 'failed', reason: 'timeout' };

/**
 * Requests with answers, and one-way notices, over a {@link Transport}.
 *
 * 1. A call's `done` is called exactly once, never from within {@link Calls.call}, and no later than its time plus
 *    {@link PendingCalls}' grain.
 * 2. An answer is matched only to the call of this life of this process that it answers, and only from the peer that was asked.
 * 3. When a peer is disconnected all calls to it fail at once.
 * 4. Nothing that a peer sends makes this throw. A handler's broken invariant does.
 */
export class Calls implements ReplySender {
  private readonly options: CallsOptions;
  private readonly requests: readonly (RequestHandler | undefined)[];
  private readonly notices: readonly (NoticeHandler | undefined)[];
  private readonly nonce: number;
  private readonly pending: PendingCalls<CallOutcome>;
  private readonly writer = new ByteWriter();
  /** Bytes handed to the transport since the start, frames included, by method: requests, notices and answers. */
  readonly sentBytes = new Float64Array(METHODS);
  private nextId = 1;
  private stopped = false;
  /** Requests of other nodes that are being served. */
  serving = 0;
  private strayReplies = 0;
  private expired = 0;
  private malformed = 0;
  /** Peers whose malformed messages were logged since they connected. */
  private readonly complained = new Set<NodeId>();

  constructor(options: CallsOptions) {
    this.options = options;
    this.requests = table(options.requests);
    this.notices = table(options.notices);
    this.nonce = new ByteReader(options.random.bytes(4)).u32();
    this.pending = new PendingCalls<CallOutcome>(options.clock, options.pendingMax ?? PENDING_MAX, TIMEOUT);
  }

  async start(): Promise<void> {
    await this.options.transport.start({
      received: (from, message) => this.received(from, message),
      connected: (peer) => this.options.onConnected?.(peer),
      disconnected: (peer, reason) => {
        this.complained.delete(peer);
        this.pending.failAll(peer, DISCONNECTED);
        this.options.onDisconnected?.(peer, reason);
      },
    });
  }

  /** Fails all calls under way, then stops the transport. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.pending.failEverything(STOPPED);
    await this.options.transport.stop();
  }

  /** This node ends: no call is answered any more. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /**
   * Asks `to`, and calls `done` with what became of it. `body` may be reused at once. A reply's body must be read within
   * `done` or copied; should reading it throw a {@link DecodeError}, that is counted as a malformed message.
   *
   * A callback, not a promise, since a coordinator's fan-out goes through here for every request; see {@link Calls.request}.
   */
  call(to: NodeId, method: number, body: Uint8Array, timeoutMs: number, done: CallDone): void {
    const failure = this.send(to, method, body, Math.floor(timeoutMs), done);
    if (failure !== undefined) this.options.clock.after(0, () => done(failure));
  }

  /** {@link Calls.call} as a promise, which never rejects. */
  request(to: NodeId, method: number, body: Uint8Array, timeoutMs: number): Promise<CallOutcome> {
    return new Promise((resolve) => this.call(to, method, body, timeoutMs, resolve));
  }

  /** One way, without promise of delivery. False when it was not even sent. */
  notify(to: NodeId, method: number, body: Uint8Array): boolean {
    return this.transmit(to, method, writeNotice(this.writerFor(body), method, body)) === 'sent';
  }

  stats(): CallsStats {
    const { strayReplies, expired, malformed } = this;
    return { pending: this.pending.size, timeouts: this.pending.timeouts, strayReplies, expired, malformed };
  }

  /** @internal */
  sendReply(request: IncomingRequest, body: Uint8Array): void {
    if (this.isTooLate(request)) return;
    const message = writeReply(this.writerFor(body), request.nonce, request.id, body);
    this.transmit(request.from, request.method, message);
  }

  /** @internal */
  sendFailure(request: IncomingRequest, code: ErrorCode, text: string): void {
    if (this.isTooLate(request)) return;
    const message = writeFailure(this.writer.reset(), request.nonce, request.id, code, text);
    this.transmit(request.from, request.method, message);
  }

  private send(
    to: NodeId,
    method: number,
    body: Uint8Array,
    timeoutMs: number,
    done: CallDone,
  ): CallFailed | undefined {
    if (this.stopped) return STOPPED;
    if (timeoutMs <= 0) return TIMEOUT;
    if (this.pending.isFull(to)) return FULL;
    const id = this.nextId++;
    const message = writeRequest(this.writerFor(body), this.nonce, id, method, timeoutMs, body);
    const outcome = this.transmit(to, method, message);
    if (outcome !== 'sent') return outcome === 'full' ? FULL : UNREACHABLE;
    this.pending.add(to, id, timeoutMs, done);
    return undefined;
  }

  private transmit(to: NodeId, method: number, message: ByteWriter): SendOutcome {
    const bytes = message.view();
    const outcome = this.options.transport.send(to, bytes);
    if (outcome === 'sent') this.sentBytes[method] = (this.sentBytes[method] ?? 0) + bytes.length + FRAME_HEADER_BYTES;
    return outcome;
  }

  private received(from: NodeId, message: Uint8Array): void {
    try {
      this.dispatch(from, new ByteReader(message));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.countMalformed(from, error.message);
    }
  }

  private dispatch(from: NodeId, reader: ByteReader): void {
    const kind = reader.u8();
    switch (kind) {
      case ENVELOPE.request:
        this.onRequest(from, reader);
        break;
      case ENVELOPE.reply:
      case ENVELOPE.failure:
        this.onAnswer(from, reader, kind);
        break;
      case ENVELOPE.notice:
        this.onNotice(from, reader);
        break;
      default:
        throw new DecodeError(`unknown kind ${kind}`);
    }
  }

  private onRequest(from: NodeId, reader: ByteReader): void {
    const nonce = reader.u32();
    const id = reader.varint();
    const method = reader.u8();
    const remainingMs = reader.varint();
    if (remainingMs === 0) {
      this.expired++;
      return;
    }
    const deadlineMs = this.options.clock.monotonicMs() + remainingMs;
    const request = new IncomingRequest(this, from, nonce, id, method, deadlineMs);
    const handler = this.requests[method];
    if (handler === undefined) request.fail('not-supported', `method ${method} is unknown`);
    else this.serve(handler, request, reader);
  }

  private serve(handler: RequestHandler, request: IncomingRequest, body: ByteReader): void {
    const rest = runHandler(handler, request, body, this.options.logger);
    if (rest === undefined) return;
    this.serving++;
    const done = (): void => {
      this.serving--;
    };
    // A broken invariant rejects it once more, unhandled: that is what ends the process.
    rest.finally(done);
  }

  private onAnswer(from: NodeId, reader: ByteReader, kind: number): void {
    const nonce = reader.u32();
    const id = reader.varint();
    const outcome: CallOutcome =
      kind === ENVELOPE.reply ? { kind: 'reply', body: reader } : { kind: 'refused', ...readFailure(reader) };
    const done = nonce === this.nonce ? this.pending.take(from, id) : undefined;
    if (done === undefined) this.strayReplies++;
    else done(outcome);
  }

  private onNotice(from: NodeId, reader: ByteReader): void {
    const method = reader.u8();
    const handler = this.notices[method];
    if (handler === undefined) throw new DecodeError(`notice of unknown method ${method}`);
    handler(from, reader);
  }

  private isTooLate(request: IncomingRequest): boolean {
    if (this.options.clock.monotonicMs() < request.deadlineMs) return false;
    this.expired++;
    return true;
  }

  private writerFor(body: Uint8Array): ByteWriter {
    return body.length > SHARED_WRITER_BYTES ? new ByteWriter() : this.writer.reset();
  }

  private countMalformed(from: NodeId, reason: string): void {
    this.malformed++;
    if (this.complained.has(from)) return;
    this.complained.add(from);
    this.options.logger.warn({ peer: from, reason }, 'malformed message');
  }
}

function table<T>(handlers: ReadonlyMap<number, T>): readonly (T | undefined)[] {
  for (const method of handlers.keys()) invariant(method >= 0 && method <= 255, `method ${method} is not a byte`);
  return Array.from({ length: METHODS }, (_, method) => handlers.get(method));
}
