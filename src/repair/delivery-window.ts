/** So many hints are on their way at once, at most, in all. */
const WINDOW_MAX = 16;

/**
 * How many hints may be on their way at once: one more with each look that finds nothing else under way, half as many with each that
 * does, never none. So delivery takes what requests leave over, and still comes to an end under load.
 */
export class DeliveryWindow {
  size = 1;

  /** `foreground`: calls and requests under way that are no deliveries. */
  adapt(foreground: number): void {
    this.size = foreground > 0 ? Math.max(1, Math.floor(this.size / 2)) : Math.min(WINDOW_MAX, this.size + 1);
  }

  admits(inFlight: number): boolean {
    return inFlight < this.size;
  }
}
