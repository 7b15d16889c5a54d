/**
 * Runs the whole cluster on virtual time, seed after seed, and judges every run. Ends with 1 when one of them fails, with 2 when the
 * options make no sense. See {@link USAGE}.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { investigate, violationLines } from './investigate.ts';
import { parseOptions, type SimulateOptions, USAGE } from './options.ts';
import { drawPlan, type Plan } from './plan.ts';
import { parsePlan } from './plan-file.ts';
import { Pool } from './pool.ts';
import { Progress, progressText } from './progress.ts';
import { replayCommand, summary } from './report.ts';
import { missingStates } from './required-states.ts';
import { runPlan } from './run-seed.ts';
import { Totals } from './totals.ts';
import { Trace } from './trace.ts';

const TRACE_LINES_MAX = 1_000_000;

const options = parseOptions(process.argv.slice(2), availableParallelism(), process.env.CI !== undefined);
if (typeof options === 'string') {
  process.stderr.write(`${options}\n${USAGE}`);
  process.exitCode = 2;
} else {
  process.exitCode = (await simulate(options)) ? 0 : 1;
}

async function simulate(options: SimulateOptions): Promise<boolean> {
  const seed = options.seed ?? randomInt(2 ** 31);
  if (options.plan !== undefined) return runOne(readPlan(options.plan), options.trace);
  say(`seed ${seed}`);
  return options.trace ? runOne(drawPlan(seed), true) : runMany(seed, options);
}

/** In this process, and with the whole story where it is wanted. */
async function runOne(plan: Plan, isTraced: boolean): Promise<boolean> {
  const trace = isTraced ? new Trace(TRACE_LINES_MAX) : undefined;
  const result = await runPlan(plan, trace);
  if (trace !== undefined) say(trace.text());
  for (const line of violationLines(result)) say(line);
  const { violations, hash, events, virtualMs, operations, faults } = result;
  say(
    `${violations.length === 0 ? 'no violation' : `${violations.length} violations`}: hash ${hash}, ${events} events, ${(virtualMs / 1000).toFixed(1)} s, ${operations} operations, ${faults} faults`,
  );
  return violations.length === 0;
}

async function runMany(first: number, options: SimulateOptions): Promise<boolean> {
  const pool = new Pool(Math.min(options.jobs, options.runs ?? options.jobs));
  const totals = new Totals();
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const progress = new Progress(() => progressText(totals, options.runs, elapsedMs()));
  const isOver = ending(options, elapsedMs);
  let begun = 0;
  const work = async (): Promise<void> => {
    while (!isOver() && begun < (options.runs ?? Number.POSITIVE_INFINITY)) {
      const number = begun++;
      const twice = options.repeat > 0 && number % options.repeat === 0;
      const report = await pool.run({ seed: (first + number) % 2 ** 32, twice });
      totals.add(report);
      const [violation] = report.violations;
      if (violation !== undefined)
        say(`FAILED seed ${report.seed}: ${violation.checker}; ${replayCommand(report.seed)}`);
    }
  };
  await Promise.all(Array.from({ length: pool.size }, work));
  const tookMs = elapsedMs();
  progress.end();
  try {
    const lowest = totals.failed.toSorted((a, b) => a.seed - b.seed)[0];
    if (lowest !== undefined) say(await investigate(lowest, pool));
  } finally {
    pool.close();
  }
  say(summary(totals, tookMs, pool.size));
  return totals.failed.length === 0 && missingStates(totals).length === 0;
}

/** The time that was given, or the first interrupt. The second one ends the process. */
function ending({ minutes }: SimulateOptions, elapsedMs: () => number): () => boolean {
  let isInterrupted = false;
  process.once('SIGINT', () => {
    isInterrupted = true;
  });
  return () => isInterrupted || (minutes !== undefined && elapsedMs() > minutes * 60_000);
}

function readPlan(file: string): Plan {
  try {
    return parsePlan(readFileSync(file, 'utf8'));
  } catch (error) {
    process.stderr.write(`${file}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
