import { expect, it } from 'vitest';
import { loadRecords } from './load-records.ts';

const RECORDS = 50_000;

it(`${RECORDS} real records survive kill -9 of one node and then of all`, { timeout: 300_000 }, async () => {
  const { lost, ...figures } = await loadRecords(RECORDS);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  expect(lost).toEqual([]);
  expect(figures.records).toBe(RECORDS);
  expect(figures.readBack).toBe(figures.acknowledged);
  // Unknown outcomes are those in flight when the node was killed, and until it was known to be down.
  expect(figures.unacknowledged).toBeLessThan(RECORDS / 100);
});
