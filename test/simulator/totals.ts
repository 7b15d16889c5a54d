import type { Report } from './run-twice.ts';
import { Tally } from './tally.ts';

/** What many runs came to. */
export class Totals {
  readonly tally = new Tally();
  readonly failed: Report[] = [];
  runs = 0;
  repeated = 0;
  events = 0;
  virtualMs = 0;
  processorMs = 0;
  private readonly operations: number[] = [];
  private readonly faults: number[] = [];

  add(report: Report): void {
    this.runs++;
    if (report.wasRepeated) this.repeated++;
    this.events += report.events;
    this.virtualMs += report.virtualMs;
    this.processorMs += report.processorMs;
    this.operations.push(report.operations);
    this.faults.push(report.faults);
    this.tally.add(report.tally);
    if (report.violations.length > 0) this.failed.push(report);
  }

  get allOperations(): number {
    return this.operations.reduce((sum, count) => sum + count, 0);
  }

  get medianOperations(): number {
    return median(this.operations);
  }

  get medianFaults(): number {
    return median(this.faults);
  }

  /** By the checker that spoke first. */
  failuresByChecker(): ReadonlyMap<string, readonly Report[]> {
    const groups = new Map<string, Report[]>();
    for (const report of this.failed) {
      const checker = report.violations[0]?.checker ?? '';
      groups.set(checker, [...(groups.get(checker) ?? []), report]);
    }
    return groups;
  }
}

/** The middle one; of an even number the mean of the two in the middle. 0 of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const [below, above] = [sorted[half - 1] ?? 0, sorted[half] ?? 0];
  return sorted.length % 2 === 1 ? above : (below + above) / 2;
}
