/** How large one answer of an exchange may be. Whoever asks goes on where it ended. */
export interface ExchangeLimits {
  /** Keys that are looked at for one answer of a full comparison. */
  readonly keys: number;
  /** An answer takes no more keys once it has so many bytes of them. */
  readonly bytes: number;
  /** Missing dots whose keys are sent in one answer. */
  readonly dots: number;
}

export const EXCHANGE_LIMITS: ExchangeLimits = { keys: 256, bytes: 128 * 1024, dots: 4096 };
