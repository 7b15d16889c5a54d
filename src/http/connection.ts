import type { Duplex } from 'node:stream';
import { StoreError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { PROBLEM_TYPE, PROBLEMS, problemText } from './problem.ts';

/** How long a connection that broke off may take to fetch the last answer. */
const LAST_WORDS_MS = 1000;

/**
 * One client's connection. Pipelined requests are served one after another, since a write and the read sent behind it must not
 * overtake each other (RFC 9112 9.3.2 allows that between safe methods alone).
 */
export class Connection {
  private readonly socket: Duplex;
  private readonly begin: (exchange: Exchange) => void;
  private readonly waiting: Exchange[] = [];
  private current: Exchange | undefined;
  private last: Exchange | undefined;
  private failure: StoreError | undefined;

  constructor(socket: Duplex, begin: (exchange: Exchange) => void) {
    this.socket = socket;
    this.begin = begin;
  }

  add(exchange: Exchange): void {
    if (this.current === undefined) this.start(exchange);
    else this.waiting.push(exchange);
  }

  /** The current exchange is over. Returns how many requests behind it will never be served, because the connection ends. */
  next(): number {
    const ended = this.current;
    this.current = undefined;
    if (this.socket.destroyed || ended?.outgoing.shouldKeepAlive === false) return this.waiting.splice(0).length;
    const exchange = this.waiting.shift();
    if (exchange !== undefined) this.start(exchange);
    else if (this.failure !== undefined) this.endAfterLast(this.failure);
    return 0;
  }

  /**
   * What arrives is no HTTP, or does not arrive in time. The request it belongs to, if its head was read, is answered with the
   * error; else the error is the connection's last answer, after those that are due.
   */
  fail(problem: StoreError): void {
    if (this.failure !== undefined) return;
    this.failure = problem;
    if (this.current !== undefined) failUnread(this.current, problem);
    else this.endAfterLast(problem);
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
