const PAUSE_MS_MIN = 1;
const PAUSE_MS_MAX = 16;
/** What is pulled in a second at most, in bytes. */
const BYTES_PER_S = 16 << 20;

/**
 * How long a pull waits after each answer that it has taken in: twice as long with each look that finds requests under way, half as
 * long with each that finds none. An answer takes about a millisecond of this node's time, so that requests get nine tenths of it where
 * there are any, and a pull still comes to an end.
 */
export class PullPace {
  private pauseMs = 4;

  /** `foreground`: calls and requests under way. In ms. */
  pauseAfter(bytes: number, foreground: number): number {
    this.pauseMs = foreground > 0 ? Math.min(PAUSE_MS_MAX, 2 * this.pauseMs) : Math.max(PAUSE_MS_MIN, this.pauseMs / 2);
    return Math.max(this.pauseMs, (1000 * bytes) / BYTES_PER_S);
  }
}
