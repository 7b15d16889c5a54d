import { drawPlan, type Plan } from './plan.ts';
import { planText } from './plan-file.ts';
import type { Pool } from './pool.ts';
import { replayCommand } from './report.ts';
import { type RunResult, runPlan } from './run-seed.ts';
import type { Report } from './run-twice.ts';
import { shrink } from './shrink.ts';
import { Trace } from './trace.ts';

const SHRINK_RUNS_MAX = 1500;
const SHRINK_MS_MAX = 90_000;
/** Of a shrunk failure, from its end. */
const TRACE_LINES_MAX = 250;

/** What the first failure of a run comes down to: a smaller schedule, and what happens in it. */
export async function investigate({ seed, violations }: Report, pool: Pool): Promise<string> {
  const checker = violations[0]?.checker ?? '';
  const plan = drawPlan(seed);
  // Nothing to be smaller about: a run that differs from itself or never ends cannot be judged by running it once.
  if (checker === 'determinism' || checker === 'process') return `replay: ${replayCommand(seed)}`;
  const endsMs = performance.now() + SHRINK_MS_MAX;
  const fails = async (smaller: Plan): Promise<boolean> => {
    const report = await pool.run({ seed, plan: smaller, twice: false });
    return report.violations[0]?.checker === checker;
  };
  const shrunk = await shrink(plan, fails, {
    ...{ runsMax: SHRINK_RUNS_MAX, atOnce: pool.size },
    isOver: () => performance.now() > endsMs,
  });
  pool.close();
  const trace = new Trace(TRACE_LINES_MAX);
  const result = await runPlan(shrunk.plan, trace);
  return [
    '',
    `seed ${seed}, shrunk in ${shrunk.runs} runs from ${sizeOf(plan)} to ${sizeOf(shrunk.plan)}; the last ${TRACE_LINES_MAX} lines of its trace:`,
    trace.text(),
    ...violationLines(result),
    '',
    'the shrunk schedule, for npm run simulate -- --plan FILE --trace:',
    planText(shrunk.plan),
    '',
    `replay: ${replayCommand(seed)}`,
  ].join('\n');
}

export function violationLines({ violations }: Pick<RunResult, 'violations'>): readonly string[] {
  return violations.map(({ checker, what }) => `VIOLATION ${checker}: ${what}`);
}

function sizeOf({ faults, operations }: Plan): string {
  return `faults: ${faults.length}, operations: ${operations.length}`;
}
