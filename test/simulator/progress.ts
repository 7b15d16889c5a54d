import type { Totals } from './totals.ts';

const TERMINAL_EVERY_MS = 250;
const PLAIN_EVERY_MS = 15_000;

/** A line that says how far a long run is: rewritten on a terminal, now and then a new one elsewhere. On stderr. */
export class Progress {
  private readonly timer: NodeJS.Timeout;
  private readonly isTerminal = process.stderr.isTTY === true;

  constructor(text: () => string) {
    const everyMs = this.isTerminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS;
    this.timer = setInterval(
      () => process.stderr.write(this.isTerminal ? `\r${text()}\x1b[K` : `${text()}\n`),
      everyMs,
    );
  }

  end(): void {
    clearInterval(this.timer);
    if (this.isTerminal) process.stderr.write('\r\x1b[K');
  }
}

export function progressText({ runs, failed, events }: Totals, runsMax: number | undefined, elapsedMs: number): string {
  const of = runsMax === undefined ? '' : ` of ${runsMax}`;
  const perSecond = Math.round((events / Math.max(1, elapsedMs)) * 1000);
  return `${runs}${of} seeds, ${failed.length} failed, ${Math.round(elapsedMs / 1000)} s, ${perSecond} events/s`;
}
