import { type Hashes, loadHashes } from '../../src/system/hash.ts';
import { checkAcknowledgedWrites } from './checkers/acknowledged-writes.ts';
import { checkAcknowledgements } from './checkers/acknowledgements.ts';
import { checkClocks } from './checkers/clocks.ts';
import { checkContents } from './checkers/contents.ts';
import { checkExplanations } from './checkers/explanations.ts';
import { checkHints } from './checkers/hints.ts';
import { checkLiveness } from './checkers/liveness.ts';
import { checkLostFolders } from './checkers/lost-folders.ts';
import { checkMetadata } from './checkers/metadata.ts';
import { checkMinting } from './checkers/minting.ts';
import { checkMonotonicReads } from './checkers/monotonic-reads.ts';
import { checkPlacement } from './checkers/placement.ts';
import { checkQuorums } from './checkers/quorums.ts';
import { checkReads } from './checkers/reads.ts';
import { checkRefusals } from './checkers/refusals.ts';
import { checkRemains } from './checkers/remains.ts';
import { checkResources } from './checkers/resources.ts';
import { checkRetirements } from './checkers/retirements.ts';
import { checkShownValues } from './checkers/shown-values.ts';
import { drawPlan, type Plan } from './plan.ts';
import { Simulation, textOf, type Violation } from './simulation.ts';
import { Tally } from './tally.ts';
import type { Trace } from './trace.ts';
import { setTraps } from './traps.ts';

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly operations: number;
  readonly faults: number;
  readonly tally: Tally;
}

/** What lies on the disks: looked at when the requests have ended, and again after the probes. */
const STATE_CHECKERS = [
  checkClocks,
  checkAcknowledgedWrites,
  checkAcknowledgements,
  checkShownValues,
  checkLostFolders,
];

const CHECKERS = [
  checkMinting,
  checkQuorums,
  checkReads,
  checkMonotonicReads,
  checkExplanations,
  checkRefusals,
  checkPlacement,
  checkMetadata,
  checkLiveness,
  checkResources,
  checkHints,
  checkContents,
  checkRetirements,
  checkRemains,
  ...STATE_CHECKERS,
];

let hashes: Promise<Hashes> | undefined;

/** Runs one seed from its first event to the last check. */
export function runSeed(seed: number, trace?: Trace): Promise<RunResult> {
  return runPlan(drawPlan(seed), trace);
}

export async function runPlan(plan: Plan, trace?: Trace): Promise<RunResult> {
  hashes ??= loadHashes();
  const tally = new Tally();
  const simulation = new Simulation(plan, await hashes, tally, trace);
  const removeTraps = setTraps();
  const stray = (error: unknown): void => {
    simulation.violated('crash', `unhandled: ${textOf(error)}`);
  };
  process.on('unhandledRejection', stray);
  try {
    await simulation.run(() => runCheckers(STATE_CHECKERS, simulation));
    if (simulation.violations.length === 0) runCheckers(CHECKERS, simulation);
  } finally {
    process.off('unhandledRejection', stray);
    removeTraps();
  }
  return {
    seed: plan.seed,
    violations: simulation.violations,
    hash: simulation.world.hash,
    events: simulation.world.events,
    virtualMs: simulation.world.nowMs,
    operations: simulation.history.requests.length,
    faults: plan.faults.length,
    tally,
  };
}

function runCheckers(checkers: readonly ((simulation: Simulation) => void)[], simulation: Simulation): void {
  for (const check of checkers) {
    try {
      check(simulation);
    } catch (error) {
      simulation.unreadable(error);
    }
  }
}
