import type { CatchUpView, ClusterView, KeyPlacement, RingView } from '../coordinator/api.ts';
import type { QuorumLevel } from '../core/quorum/quorum-spec.ts';
import { ClientError } from './client-error.ts';
import { type ExchangeRequest, HttpExchange } from './http-exchange.ts';
import { bucketPath, keyOfPath, objectPath } from './object-path.ts';
import {
  type Answer,
  badAnswer,
  catchUpOf,
  clusterOf,
  jsonOf,
  metaOf,
  placementOf,
  problemOf,
  ringOf,
  type Sibling,
  siblingsOf,
} from './parse-answer.ts';

export interface ClientOptions {
  /** How long a call may take that names no `timeoutMs`, all attempts together. Default 65 s: longer than any server takes. */
  readonly deadlineMs?: number;
}

interface CallOptions {
  /** The server's deadline, 1..60 000; left out, the server's default holds. */
  readonly timeoutMs?: number | undefined;
}

interface DataOptions extends CallOptions {
  /** False: only owners count; left out, other nodes may stand in for owners that are away. */
  readonly sloppy?: boolean | undefined;
}

export interface ReadOptions extends DataOptions {
  readonly r?: QuorumLevel | undefined;
  readonly pr?: QuorumLevel | undefined;
  /** Only the sibling of this name. */
  readonly dot?: string | undefined;
}

export interface DeleteOptions extends DataOptions {
  readonly w?: QuorumLevel | undefined;
  readonly pw?: QuorumLevel | undefined;
  /** What was read before: the write replaces exactly what that had seen. */
  readonly context?: string | undefined;
}

export interface PutOptions extends DeleteOptions {
  /** Default `application/octet-stream`. */
  readonly contentType?: string | undefined;
  readonly meta?: Readonly<Record<string, string>> | undefined;
}

/** What an answer said about itself. */
export interface AnswerFacts {
  /** `r=2/2; owners=2; fallbacks=0; hedged=0`. */
  readonly quorum?: string;
  readonly epoch?: number;
  readonly node?: string;
}

export type ReadResult =
  | {
      readonly kind: 'value';
      readonly value: Uint8Array;
      readonly contentType: string;
      readonly meta: Readonly<Record<string, string>>;
      /** An HTTP date. */
      readonly lastModified?: string;
      readonly context: string;
      readonly facts: AnswerFacts;
    }
  | {
      readonly kind: 'siblings';
      readonly siblings: readonly Sibling[];
      readonly context: string;
      readonly facts: AnswerFacts;
    }
  /** Nothing is there, as far as the quorum has seen; a write with this context says so. */
  | { readonly kind: 'missing'; readonly context: string; readonly facts: AnswerFacts };

export interface WriteResult {
  readonly context: string;
  readonly facts: AnswerFacts;
}

/** How much longer than the server's deadline the client waits for the answer that says so. */
const GRACE_MS = 1000;

/**
 * A client of a cluster, over any of its nodes: the first URL that can take a request gets it.
 *
 * Every method throws {@link ClientError}. A write is never repeated once it may have been applied: its error then has the outcome
 * `unknown`, and whoever repeats it does so knowingly.
 */
export class QuorateClient {
  private readonly exchange: HttpExchange;
  private readonly deadlineMs: number;

  /** `urls` as `http://host:port`, the scheme may be left out. */
  constructor(urls: readonly string[], { deadlineMs = 65_000 }: ClientOptions = {}) {
    this.exchange = new HttpExchange(urls);
    this.deadlineMs = deadlineMs;
  }

  async get(bucket: string, key: string, options: ReadOptions = {}): Promise<ReadResult> {
    const { r, pr, sloppy, dot } = options;
    const answer = await this.send('GET', objectPath(bucket, key), options, { r, pr, sloppy, dot });
    if (answer.status === 200) return valueResult(answer);
    if (answer.status === 300) return { kind: 'siblings', siblings: siblingsOf(answer), ...writeResult(answer) };
    const problem = problemOf(answer);
    if (problem.code !== 'not-found') throw problem;
    return { kind: 'missing', ...writeResult(answer) };
  }

  /** Writes `value`, a string as UTF-8. */
  async put(bucket: string, key: string, value: Uint8Array | string, options: PutOptions = {}): Promise<WriteResult> {
    return writeResult(await this.write('PUT', objectPath(bucket, key), options, value));
  }

  /** Also succeeds where nothing was. */
  async delete(bucket: string, key: string, options: DeleteOptions = {}): Promise<WriteResult> {
    return writeResult(await this.write('DELETE', objectPath(bucket, key), options, undefined));
  }

