/** Runs seeds, or a scenario, until a checker finds something, and prints a {@link SeedReport} as JSON. */
import { type RunResult, runPlan, runSeed } from '../run-seed.ts';
import { scenarioNamed } from '../scenarios.ts';
import { raftSchedule } from './raft-schedules.ts';

export interface SeedReport {
  readonly seed: number;
  readonly tried: number;
  readonly violations: RunResult['violations'];
}

const VIOLATIONS_MAX = 20;

type Run = (seed: number) => Promise<RunResult['violations']>;

const cluster: Run = async (seed) => (await runSeed(seed)).violations;
const raft: Run = async (seed) => raftSchedule(seed);

async function seeds(run: Run, from: number, to: number): Promise<SeedReport> {
  for (let seed = from; seed <= to; seed++) {
    const violations = await run(seed);
    if (violations.length > 0) return { seed, tried: seed - from + 1, violations: violations.slice(0, VIOLATIONS_MAX) };
  }
  return { seed: to, tried: to - from + 1, violations: [] };
}

async function scenario(name: string): Promise<SeedReport> {
  const { seed, violations } = await runPlan(scenarioNamed(name));
  return { seed, tried: 1, violations: violations.slice(0, VIOLATIONS_MAX) };
}

const [what, first = '', last = ''] = process.argv.slice(2);
const run = what === 'raft' ? raft : cluster;
const report = what === 'scenario' ? await scenario(first) : await seeds(run, Number(first), Number(last));
process.stdout.write(JSON.stringify(report));
