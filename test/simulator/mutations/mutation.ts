/** A product broken on purpose, in one place: data, so that the product itself needs no hooks. */
export interface Mutation {
  /** What is broken, as one would say it. */
  readonly name: string;
  /** The rule that it breaks: an invariant (I1-I6), a causality rule (C1-C12), a hazard (H1-H31), a Raft rule (R1-R13), W for the log. */
  readonly rule: string;
  /** The compiled file, below `dist/src`. */
  readonly file: string;
  /** Occurs there exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The checkers that may be the first to find it. */
  readonly checkers: readonly string[];
  /** It is found within the seeds from 1 to this one. */
  readonly seedsMax: number;
  /** Seeds are of schedules of Raft machines alone, in place of whole clusters. */
  readonly among?: 'raft schedules';
  /** Run this schedule of `scenarios.ts` instead of seeds: what it takes is too rare for chance. */
  readonly scenario?: string;
}

/** The broken text. Fails when the place is not there, or not the only one: a mutation that no longer bites must not pass for one that is caught. */
export function mutated(text: string, { name, file, find, replace }: Mutation): string {
  const pieces = text.split(find);
  if (pieces.length !== 2) {
    throw new Error(`mutation "${name}": its text occurs ${pieces.length - 1} times in ${file}, expected once`);
  }
  const broken = pieces.join(replace);
  if (broken === text) throw new Error(`mutation "${name}" changes nothing`);
  return broken;
}

export function folderName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
