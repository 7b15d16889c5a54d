import { expect, it } from 'vitest';
import { runFaults } from './fault-run.ts';

const SEED = 20;

/** Enough of each for the run to mean something. */
const ACKNOWLEDGED_MIN = 200;

it('five nodes lose nothing and agree again after every kind of fault', { timeout: 300_000 }, async () => {
  const report = await runFaults({ seed: SEED, faultsMs: 0, pace: 'brisk' });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  const { operations, faults, agreementS, violations, surprises } = report;
  expect({ violations, surprises }).toEqual({ violations: [], surprises: [] });
  expect(agreementS).toBeLessThan(10);
  expect(Object.values(faults)).toEqual(Array(14).fill(1));
  for (const kind of ['put', 'blind put']) {
    expect(operations[`${kind} acknowledged`], kind).toBeGreaterThan(ACKNOWLEDGED_MIN);
    // Otherwise no fault has hit a write in its middle.
    expect(operations[`${kind} unknown`], kind).toBeGreaterThan(0);
  }
  expect(operations['delete acknowledged']).toBeGreaterThan(0);
  expect(operations['get answered']).toBeGreaterThan(ACKNOWLEDGED_MIN);
});
