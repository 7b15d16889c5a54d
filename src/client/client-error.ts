import type { WriteOutcome } from '../errors.ts';

/** The problem document of an answer, or the client's own finding in the same shape. */
export interface ProblemFields {
  /**
   * One of the server's error codes (`quorum-not-met`, ...), newer servers may know further ones; or what the client itself finds:
   * `unreachable` (no connection was made), `no-answer` (one was, and it broke or the deadline passed), `bad-answer` (not Quorate's).
   */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** The HTTP status; left out when no answer came. */
  readonly status?: number;
  /** For writes: `not_applied` (proved, safe to repeat) or `unknown`. */
  readonly outcome?: WriteOutcome;
  readonly retryable?: boolean;
  readonly epoch?: number;
  readonly required?: number;
  readonly acked?: readonly string[];
  readonly failed?: readonly { readonly node: string; readonly reason: string }[];
  readonly pending?: readonly string[];
  /** From `Retry-After`. */
  readonly retryAfterS?: number;
}

/** A request that was not served. `message` is one line for a person. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly problem: ProblemFields;

  constructor(problem: ProblemFields, options?: ErrorOptions) {
    super(describeProblem(problem), options);
    this.problem = problem;
  }

  get code(): string {
    return this.problem.code;
  }

  get outcome(): WriteOutcome | undefined {
    return this.problem.outcome;
  }
}

/** `Write quorum not met: 1 of 2 required acknowledgements within 250 ms (quorum-not-met), outcome unknown`. */
function describeProblem({ title, detail, code, outcome }: ProblemFields): string {
  const text = [title, detail].filter((part) => part !== '').join(': ');
  const line = `${text} (${code})${outcome === undefined ? '' : `, outcome ${outcome}`}`;
  return line.replace(/\s+/g, ' ').trim();
}
