import { formatTable } from '../table.ts';
import type { AtRest } from './at-rest.ts';
import type { Deletion } from './deletion.ts';
import type { Latency } from './foreground-load.ts';
import type { Results } from './main.ts';
import type { Outage } from './outage.ts';

const KIB = 1024;

/** For people: a table for each question that was asked. */
export function formatResults({ machine, setup, atRest, outages, foreground, deletion }: Results): string {
  const parts = [`\n${machine}\n${setup}; the load generator runs on the same machine\n`];
  if (atRest !== undefined) parts.push(restTable(atRest));
  if (outages.length > 0) parts.push(outageTable(outages));
  if (foreground.length > 0) parts.push(latencyTable(foreground));
  if (deletion !== undefined) parts.push(deletionTable(deletion));
  return parts.join('\n');
}

function restTable({ partitions, rounds, bytesPerRound }: AtRest): string {
  const table = formatTable([
    ['partitions', 'rounds seen', 'bytes a round'],
    [partitions, rounds, bytesPerRound],
  ]);
  return `At rest: what one node and another one tell each other in a round of anti-entropy\n${table}`;
}

function deletionTable({ keys, healedS, left }: Deletion): string {
  const table = formatTable([
    ['node', 'objects', 'residues'],
    ...left.map(({ node, objects, residues }) => [node, objects, residues]),
  ]);
  return `Deletes: ${keys} keys written and deleted, a node away for half of it; healed in ${healedS} s; what is left\n${table}`;
}

function outageTable(outages: readonly Outage[]): string {
  const head = ['by', 'differed KiB', 'hints KiB', 'exchange KiB', 'times', 'hints', 'keys', 'compared', 'healed s'];
  const kib = (bytes: number): number => Math.round(bytes / KIB);
  const table = formatTable([
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
  return `After an outage: what moved, against what differed\n${table}`;
}

function latencyTable(rows: readonly Latency[]): string {
  const table = formatTable([
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
  return `Clients meanwhile: the same load each time\n${table}`;
}
