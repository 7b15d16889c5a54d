/** Every way in which a request can be refused or fail. Stable: clients branch on them. Each is described in the README. */
export const ERROR_CODES = [
  'bad-parameter',
  'bad-key',
  'bad-bucket',
  'bad-context',
  'bad-header',
  'bad-body',
  'not-supported',
  'not-found',
  'method-not-allowed',
  'not-acceptable',
  'value-too-large',
  'key-too-long',
  'headers-too-large',
  'unsupported-encoding',
  'unsupported-media-type',
  'forbidden-origin',
  'conditional-unsupported',
  'idempotency-mismatch',
  'sibling-limit',
  'conflict',
  'precondition-failed',
  'overloaded',
  'not-ready',
  'no-leader',
  'clock-skew',
  'quorum-impossible',
  'quorum-not-met',
  'deadline-exceeded',
  'disk-full',
  'storage-failed',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What became of a write that was not acknowledged: proved to have touched nothing, or unknown. Never "undone" (no rollback). */
export type WriteOutcome = 'not_applied' | 'unknown';

/** Facts that go with an error, as they appear in its problem document. */
export interface ErrorDetails {
  readonly required?: number;
  readonly acked?: readonly string[];
  readonly failed?: readonly { readonly node: string; readonly reason: string }[];
  readonly pending?: readonly string[];
  readonly outcome?: WriteOutcome;
  readonly retryable?: boolean;
  readonly epoch?: number;
  /** The parameter, header or field at fault. */
  readonly field?: string;
  /** Seconds after which a retry makes sense. */
  readonly retryAfterS?: number;
  /** What `explain=true` tells of the request. */
  readonly explain?: object;
}

/** A request that cannot be served. `message` is the problem document's `detail`: one sentence for a person. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** A node that cannot start, or must stop: the reason for a person and the process's exit code. */
export class FatalError extends Error {
  override readonly name = 'FatalError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
