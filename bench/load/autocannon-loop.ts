import autocannon from 'autocannon';
import type { HttpDialect, HttpRequest } from '../stores/http-dialect.ts';
import { CONNECTION, type Operation, type SessionOptions, TIMEOUT } from '../stores/store.ts';
import type { Mix } from './mix.ts';
import type { OperationSource } from './operation-source.ts';
import type { Recorder } from './recorder.ts';

export interface AutocannonOptions {
  readonly addresses: readonly string[];
  readonly connections: number;
  readonly dialect: HttpDialect;
  readonly session: SessionOptions;
  readonly source: OperationSource;
  /** No run takes longer. */
  readonly secondsMax: number;
}

/** Its requests are drawn before: a key that is inserted only then cannot be read, and a write that needs the answer to a read cannot be made. */
export const canDrive = ({ insert, readModifyWrite }: Mix): boolean => insert === 0 && readModifyWrite === 0;

/**
 * A closed loop by autocannon. It is meant for members that stay up: autocannon connects again without a pause. Answers are told
 * apart by their status alone.
 */
export class AutocannonLoop {
  private readonly instances: autocannon.Instance[] = [];
  private readonly ends: Promise<void>[] = [];
  private readonly connections: number;
  private readonly timeoutMs: number;
  private recorder: Recorder | undefined;
  private onAnswer: (client: autocannon.Client) => void = () => {};

  private constructor({ connections, session }: AutocannonOptions) {
    this.connections = connections;
    this.timeoutMs = session.timeoutMs;
  }

  /** Begins the load, one autocannon for each member. Drawing the requests takes a while: only afterwards can there be a window. */
  static async start(options: AutocannonOptions): Promise<AutocannonLoop> {
    const loop = new AutocannonLoop(options);
    const { addresses, connections } = options;
    const starts = addresses.map((address, i) => {
      const share = Math.floor((connections + i) / addresses.length);
      return share === 0 ? undefined : loop.add(address, share, options);
    });
    await Promise.all(starts);
    return loop;
  }

  /** Records what begins until `endMs`, waits for its end, and ends the load. */
  async run(recorder: Recorder, endMs: number): Promise<void> {
    this.recorder = recorder;
    await new Promise((resolve) => setTimeout(resolve, endMs - performance.now()));
    await this.lastAnswers();
    for (const instance of this.instances) instance.stop();
    await Promise.all(this.ends);
  }

  /** Each connection has one request under way that began before. Those that were not answered by the deadline are counted by then. */
  private lastAnswers(): Promise<void> {
    return new Promise((resolve) => {
      const answered = new Set<autocannon.Client>();
      const timer = setTimeout(resolve, this.timeoutMs + DEADLINE_SLACK_MS);
      this.onAnswer = (client) => {
        if (answered.add(client).size < this.connections) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private add(url: string, connections: number, options: AutocannonOptions): Promise<void> {
    const requests = requestsPerConnection(options);
    return new Promise((started) => {
      const ended = new Promise<void>((resolve, reject) => {
        const instance = autocannon(
          {
            url,
            connections,
            duration: options.secondsMax,
            timeout: options.session.timeoutMs / 1000,
            setupClient: (client) => client.setRequests(Array.from({ length: requests }, () => draw(options))),
          },
          (error) => (error ? reject(error) : resolve()),
        );
        this.instances.push(instance);
        this.listen(instance);
        instance.on('start', started);
      });
      this.ends.push(ended);
    });
  }

  private listen(instance: autocannon.Instance): void {
    instance.on('response', (client, status, _bytes, latencyMs) => {
      const startMs = performance.now() - latencyMs;
      if (isAnswer(status)) this.recorder?.succeeded(startMs, latencyMs);
      else this.recorder?.failed(startMs, `${status}`);
      this.onAnswer(client);
    });
    // It does not say when a request began whose connection broke.
    instance.on('reqError', (error: Error) => {
      const nowMs = performance.now();
      if (error.message === 'request timed out') this.recorder?.failed(nowMs - this.timeoutMs, TIMEOUT);
      else this.recorder?.failed(nowMs, CONNECTION);
    });
  }
}

function draw(options: AutocannonOptions): autocannon.Request {
  const { method, path, headers, body } = requestOf(options, options.source.next());
  return { method, path, headers: { ...headers }, body };
}

function requestOf({ dialect, session }: AutocannonOptions, { kind, key }: Operation): HttpRequest {
  return kind === 'read' ? dialect.read(key, session.read) : dialect.write(key, session.nextValue(), session.write);
}

/** autocannon holds every request as bytes, the value included. */
function requestsPerConnection({ connections, session }: AutocannonOptions): number {
  const bytesEach = session.nextValue().base64.length + REQUEST_OVERHEAD_BYTES;
  const all = Math.min(REQUESTS_MAX, REQUEST_BYTES_MAX / bytesEach);
  return Math.max(1, Math.floor(all / connections));
}

/** 300: a value of quorate's, and its siblings. */
const isAnswer = (status: number): boolean => status >= 200 && status <= 300;

/** How late a timer of its may be. */
const DEADLINE_SLACK_MS = 500;
const REQUESTS_MAX = 32_000;
const REQUEST_BYTES_MAX = 256 * 1024 * 1024;
const REQUEST_OVERHEAD_BYTES = 1000;
