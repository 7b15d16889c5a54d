import { drawPlan, type Plan } from './plan.ts';
import { type RunResult, runPlan } from './run-seed.ts';
import type { Violation } from './simulation.ts';

/** A run to make: of a seed, or of a plan that differs from its seed's. */
export interface Job {
  readonly seed: number;
  readonly plan?: Plan;
  /** Twice, to see whether both runs are the same. */
  readonly twice: boolean;
}

/** What came of it, fit to be sent between processes. */
export interface Report {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly hash: string;
  /** Of all runs of the job together. */
  readonly events: number;
  readonly virtualMs: number;
  /** Of one run. */
  readonly operations: number;
  readonly faults: number;
  readonly wasRepeated: boolean;
  readonly tally: readonly (readonly [string, number])[];
  /** Of this process, in ms. */
  readonly processorMs: number;
}

const VIOLATIONS_MAX = 20;

/** Runs the job. The same plan must give the same events: if not, something in it asks the real world. */
export async function runJob({ seed, plan = drawPlan(seed), twice }: Job): Promise<Report> {
  const before = process.cpuUsage();
  const first = await runPlan(plan);
  const runs = twice ? [first, await runPlan(plan)] : [first];
  const { user, system } = process.cpuUsage(before);
  const sum = (of: (run: RunResult) => number): number => runs.reduce((total, run) => total + of(run), 0);
  return {
    seed,
    violations: [...first.violations, ...runs.slice(1).flatMap((second) => difference(first, second))].slice(
      0,
      VIOLATIONS_MAX,
    ),
    hash: first.hash,
    events: sum(({ events }) => events),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    operations: first.operations,
    faults: first.faults,
    wasRepeated: twice,
    tally: first.tally.entries(),
    processorMs: (user + system) / 1000,
  };
}

function difference(first: RunResult, second: RunResult): readonly Violation[] {
  const ended = ({ hash, events, violations }: RunResult) =>
    `hash ${hash} after ${events} events, ${violations.length} violations`;
  if (ended(first) === ended(second)) return [];
  return [{ checker: 'determinism', what: `two runs of one seed differ: ${ended(first)}, and then ${ended(second)}` }];
}
