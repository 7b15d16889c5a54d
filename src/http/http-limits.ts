/** What one node's HTTP edge takes on at most. What is over a limit gets a typed error, never a stall. */
export interface HttpLimits {
  /** The largest value, in bytes; a bucket may set less. */
  readonly valueBytes: number;
  /** Requests being served at once; those that wait for others of their connection are not. */
  readonly requests: number;
  /** Bytes of bodies in memory at once: of requests, and of answers that their clients have not taken. */
  readonly bodyBytes: number;
  /** The deadline of a request that names none, in ms. */
  readonly requestTimeoutMs: number;
  /** How long a request may take to arrive: its head, and all of it. In ms. */
  readonly headArrivalMs: number;
  readonly arrivalMs: number;
  /** How long a client may take to read an answer, once it is made. In ms. */
  readonly takingMs: number;
  /** How long a connection may wait for its next request, in ms. */
  readonly keepAliveMs: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  valueBytes: 1024 * 1024,
  requests: 4096,
  bodyBytes: 256 * 1024 * 1024,
  requestTimeoutMs: 2000,
  headArrivalMs: 10_000,
  arrivalMs: 30_000,
  takingMs: 120_000,
  keepAliveMs: 15_000,
};

/** Request line and headers together, in bytes. */
export const HEAD_BYTES_MAX = 16 * 1024;
/** A JSON body, in bytes. */
export const JSON_BYTES_MAX = 64 * 1024;
/** A `Causal-Context`, in characters. */
export const CONTEXT_CHARS_MAX = 4096;
/** Names and values of a value's `Quorate-Meta-*` headers together, in bytes. */
export const META_BYTES_MAX = 2048;
/** A stored `Content-Type`, in bytes. */
export const CONTENT_TYPE_BYTES_MAX = 256;
/** A key, in bytes of UTF-8. */
export const KEY_BYTES_MAX = 1024;
