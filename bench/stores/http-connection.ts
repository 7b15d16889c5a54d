import { connect, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';
import type { HttpAnswer, HttpRequest } from './http-dialect.ts';
import { CONNECTION, type Failure, TIMEOUT } from './store.ts';

/**
 * One kept connection, one request at a time, each with a deadline. After a failure the connection is closed for good: a late answer to
 * one request must never be taken for the answer to the next.
 */
export class HttpConnection {
  private readonly socket: Socket;
  private readonly hostLine: string;
  private readonly timer: NodeJS.Timeout;
  private readonly reader = new AnswerReader();
  private settle: ((answer: HttpAnswer | Failure) => void) | undefined;
  isOpen = true;

  /** Rejects when there is no connection after `timeoutMs`. */
  static open(address: string, timeoutMs: number): Promise<HttpConnection> {
    const { hostname, port, host } = new URL(address);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port || 80), noDelay: true });
      const fail = (error: Error): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(new Error(`no connection to ${address} after ${timeoutMs} ms`)), timeoutMs);
      socket.once('error', fail);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', fail);
        resolve(new HttpConnection(socket, host, timeoutMs));
      });
    });
  }

  private constructor(socket: Socket, host: string, timeoutMs: number) {
    this.socket = socket;
    this.hostLine = ` HTTP/1.1\r\nHost: ${host}\r\n`;
    // One timer for all requests of the connection, put back by each: a timer for each request costs the client more.
    this.timer = setTimeout(() => this.expire(), timeoutMs);
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', () => this.fail(CONNECTION));
    socket.on('close', () => this.fail(CONNECTION));
  }

  /** The answer, or why there is none. */
  ask({ method, path, headers, body }: HttpRequest): Promise<HttpAnswer | Failure> {
    if (!this.isOpen) return Promise.resolve(CONNECTION);
    let head = `${method} ${path}${this.hostLine}`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    if (body !== undefined) head += `Content-Length: ${body.length}\r\n`;
    this.timer.refresh();
    return new Promise((resolve) => {
      this.settle = resolve;
      this.send(`${head}\r\n`, body);
    });
  }

  close(): void {
    this.fail(CONNECTION);
  }

  private send(head: string, body: string | Buffer | undefined): void {
    if (typeof body !== 'object') {
      this.socket.write(head + (body ?? ''), 'latin1');
      return;
    }
    this.socket.cork();
    this.socket.write(head, 'latin1');
    this.socket.write(body);
    this.socket.uncork();
  }

  private receive(chunk: Buffer): void {
    try {
      const answer = this.reader.push(chunk);
      if (answer === undefined) return;
      if (CLOSES.test(answer.head)) this.end();
      this.answer(answer);
    } catch {
      this.fail(CONNECTION);
    }
  }

  private expire(): void {
    if (this.settle !== undefined) this.fail(TIMEOUT);
  }

  private fail(why: Failure): void {
    this.end();
    this.answer(why);
  }

  private end(): void {
    this.isOpen = false;
    clearTimeout(this.timer);
    this.socket.destroy();
  }

  private answer(answer: HttpAnswer | Failure): void {
    const settle = this.settle;
    this.settle = undefined;
    settle?.(answer);
  }
}

const CLOSES = /\r\nconnection: *close/i;
