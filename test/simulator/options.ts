import { parseArgs } from 'node:util';

export interface SimulateOptions {
  /** The first seed; the others follow it. */
  readonly seed: number | undefined;
  /** So many seeds; undefined: as many as fit in the time. */
  readonly runs: number | undefined;
  readonly minutes: number | undefined;
  /** Print what happened. Of one run only. */
  readonly trace: boolean;
  /** One seed in so many is run twice; 0: none. */
  readonly repeat: number;
  /** A file with a plan in JSON, to be run instead of seeds. */
  readonly plan: string | undefined;
  /** Processes that run seeds. */
  readonly jobs: number;
}

export const USAGE = `usage: npm run simulate -- [options]
  --seed N      the first seed, 0 to 4294967295 (default: drawn at random, and printed)
  --runs K      how many seeds to run (default: 1000, or no limit with --minutes)
  --minutes M   stop after so many minutes
  --repeat R    run one seed in R twice, and fail when the two differ; 0 for none (default: 100; 1 where CI is set)
  --jobs J      how many processes to use (default: one per core)
  --trace       print what happened in one run (--runs 1, which is then the default, or --plan)
  --plan FILE   run the plan in FILE (JSON, as printed for a failing seed)
`;

const SEED_MAX = 2 ** 32 - 1;
const RUNS_DEFAULT = 1000;
const REPEAT_DEFAULT = 100;

/** The options of a command line; a text says what is wrong with it. */
export function parseOptions(args: readonly string[], cores: number, isCi: boolean): SimulateOptions | string {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false });
    const { trace = false, plan } = values;
    const number = (name: keyof typeof NUMBERS): number | undefined => numberOf(name, values[name]);
    const options = {
      ...{ trace, plan, seed: number('seed'), minutes: number('minutes') },
      runs: number('runs') ?? defaultRuns(trace, values.minutes !== undefined),
      repeat: number('repeat') ?? (isCi ? 1 : REPEAT_DEFAULT),
      jobs: number('jobs') ?? cores,
    };
    return conflict(options) ?? options;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const text = { type: 'string' } as const;
const NUMBERS = {
  seed: { least: 0, most: SEED_MAX, isWhole: true },
  runs: { least: 1, most: SEED_MAX, isWhole: true },
  minutes: { least: 0.01, most: 1e6, isWhole: false },
  repeat: { least: 0, most: SEED_MAX, isWhole: true },
  jobs: { least: 1, most: 256, isWhole: true },
} as const;
const OPTIONS = {
  ...{ seed: text, runs: text, minutes: text, repeat: text, jobs: text, plan: text },
  trace: { type: 'boolean' },
} as const;

function numberOf(name: keyof typeof NUMBERS, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const { least, most, isWhole } = NUMBERS[name];
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most && (!isWhole || Number.isInteger(number))) return number;
  throw new Error(`--${name} must be a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}, not "${value}"`);
}

function defaultRuns(trace: boolean, isTimed: boolean): number | undefined {
  if (trace) return 1;
  return isTimed ? undefined : RUNS_DEFAULT;
}

function conflict({ trace, plan, runs, seed }: SimulateOptions): string | undefined {
  if (plan !== undefined && seed !== undefined) return '--plan and --seed exclude each other: a plan has its seed';
  if (trace && plan === undefined && runs !== 1) return '--trace prints one run: it goes with --runs 1';
  return undefined;
}
