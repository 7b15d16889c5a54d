import { formatTable } from '../table.ts';
import type { Latency } from './foreground-load.ts';
import type { Results } from './main.ts';
import type { Outage } from './outage.ts';

const KIB = 1024;

/** For people: a table for each question. */
export function formatResults({ machine, setup, atRest, outages, foreground, deletion }: Results): string {
  return [
    `\n${machine}\n${setup}; the load generator runs on the same machine\n`,
    'At rest: what one node and another one tell each other in a round of anti-entropy',
    formatTable([
      ['partitions', 'rounds seen', 'bytes a round'],
      [atRest.partitions, atRest.rounds, atRest.bytesPerRound],
    ]),
    'After an outage: what moved, against what differed',
    outageTable(outages),
    'Clients meanwhile: the same load each time',
    latencyTable(foreground),
    `Deletes: ${deletion.keys} keys written and deleted, a node away for half of it; healed in ${deletion.healedS} s; what is left`,
    formatTable([
      ['node', 'objects', 'residues'],
      ...deletion.left.map(({ node, objects, residues }) => [node, objects, residues]),
    ]),
  ].join('\n');
}

function outageTable(outages: readonly Outage[]): string {
  const head = ['by', 'differed KiB', 'hints KiB', 'exchange KiB', 'times', 'hints', 'keys', 'compared', 'healed s'];
  const kib = (bytes: number): number => Math.round(bytes / KIB);
  return formatTable([
    head,
    ...outages.map((one) => [
      one.served,
      kib(one.differingBytes),
      kib(one.hintBytes),
      kib(one.exchangeBytes),
      one.timesDiffering,
      one.hints,
      one.exchangedKeys,
      one.comparisons,
      one.healedS,
    ]),
  ]);
}

function latencyTable(rows: readonly Latency[]): string {
  return formatTable([
    ['phase', 's', 'ops/s', 'PUT p50 ms', 'PUT p99 ms', 'GET p50 ms', 'GET p99 ms', 'errors'],
    ...rows.map((row) => [
      row.phase,
      row.seconds,
      row.operationsPerS,
      row.putP50Ms,
      row.putP99Ms,
      row.getP50Ms,
      row.getP99Ms,
      row.errors,
    ]),
  ]);
}
