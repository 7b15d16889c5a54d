/** One request to the first node that can take it, within one deadline. */
import { invariant } from '../core/invariant.ts';
import { ClientError } from './client-error.ts';
import { type Answer, problemOf } from './parse-answer.ts';

export interface ExchangeRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Path and query, encoded. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** From the first attempt to the last byte of the answer. */
  readonly deadlineMs: number;
}

/** Network errors that say that no connection was made: the request cannot have had an effect. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Refusals that say something about the node that was asked, and nothing about the others. */
const ASK_ANOTHER: ReadonlySet<string> = new Set(['unreachable', 'not-ready', 'overloaded', 'quorum-impossible']);

export class HttpExchange {
  /** The node that answered last comes first. */
  private urls: readonly string[];

  /** Errors: {@link ClientError} `bad-parameter` for none, or what is no `http://host:port`. */
  constructor(urls: readonly string[]) {
    if (urls.length === 0) throw badUrl('no URL was given');
    this.urls = urls.map(baseUrl);
  }

  /**
   * The answer, whatever its status. A request goes to the next node only where it cannot have had an effect, or is a read.
   * Errors: {@link ClientError} `unreachable` or `no-answer`.
   */
  async send(request: ExchangeRequest): Promise<Answer> {
    const deadline = AbortSignal.timeout(request.deadlineMs);
    let last: Answer | ClientError | undefined;
    for (const url of this.urls) {
      last = await attempt(url, request, deadline);
      if (!mayAskAnother(request, last)) {
        this.urls = [url, ...this.urls.filter((other) => other !== url)];
        break;
      }
    }
    invariant(last !== undefined, 'a client has at least one URL');
    if (last instanceof ClientError) throw last;
    return last;
  }
}

async function attempt(url: string, request: ExchangeRequest, signal: AbortSignal): Promise<Answer | ClientError> {
  const { method, target, headers, body } = request;
  try {
    const init: RequestInit = { method, headers, signal, redirect: 'manual', ...(body === undefined ? {} : { body }) };
    const response = await fetch(`${url}${target}`, init);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, body: bytes };
  } catch (error) {
    return networkError(url, request, error, signal.aborted);
  }
}

function networkError(url: string, request: ExchangeRequest, error: unknown, late: boolean): ClientError {
  const reason = systemCode(error);
  const isWrite = request.method !== 'GET';
  if (!late && NOT_CONNECTED.has(reason)) {
    const outcome = isWrite ? ({ outcome: 'not_applied' } as const) : {};
    const detail = `${url} (${reason})`;
    return new ClientError({ code: 'unreachable', title: 'Cannot connect', detail, ...outcome }, { cause: error });
  }
  const detail = late ? `${url} within ${request.deadlineMs} ms` : `${url} (${reason})`;
  const outcome = isWrite ? ({ outcome: 'unknown' } as const) : {};
  return new ClientError({ code: 'no-answer', title: 'No answer', detail, ...outcome }, { cause: error });
}

function mayAskAnother({ method }: ExchangeRequest, result: Answer | ClientError): boolean {
  if (!(result instanceof ClientError) && result.status < 400) return false;
  const { code, outcome } = result instanceof ClientError ? result : problemOf(result);
  if (code === 'no-answer') return method === 'GET';
  // Each of these is said before anything is stored; a write that says otherwise is believed.
  return ASK_ANOTHER.has(code) && outcome !== 'unknown';
}

/** `ECONNREFUSED` and the like, which fetch hides in the error's cause. */
function systemCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  for (const candidate of [cause, error]) {
    if (candidate instanceof Error && 'code' in candidate && typeof candidate.code === 'string') return candidate.code;
  }
  if (cause instanceof Error) return cause.message;
  return error instanceof Error ? error.message : String(error);
}

/** `host:port`, with or without `http://` in front. */
function baseUrl(text: string): string {
  const full = /^https?:\/\//.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw badUrl(`expected http://host:port, not ${text}`);
  }
  return url.origin;
}

function badUrl(detail: string): ClientError {
  return new ClientError({ code: 'bad-parameter', title: 'Bad URL', detail, outcome: 'not_applied' });
}
