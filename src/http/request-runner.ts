import { InvariantViolation } from '../core/invariant.ts';
import { StoreError } from '../errors.ts';
import { sendProblem } from './answer.ts';
import type { Edge } from './edge.ts';
import type { Exchange } from './exchange.ts';
import { ClientGone } from './request-body.ts';
import { readHeaders } from './request-headers.ts';

/** Serves one request: sends its answer, or rejects. */
export type Handler = (exchange: Exchange) => Promise<void>;

/** What a request line is longer by than its method and target: two blanks, the version and the line's end. */
const LINE_EXTRA_BYTES = '  HTTP/1.1\r\n'.length;

/** Runs handlers, and makes an answer of whatever they throw. Every request ends in `finished`, once. */
export class RequestRunner {
  private readonly edge: Edge;
  private readonly finished: (exchange: Exchange) => void;

  constructor(edge: Edge, finished: (exchange: Exchange) => void) {
    this.edge = edge;
    this.finished = finished;
  }

  run(exchange: Exchange, handler: Handler): void {
    try {
      this.check(exchange);
      handler(exchange).then(
        () => this.finish(exchange, exchange.outgoing.statusCode),
        (error: unknown) => this.fail(exchange, error),
      );
    } catch (error) {
      // Not within this call: the end of one request begins the next that waits on its connection, and many may be refused in a row.
      queueMicrotask(() => this.fail(exchange, error));
    }
  }

  private check(exchange: Exchange): void {
    const { incoming, method } = exchange;
    exchange.headers = readHeaders(incoming.rawHeaders, method.length + exchange.targetBytes + LINE_EXTRA_BYTES);
    const { host, origin } = exchange.headers;
    if (host === undefined && incoming.httpVersion === '1.1') {
      throw new StoreError('bad-header', 'Host is missing', { field: 'Host' });
    }
    if (origin !== undefined) throw new StoreError('forbidden-origin', 'requests from web pages are not served');
    if (exchange.path.startsWith('/v1')) this.edge.admit();
  }

  private fail(exchange: Exchange, error: unknown): void {
    if (error instanceof ClientGone) {
      this.finish(exchange, 0);
      return;
    }
    this.answer(exchange, error instanceof StoreError ? error : this.unexpected(exchange, error));
    this.finish(exchange, exchange.outgoing.statusCode);
  }

  private answer(exchange: Exchange, error: StoreError): void {
    const headers = this.edge.newHeaders();
    if (error.details.epoch !== undefined) headers.push('Quorate-Epoch', String(error.details.epoch));
    if (exchange.allow !== undefined) headers.push('Allow', exchange.allow);
    try {
      sendProblem(exchange, error, headers);
    } catch (cause) {
      this.edge.options.logger.error({ err: cause, code: error.code }, 'an error could not be answered');
      exchange.incoming.destroy();
    }
  }

  /** A broken invariant is answered, and then ends the process: going on could make it worse. */
  private unexpected(exchange: Exchange, error: unknown): StoreError {
    const { method, path } = exchange;
    if (error instanceof InvariantViolation) {
      queueMicrotask(() => {
        throw error;
      });
    }
    this.edge.options.logger.error({ err: error, method, path }, 'a request failed unexpectedly');
    return new StoreError('internal', 'the node could not serve this request; its log says why');
  }

  private finish(exchange: Exchange, status: number): void {
    this.edge.metrics.count(exchange.method, status, this.edge.options.clock.monotonicMs() - exchange.startedMs);
    this.finished(exchange);
  }
}