  /** Writes `value` under a key that the server makes. */
  async post(
    bucket: string,
    value: Uint8Array | string,
    options: PutOptions = {},
  ): Promise<WriteResult & { readonly key: string }> {
    const answer = await this.write('POST', bucketPath(bucket), options, value);
    const key = keyOfPath(bucket, answer.headers.get('location') ?? '');
    if (key === undefined) throw badAnswer(answer, 'a new key without its Location');
    return { ...writeResult(answer), key };
  }

  /** The listing's answer as it came. */
  async list(bucket: string): Promise<unknown> {
    return jsonOf(await this.read(bucketPath(bucket), {}));
  }

  /** Members and settings, as the node that answers sees them. */
  async cluster(): Promise<ClusterView> {
    return clusterOf(await this.read('/v1/cluster', {}));
  }

  /** Who owns which partition. */
  async ring(): Promise<RingView> {
    return ringOf(await this.read('/v1/cluster/ring', {}));
  }

  /** Where one key lives. */
  async placement(bucket: string, key: string): Promise<KeyPlacement> {
    return placementOf(await this.read('/v1/cluster/ring', { bucket, key }));
  }

  /** What the node that answers has to catch up with before it serves it again. Name one URL: each node answers for itself. */
  async catchUp(): Promise<CatchUpView> {
    return catchUpOf(await this.read('/v1/cluster/catch-up', {}));
  }

  /** Tells that node not to wait for an owner that will never come back. */
  async except(owner: string): Promise<CatchUpView> {
    const body = Buffer.from(JSON.stringify({ except: owner }));
    const headers = { 'content-type': 'application/json' };
    const answer = await this.send('POST', '/v1/cluster/catch-up', {}, {}, headers, body);
    if (answer.status !== 200) throw problemOf(answer);
    return catchUpOf(answer);
  }

  private async read(path: string, query: Query): Promise<Answer> {
    const answer = await this.send('GET', path, {}, query);
    if (answer.status !== 200) throw problemOf(answer);
    return answer;
  }

  private async write(
    method: 'PUT' | 'POST' | 'DELETE',
    path: string,
    options: PutOptions,
    value: Value,
  ): Promise<Answer> {
    const { w, pw, sloppy } = options;
    const answer = await this.send(method, path, options, { w, pw, sloppy }, writeHeaders(options), bodyOf(value));
    if (answer.status >= 300) throw problemOf(answer);
    return answer;
  }

  private send(
    method: ExchangeRequest['method'],
    path: string,
    { timeoutMs }: CallOptions,
    query: Query,
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
  ): Promise<Answer> {
    const timeout = timeoutMs === undefined ? undefined : `${timeoutMs}ms`;
    const deadlineMs = timeoutMs === undefined ? this.deadlineMs : timeoutMs + GRACE_MS;
    const target = `${path}${queryString({ ...query, timeout })}`;
    return this.exchange.send({ method, target, headers, deadlineMs, ...(body === undefined ? {} : { body }) });
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;
type Value = Uint8Array | string | undefined;

function valueResult(answer: Answer): ReadResult {
  const { headers, body } = answer;
  const lastModified = headers.get('last-modified');
  return {
    kind: 'value',
    value: body,
    contentType: headers.get('content-type') ?? 'application/octet-stream',
    meta: metaOf(headers),
    ...(lastModified === null ? {} : { lastModified }),
    ...writeResult(answer),
  };
}

/** What reads and writes have in common. */
function writeResult({ headers }: Answer): WriteResult {
  return { context: headers.get('causal-context') ?? '', facts: factsOf(headers) };
}

function factsOf(headers: Headers): AnswerFacts {
  const quorum = headers.get('quorate-quorum');
  const epoch = headers.get('quorate-epoch');
  const node = headers.get('quorate-node');
  return {
    ...(quorum === null ? {} : { quorum }),
    ...(epoch === null ? {} : { epoch: Number(epoch) }),
    ...(node === null ? {} : { node }),
  };
}

/** Errors: {@link ClientError} `bad-header` for what no header can carry. */
function writeHeaders({ context, contentType, meta = {} }: PutOptions): Readonly<Record<string, string>> {
  const headers = {
    ...(context === undefined ? {} : { 'causal-context': context }),
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...Object.fromEntries(Object.entries(meta).map(([name, value]) => [`quorate-meta-${name}`, value])),
  };
  try {
    new Headers(headers);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new ClientError({ code: 'bad-header', title: 'Bad header', detail, outcome: 'not_applied' }, { cause });
  }
  return headers;
}

function bodyOf(value: Value): Uint8Array | undefined {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
}

function queryString(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  // Not URLSearchParams: it writes a blank as `+`, and to the server a plus is a plus.
  const text = given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return text === '' ? '' : `?${text}`;
}
