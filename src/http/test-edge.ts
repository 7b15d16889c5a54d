import { connect, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import { MemoryStore } from '../../bench/memory-store.ts';
import type { Logger } from '../ports.ts';
import { systemClock } from '../system/system-clock.ts';
import { systemRandom } from '../system/system-random.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http-limits.ts';
import { createHttpServer, type HttpServer } from './server.ts';

/** What a client got, byte for byte. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly text: string;
  /** The body as JSON; fails when it is none. */
  json(): unknown;
}

export interface LogRecord {
  readonly fields: object;
  readonly message: string;
}

/** A real server on a free loopback port over a store in memory, and what it logged as errors. */
export interface TestEdge {
  readonly server: HttpServer;
  readonly store: MemoryStore;
  readonly port: number;
  readonly errors: readonly LogRecord[];
  /** One request on a connection of its own. */
  ask(method: string, target: string, headers?: readonly string[], body?: string | Buffer): Promise<Answer>;
  /** Sends bytes as they are and reads until the server ends the connection. */
  raw(bytes: string | Buffer): Promise<Answer[]>;
  /** Shows that the node goes on. */
  stillServes(): Promise<boolean>;
}

export async function startEdge(store = new MemoryStore(), limits: Partial<HttpLimits> = {}): Promise<TestEdge> {
  const errors: LogRecord[] = [];
  const server = unstartedServer(store, limits, errors);
  const { port } = await server.listen('127.0.0.1', 0);
  const raw = (bytes: string | Buffer): Promise<Answer[]> => readAnswers(connectTo(port), bytes);
  const ask: TestEdge['ask'] = async (method, target, headers = [], body) => {
    const [answer] = await readAnswers(connectTo(port), requestBytes(method, target, headers, body), method === 'HEAD');
    if (answer === undefined) throw new Error(`no answer to ${method} ${target}`);
    return answer;
  };
  const stillServes = async (): Promise<boolean> => (await ask('GET', '/healthz')).status === 200;
  return { server, store, port, errors, ask, raw, stillServes };
}

export function unstartedServer(store: MemoryStore, limits: Partial<HttpLimits>, errors: LogRecord[]): HttpServer {
  return createHttpServer({
    api: store,
    node: store.node,
    limits: { ...DEFAULT_HTTP_LIMITS, ...limits },
    clock: systemClock,
    random: systemRandom(),
    logger: collectingLogger(errors),
    version: '1.2.3',
    metrics: new Registry(),
  });
}

export function connectTo(port: number): Socket {
  return connect({ host: '127.0.0.1', port });
}

/** A request with all that it needs; it asks for the connection to be closed unless `headers` say otherwise. */
export function requestBytes(
  method: string,
  target: string,
  headers: readonly string[] = [],
  body?: string | Buffer,
): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: node', ...headers];
  if (!headers.some((header) => /^connection:/i.test(header))) lines.push('Connection: close');
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body ?? '')]);
}

/** Writes, then reads until the server ends the connection. */
export function readAnswers(socket: Socket, bytes: string | Buffer, isHead = false): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('close', () => resolve(parseAnswers(Buffer.concat(chunks), isHead)));
    socket.write(bytes);
  });
}

/** Resolves with all that came once `enough` says so. */
export function readUntil(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!enough(text)) return;
      socket.off('data', take);
      resolve(text);
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error(`closed after: ${text}`)));
  });
}

/** The answers in a stream; those to HEAD, and 1xx, 204 and 304, have no body. */
export function parseAnswers(bytes: Buffer, isHead = false): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) throw new Error(`half a head: ${bytes.toString('latin1', at)}`);
    const [statusLine = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const status = Number(statusLine.split(' ')[1]);
    const headers = Object.fromEntries(lines.map(splitHeader));
    const hasBody = !isHead && status >= 200 && status !== 204 && status !== 304;
    const length = hasBody ? Number(headers['content-length']) : 0;
    const body = bytes.subarray(end + 4, end + 4 + length);
    if (body.length < length) throw new Error('half a body');
    answers.push({ status, headers, body, text: body.toString(), json: () => JSON.parse(body.toString()) });
    at = end + 4 + length;
  }
  return answers;
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function collectingLogger(errors: LogRecord[]): Logger {
  const ignore = (): void => {};
  return { debug: ignore, info: ignore, warn: ignore, error: (fields, message) => errors.push({ fields, message }) };
}
