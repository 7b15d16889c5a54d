/** How a report was measured, and what a reader has to know to be fair to its figures: said on the page and in the README alike. */
import type { BenchReport } from './bench-report.ts';
import { isPeer, targetOf } from './comparison.ts';
import { count, duration, plural } from './units.ts';

export const GATEWAY_NOTE =
  'etcd is driven through its JSON gateway: over HTTP, with keys and values in base64, which is slower than its own gRPC.';

const CONFLICT_NOTE =
  'In a read-modify-write, a peer refuses to write what somebody else has written meanwhile (compare-and-set), and that counts as an error; Quorate keeps both as siblings, and that counts as a success.';

export const TIMER_NOTE =
  'In an open loop, up to 1 ms of a latency is the load generator’s own: its timers have no finer steps.';

export const WARM_START_NOTE = 'A start is one with a warm page cache: what the node reads from its disk is in memory.';

/** Those that concern what is in this report. */
export function notesOn(report: Pick<BenchReport, 'targets' | 'series' | 'costs'>): readonly string[] {
  const { targets, series, costs } = report;
  const isMixed = series.some((one) => one.kind === 'mix' && isPeer(targetOf(report, one)));
  return [
    ...(targets.some(({ store }) => store === 'etcd') ? [GATEWAY_NOTE] : []),
    ...(isMixed ? [CONFLICT_NOTE] : []),
    ...(series.some(({ loop }) => loop.kind === 'open') ? [TIMER_NOTE] : []),
    ...(costs?.start === undefined ? [] : [WARM_START_NOTE]),
  ];
}

/** "Each measurement was made 2 to 3 times, of 30 s each, after a warm-up of 5 s." */
export function runText({ series, warmupS, generator }: Pick<BenchReport, 'series' | 'warmupS' | 'generator'>): string {
  const times = range(
    series.map(({ repetitions }) => repetitions.length),
    (least, most) => (least === most ? plural(most, 'time') : `${count(least)} to ${plural(most, 'time')}`),
  );
  const lengths = range(
    series.map(({ median }) => Math.round(median.seconds)),
    (least, most) => (least === most ? duration(most) : `${duration(least)} to ${duration(most)}`),
  );
  const warmup = warmupS === 0 ? 'without a warm-up' : `after a warm-up of ${duration(warmupS)}`;
  const sender =
    generator === 'sessions'
      ? 'Requests were sent by sessions of the load generator’s own.'
      : 'Plain reads and writes in closed loops over HTTP were sent by autocannon, all else by sessions of the load generator’s own.';
  return `Each measurement was made ${times}, for ${lengths}, ${warmup}. ${sender}`;
}

function range(values: readonly number[], words: (least: number, most: number) => string): string {
  return values.length === 0 ? words(0, 0) : words(Math.min(...values), Math.max(...values));
}
