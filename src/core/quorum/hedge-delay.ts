import { invariant } from '../invariant.ts';

/** A shorter delay would hedge on the grain of timers, a longer one would not be a hedge. */
export const HEDGE_MS_MIN = 1;
export const HEDGE_MS_MAX = 50;

/** So many answers are remembered. */
const SAMPLES = 256;
/** From so many on they say something; and as often the percentile is found anew, which keeps it below 0.1 us an answer. */
const SAMPLES_MIN = 64;
const QUANTILE = 0.95;

/**
 * How long a read waits for the replicas that it asked before it asks one more: as long as 95 of 100 recent answers of peers took,
 * so that one read in twenty costs a message more, and a slow replica costs the others little.
 *
 * 1. `HEDGE_MS_MIN <= delayMs <= HEDGE_MS_MAX`; the latter until {@link SAMPLES_MIN} answers were seen.
 * 2. Within these bounds at least 95 in 100 of the {@link SAMPLES} answers before its last change took no longer than `delayMs`.
 * 3. Answers count that came after the read was over, too: left out, the slow ones would make the delay too short.
 *
 * Of all peers together: of a slow peer alone it would be as long as that one is slow.
 *
 * Source: Dean and Barroso, "The Tail at Scale" (CACM 2013), hedged requests.
 */
export class HedgeDelay {
  private readonly samples = new Float64Array(SAMPLES);
  private count = 0;
  private delay = HEDGE_MS_MAX;

  get delayMs(): number {
    return this.delay;
  }

  /** A peer has answered, so long after it was asked. */
  answered(ms: number): void {
    invariant(ms >= 0, 'an answer comes after its question');
    this.samples[this.count % SAMPLES] = ms;
    this.count++;
    if (this.count % SAMPLES_MIN === 0) this.delay = this.quantile();
  }

  private quantile(): number {
    const known = this.samples.slice(0, Math.min(this.count, SAMPLES)).sort();
    const found = known[Math.ceil(known.length * QUANTILE) - 1] ?? HEDGE_MS_MAX;
    return Math.min(HEDGE_MS_MAX, Math.max(HEDGE_MS_MIN, found));
  }
}
