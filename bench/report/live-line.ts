import { printable } from '../table.ts';
import { duration, milliseconds, perSecond } from './units.ts';

/** Where a live line is written: a terminal, or what stands for one. */
export interface LiveOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What a run is doing. */
export interface Progress {
  /** Parts that are over, of all that are planned. They differ in length: what is left is not told. */
  readonly done: number;
  readonly all: number;
  readonly text: string;
  readonly elapsedS: number;
  /** Of the second just past. */
  readonly now?: { readonly operations: number; readonly p99Ms: number; readonly errors: number };
}

const COLUMNS = 80;

/** One line that is written over, and only where somebody watches: logs and pipes get none of it. */
export class LiveLine {
  private readonly output: LiveOutput;

  constructor(output: LiveOutput) {
    this.output = output;
  }

  show(progress: Progress): void {
    // A line that wraps could not be written over: it is cut, one column short of the end.
    this.replace(printable(progressText(progress)).slice(0, (this.output.columns ?? COLUMNS) - 1));
  }

  clear(): void {
    this.replace('');
  }

  private replace(text: string): void {
    if (this.output.isTTY === true) this.output.write(`\r\x1b[K${text}`);
  }
}

/** "2/10  quorate, PUT w=2  9,820/s  p99 9.8 ms  1 min 5 s" */
export function progressText({ done, all, text, elapsedS, now }: Progress): string {
  const live =
    now === undefined
      ? []
      : [
          perSecond(now.operations),
          `p99 ${milliseconds(now.p99Ms)}`,
          ...(now.errors === 0 ? [] : [`${now.errors} errors`]),
        ];
  return [`${done}/${all}`, text, ...live, duration(elapsedS)].join('  ');
}
