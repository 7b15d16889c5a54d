/**
 * `npm run bench -- repair [--keys K --value BYTES --seconds S --json FILE]`
 *
 * What it takes to make owners equal again, in local clusters of three real nodes that own all keys: what they tell each other while
 * nothing differs; what moves, and for how long, after one of them was away; what clients feel of that; and what deletes leave behind.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machineName, progress } from '../table.ts';
import { type AtRest, atRest } from './at-rest.ts';
import { BenchCluster } from './bench-cluster.ts';
import { type Deletion, deletion } from './deletion.ts';
import { calm, duringReturn } from './foreground.ts';
import { ForegroundLoad, type Latency } from './foreground-load.ts';
import { Generations } from './generations.ts';
import { type Outage, outage } from './outage.ts';
import { formatResults } from './report.ts';

export interface Results {
  readonly machine: string;
  readonly setup: string;
  readonly date: string;
  readonly atRest: AtRest;
  readonly outages: readonly Outage[];
  readonly foreground: readonly Latency[];
  readonly deletion: Deletion;
}

/** Room for hints of a small part of what is missed. */
const FEW_HINTS = 'limits: { objectBytes: 1MiB, hintBytes: 1MiB }';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    keys: { type: 'string', default: '100000' },
    value: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '8' },
    json: { type: 'string' },
  },
});
const [keys, valueBytes, seconds] = [Number(values.keys), Number(values.value), Number(values.seconds)];
const value = Buffer.alloc(valueBytes, 'quorate');

interface Prepared {
  readonly cluster: BenchCluster;
  readonly generations: Generations;
}

async function withCluster<T>(settings: string, use: (prepared: Prepared) => Promise<T>): Promise<T> {
  progress('starting three nodes');
  const cluster = await BenchCluster.start({ settings });
  try {
    const generations = new Generations(cluster.client, keys, value);
    return await use({ cluster, generations });
  } catch (error) {
    throw new Error(`${error}\n${cluster.lastWords()}`);
  } finally {
    await cluster.remove();
  }
}

async function prepare({ cluster, generations }: Prepared): Promise<void> {
  progress(`writing ${keys} keys`);
  await generations.prepare(cluster.nodes.ids);
  await ForegroundLoad.prepare(cluster, value);
  await cluster.healed();
}

function withHints(): Promise<{ atRest: AtRest; outages: Outage[]; foreground: Latency[] }> {
  return withCluster('', async (prepared) => {
    const { cluster, generations } = prepared;
    await prepare(prepared);
    progress('at rest');
    const resting = await atRest(cluster, seconds);
    progress('an outage, hints');
    const outages = [await outage('hints', cluster, generations)];
    progress('clients: calm');
    const foreground = [await calm(cluster, value, seconds)];
    progress('clients: a restart');
    foreground.push(await duringReturn('restart, nothing missed', cluster, value, seconds));
    progress('clients: hints');
    foreground.push(await duringReturn('hints', cluster, value, seconds, generations));
    return { atRest: resting, outages, foreground };
  });
}

function withoutHints(): Promise<{ outages: Outage[]; foreground: Latency[] }> {
  return withCluster(FEW_HINTS, async (prepared) => {
    const { cluster, generations } = prepared;
    await prepare(prepared);
    progress('an outage, dot log');
    const outages = [await outage('dot log', cluster, generations)];
    progress('an outage, comparison');
    outages.push(await outage('comparison', cluster, generations, () => cluster.restartStaying()));
    progress('clients: catch-up');
    const foreground = [await duringReturn('dot log', cluster, value, seconds, generations)];
    return { outages, foreground };
  });
}

const hinted = await withHints();
const unhinted = await withoutHints();
const deleted = await withCluster('', ({ cluster }) => {
  progress(`deleting ${keys} keys`);
  return deletion(cluster, keys, value);
});
progress('');
const results: Results = {
  machine: machineName(),
  setup: `3 nodes, n=3, 64 partitions, ${keys} keys, ${valueBytes}-byte values, durability flush`,
  date: new Date().toISOString().slice(0, 10),
  atRest: hinted.atRest,
  outages: [...hinted.outages, ...unhinted.outages],
  foreground: [...hinted.foreground, ...unhinted.foreground],
  deletion: deleted,
};
process.stdout.write(formatResults(results));
const json = JSON.stringify(results, null, 2);
if (values.json === undefined) process.stdout.write(`\n${json}\n`);
else writeFileSync(values.json, `${json}\n`);
// The other figures depend on the machine; this one does not.
if (deleted.left.some(({ objects }) => objects > 0)) process.exitCode = 1;
