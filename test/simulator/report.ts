import { missingStates } from './required-states.ts';
import type { Totals } from './totals.ts';

const FAILURES_MAX = 10;

/** The command that runs one seed again, and tells what happens in it. */
export function replayCommand(seed: number): string {
  return `npm run simulate -- --seed ${seed} --runs 1 --trace`;
}

/** Everything that is to be said at the end of a run of many seeds. */
export function summary(totals: Totals, elapsedMs: number, jobs: number): string {
  return [
    ...(totals.runs > 1 ? sometimes(totals) : []),
    '',
    ...throughput(totals, elapsedMs, jobs),
    ...missing(totals),
    ...failures(totals),
    verdict(totals),
  ].join('\n');
}

export function verdict({ runs, failed, repeated }: Totals): string {
  const twice = `${repeated} run twice`;
  return `${runs} seeds, ${twice}: ${failed.length === 0 ? 'no violation' : `${failed.length} failed`}`;
}

function sometimes({ tally, runs }: Totals): readonly string[] {
  const entries = tally.entries();
  const width = Math.max(0, ...entries.map(([, times]) => grouped(times).length));
  return [
    '',
    `reached in ${runs} runs:`,
    ...entries.map(([what, times]) => `  ${grouped(times).padStart(width)}  ${what}`),
  ];
}

function throughput(totals: Totals, elapsedMs: number, jobs: number): readonly string[] {
  const { events, virtualMs, allOperations, processorMs } = totals;
  const perSecond = (count: number): string => grouped(Math.round((count / elapsedMs) * 1000));
  const seconds = (ms: number): string => grouped(Math.round(ms / 1000));
  return [
    `${grouped(events)} events in ${seconds(elapsedMs)} s with ${jobs} processes: ${perSecond(events)} events, ${perSecond(allOperations)} client operations, ${perSecond(virtualMs / 1000)} simulated seconds per second`,
    `${grouped(Math.round((events / Math.max(1, processorMs)) * 1000))} events per second of processor time`,
    `median run: ${totals.medianOperations} client operations, ${totals.medianFaults} fault episodes`,
  ];
}

function missing(totals: Totals): readonly string[] {
  return missingStates(totals).map((what) => `never reached in ${totals.runs} runs, but should have been: ${what}`);
}

function failures(totals: Totals): readonly string[] {
  return [...totals.failuresByChecker()].flatMap(([checker, reports]) => [
    '',
    `${checker}: ${reports.length} seeds`,
    ...reports.slice(0, FAILURES_MAX).map(({ seed, violations }) => `  seed ${seed}: ${violations[0]?.what}`),
    ...(reports.length > FAILURES_MAX ? [`  and ${reports.length - FAILURES_MAX} more`] : []),
  ]);
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
