/** Requests to real nodes, with nothing between the test and the bytes that a client sees. */
import { type Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** Left out: a connection of its own. */
  readonly agent?: Agent;
  /** After so long the client gives up. Left out: never. */
  readonly withinMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** One request. `path` is sent as it is. Rejects when the connection breaks, or when the client gives up. */
export function send(port: number, path: string, options: Sent = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, agent = false, withinMs } = options;
  return new Promise((resolve, reject) => {
    // Node's client leaves the length of a body out of the methods that seldom have one.
    const isDeclared = body !== undefined && headers['Transfer-Encoding'] === undefined;
    const length = isDeclared ? { 'Content-Length': String(Buffer.byteLength(body)) } : {};
    const sent = { ...length, ...headers } as Record<string, string | string[]>;
    const target = { agent, host: '127.0.0.1', port, path, method, headers: sent };
    const signal = withinMs === undefined ? {} : { signal: AbortSignal.timeout(withinMs) };
    const outgoing = request({ ...target, ...signal }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The answer's body as a problem document or other JSON object. */
export function jsonOf({ body }: Answer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(body.toString());
  if (typeof value !== 'object' || value === null) throw new Error(`expected an object, got ${body}`);
  return { ...value };
}

export function headerOf({ headers }: Answer, name: string): string {
  const value = headers[name];
  if (typeof value !== 'string') throw new Error(`expected the header ${name} once, got ${JSON.stringify(headers)}`);
  return value;
}

/** A connection on which a test writes what it likes. */
export class RawConnection {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  private text = '';
  private readonly watchers = new Set<() => void>();
  private isClosed = false;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.wake();
    });
    // A reset is one way in which the other side may end it.
    this.socket.on('error', () => this.socket.destroy());
    this.closed = new Promise((resolve) =>
      this.socket.once('close', () => {
        this.isClosed = true;
        this.wake();
        resolve();
      }),
    );
  }

  /** What has arrived, a character per byte. */
  get received(): string {
    return this.text;
  }

  write(...parts: readonly (string | Uint8Array)[]): this {
    for (const part of parts) this.socket.write(part);
    return this;
  }

  /** Resolves once what has arrived matches; rejects when the connection ends without that. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      if (this.isClosed) throw new Error(`the connection ended before ${pattern}: ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  /** All that was sent until the other side ended the connection. */
  async whole(): Promise<string> {
    await this.closed;
    return this.text;
  }

  private wake(): void {
    for (const watcher of this.watchers) watcher();
    this.watchers.clear();
  }
}

/** Tries again until `look` gives a value; the test's own time limit ends it. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
