import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { invariant } from '../core/invariant.ts';
import { StoreError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { PROBLEM_TYPE, PROBLEMS, problemText } from './problem.ts';
import type { BodyBudget } from './request-body.ts';

/** What of the answers so far the client may leave untaken for its next request to be begun, in bytes. */
const UNTAKEN_BYTES_MAX = 16 * 1024;
/** Requests that wait, and bytes of their bodies, above which a connection is read no further. What one read brings, 64 KiB, comes on top. */
const WAITING_MAX = 64;
const WAITING_BYTES_MAX = 64 * 1024;

/** How long a connection that broke off may take to fetch the last answer. */
const LAST_WORDS_MS = 1000;

/**
 * One client's connection. Pipelined requests are served one after another, since a write and the read sent behind it must not
 * overtake each other (RFC 9112 9.3.2 allows that between safe methods alone). What a client sends and asks for without reading the
 * answers is bounded: the next request waits until the answer before it is taken, and while too many wait nothing more is read.
 */
export class Connection {
  private readonly socket: Duplex;
  private readonly budget: BodyBudget;
  private readonly takingMs: number;
  private readonly begin: (exchange: Exchange) => void;
  private readonly waiting: Exchange[] = [];
  /** Of the bodies of those that wait, but for the last, which may be arriving. */
  private waitingBytes = 0;
  private isStopped = false;
  private hasBeenStopped = false;
  /** Of the current answer and those before it. */
  private untakenBytes = 0;
  /** Runs while the current exchange is answered and too much of that is still here. */
  private takingTimer: NodeJS.Timeout | undefined;
  private current: Exchange | undefined;
  private last: Exchange | undefined;
  private failure: StoreError | undefined;

  /** A client that has not taken an answer within `takingMs` loses its connection. */
  constructor(socket: Duplex, budget: BodyBudget, takingMs: number, begin: (exchange: Exchange) => void) {
    this.socket = socket;
    this.budget = budget;
    this.takingMs = takingMs;
    this.begin = begin;
  }

  add(exchange: Exchange): void {
    if (this.current === undefined) this.start(exchange);
    else this.wait(exchange);
  }

  /** The current exchange is answered. The bytes of its bodies count until the client has taken the answer, or nearly. */
  next(): void {
    const { current, socket } = this;
    invariant(current !== undefined, 'an exchange ends after it was begun, once');
    const untaken = this.untakenAfter(current.outgoing);
    if (untaken <= UNTAKEN_BYTES_MAX || socket.destroyed) {
      this.advance(current);
      return;
    }
    this.budget.hold(current, untaken);
    this.takingTimer = setTimeout(() => socket.destroy(), this.takingMs);
    current.outgoing.once('finish', () => this.taken());
  }

  /** The socket is closed: what its client has not taken, it never will. */
  closed(): void {
    this.taken();
  }

  /**
   * What arrives is no HTTP, or does not arrive in time. The request it belongs to, if its head was read, is answered with the
   * error; else the error is the connection's last answer, after those that are due.
   */
  fail(problem: StoreError): void {
    if (this.failure !== undefined) return;
    this.failure = problem;
    if (this.current === undefined) this.endAfterLast(problem);
    else if (this.takingTimer === undefined) failUnread(this.current, problem);
  }

  private wait(exchange: Exchange): void {
    // Its body is complete, since the next request is here, and unread.
    this.waitingBytes += this.waiting.at(-1)?.incoming.readableLength ?? 0;
    this.waiting.push(exchange);
    if (!this.isStopped && this.waitsTooMuch()) this.stopReading();
  }

  private waitsTooMuch(): boolean {
    return this.waiting.length > WAITING_MAX || this.waitingBytes > WAITING_BYTES_MAX;
  }

  /** Node itself reads on at the end of each request, and when somebody reads a body: each time it is stopped again. */
  private stopReading(): void {
    const { socket } = this;
    this.isStopped = true;
    socket.pause();
    if (this.hasBeenStopped) return;
    this.hasBeenStopped = true;
    socket.on('resume', () => {
      if (this.isStopped) socket.pause();
    });
  }

  private untakenAfter(outgoing: ServerResponse): number {
    // Node hands the socket to an answer once those before it are finished, and keeps it back, whole, until then.
    const before = outgoing.socket === null ? this.untakenBytes : 0;
    this.untakenBytes = outgoing.writableFinished ? 0 : before + outgoing.writableLength;
    return this.untakenBytes;
  }

  private taken(): void {
    const { current } = this;
    if (this.takingTimer === undefined || current === undefined) return;
    clearTimeout(this.takingTimer);
    this.takingTimer = undefined;
    this.advance(current);
  }

  private advance(ended: Exchange): void {
    this.budget.release(ended);
    this.current = undefined;
    if (this.socket.destroyed || !ended.outgoing.shouldKeepAlive) {
      this.waiting.length = 0;
      return;
    }
    const exchange = this.waiting.shift();
    if (exchange !== undefined) {
      this.waitingBytes = this.waiting.length === 0 ? 0 : this.waitingBytes - exchange.incoming.readableLength;
      this.start(exchange);
    } else if (this.failure !== undefined) {
      this.endAfterLast(this.failure);
    }
    if (this.isStopped && !this.waitsTooMuch()) {
      this.isStopped = false;
      this.socket.resume();
    }
  }

  private start(exchange: Exchange): void {
    this.current = exchange;
    this.last = exchange;
    this.begin(exchange);
    if (this.failure !== undefined && this.current === exchange) failUnread(exchange, this.failure);
  }

  private endAfterLast(problem: StoreError): void {
    const { last, socket } = this;
    if (last === undefined || last.outgoing.writableFinished) {
      if (last !== undefined && !last.incoming.complete) socket.destroy();
      else writeProblem(socket, problem);
    } else {
      last.outgoing.once('finish', () => this.endAfterLast(problem));
    }
  }
}

/** An exchange whose request is incomplete takes the error as its own, and its answer is the connection's last. */
function failUnread(exchange: Exchange, problem: StoreError): void {
  if (exchange.incoming.complete) return;
  exchange.outgoing.shouldKeepAlive = false;
  exchange.failBody?.(problem);
}

/** Answers on the bare socket and ends the connection. */
export function writeProblem(socket: Duplex, problem: StoreError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = problemText(problem, undefined);
  const { status, title } = PROBLEMS[problem.code];
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-cache',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** The problem behind an error of Node's HTTP parser; undefined when it is the connection that broke, and nobody is left to tell. */
export function problemOfParserError(code: string | undefined): StoreError | undefined {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new StoreError('headers-too-large', 'request line and headers are over 16 KiB');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new StoreError('bad-body', 'the request did not arrive in time');
  if (code === undefined || !code.startsWith('HPE_')) return undefined;
  if (/CHUNK|EOF|BODY|TRANSFER/.test(code))
    return new StoreError('bad-body', `the request's body is no HTTP (${code})`);
  return new StoreError('bad-header', `the request's head is no HTTP (${code})`);
}
