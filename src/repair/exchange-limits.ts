/** How large one answer of an exchange may be. Whoever asks goes on where it ended. */
export interface ExchangeLimits {
  /** Keys that are looked at for one answer of a full comparison. */
  readonly keys: number;
  /** An answer takes no more keys once it has so many bytes of them. */
  readonly bytes: number;
  /** Missing dots that are named in one answer. */
  readonly dots: number;
}

/**
 * So much that taking in an answer, or putting it together, holds up requests for a millisecond or two. With 256 keys, 4,096 dots and
 * 128 KiB it was up to 30 ms, at both ends, for small values.
 */
export const EXCHANGE_LIMITS: ExchangeLimits = { keys: 64, bytes: 64 * 1024, dots: 64 };
