import type { ErrorCode, StoreError } from '../errors.ts';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** Whether the same request may succeed later, when the error itself does not say. */
  readonly retryable: boolean;
}

/** The one place where an error code becomes an HTTP status. */
export const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
  'bad-parameter': { status: 400, title: 'Bad query parameter', retryable: false },
  'bad-key': { status: 400, title: 'Bad key', retryable: false },
  'bad-bucket': { status: 400, title: 'Bad bucket name', retryable: false },
  'bad-context': { status: 400, title: 'Bad causal context', retryable: false },
  'bad-header': { status: 400, title: 'Bad request head', retryable: false },
  'bad-body': { status: 400, title: 'Bad request body', retryable: false },
  'not-supported': { status: 400, title: 'Not supported yet', retryable: false },
  'not-found': { status: 404, title: 'Not found', retryable: false },
  'method-not-allowed': { status: 405, title: 'Method not allowed', retryable: false },
  'not-acceptable': { status: 406, title: 'No acceptable representation', retryable: false },
  'value-too-large': { status: 413, title: 'Value too large', retryable: false },
  'key-too-long': { status: 414, title: 'Key too long', retryable: false },
  'headers-too-large': { status: 431, title: 'Request line and headers too large', retryable: false },
  'unsupported-encoding': { status: 415, title: 'Content encodings are not supported', retryable: false },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type', retryable: false },
  'forbidden-origin': { status: 403, title: 'Forbidden origin', retryable: false },
  'conditional-unsupported': { status: 409, title: 'Conditional writes are not supported', retryable: false },
  'idempotency-mismatch': { status: 409, title: 'Idempotency key used for another request', retryable: false },
  'sibling-limit': { status: 409, title: 'Too many siblings', retryable: false },
  conflict: { status: 409, title: 'Conflict', retryable: false },
  'precondition-failed': { status: 412, title: 'Precondition failed', retryable: false },
  overloaded: { status: 429, title: 'Overloaded', retryable: true },
  'not-ready': { status: 503, title: 'Not ready', retryable: true },
  'no-leader': { status: 503, title: 'No metadata leader', retryable: true },
  'clock-skew': { status: 503, title: 'Clock skew', retryable: true },
  'quorum-impossible': { status: 503, title: 'Quorum impossible', retryable: true },
  'quorum-not-met': { status: 504, title: 'Write quorum not met', retryable: true },
  'deadline-exceeded': { status: 504, title: 'Deadline exceeded', retryable: true },
  'disk-full': { status: 507, title: 'Disk full', retryable: true },
  'storage-failed': { status: 500, title: 'Storage failed', retryable: false },
  internal: { status: 500, title: 'Internal error', retryable: false },
};

export const PROBLEM_TYPE = 'application/problem+json';

/** Codes whose answer always says when to come back; their errors may name another time. */
const RETRY_AFTER_S: Partial<Record<ErrorCode, number>> = { overloaded: 1, 'not-ready': 1, 'no-leader': 1 };

export function problemStatus(error: StoreError): number {
  return PROBLEMS[error.code].status;
}

/** Seconds for `Retry-After`, undefined when the answer has none. */
export function retryAfterS(error: StoreError): number | undefined {
  return error.details.retryAfterS ?? RETRY_AFTER_S[error.code];
}

/** What a problem document tells. Every {@link StoreError} is one; the commonest, 404, is made without an error's costly stack. */
export type Fault = Pick<StoreError, 'code' | 'message' | 'details'>;

/** The problem document (RFC 9457) as text. `instance` is the request's path, undefined when it could not be read. */
export function problemText(error: Fault, instance: string | undefined): string {
  const kind = PROBLEMS[error.code];
  const { required, acked, failed, pending, outcome, retryable, epoch, field, explain } = error.details;
  return JSON.stringify({
    type: 'about:blank',
    title: kind.title,
    status: kind.status,
    code: error.code,
    detail: error.message,
    instance,
    field,
    required,
    acked,
    failed,
    pending,
    outcome,
    retryable: retryable ?? kind.retryable,
    epoch,
    explain,
  });
}
