/**
 * `npm run bench -- repair [--part P ... --keys K --value BYTES --seconds S --json FILE]`
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
  readonly atRest?: AtRest;
  readonly outages: readonly Outage[];
  readonly foreground: readonly Latency[];
  readonly deletion?: Deletion;
}

const PARTS: readonly string[] = ['at-rest', 'hints', 'dot-log', 'comparison', 'clients', 'deletes'];
/** Room for hints of a small part of what is missed. */
const FEW_HINTS = 'limits: { objectBytes: 1MiB, hintBytes: 1MiB }';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    keys: { type: 'string', default: '100000' },
    value: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '8' },
    part: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});
const wants = (...parts: readonly string[]): boolean =>
  values.part.length === 0 || parts.some((part) => values.part.includes(part));
const [keys, valueBytes, seconds] = [Number(values.keys), Number(values.value), Number(values.seconds)];
const value = Buffer.alloc(valueBytes, 'quorate');

interface Lists {
  readonly outages: Outage[];
  readonly foreground: Latency[];
}

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
    throw new Error(`${error}\n${cluster.nodes.lastWords()}`);
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

/** With room for the hints of all that is missed, as by default. */
async function withHints(): Promise<Partial<Results> & Lists> {
  const lists: Lists = { outages: [], foreground: [] };
  if (!wants('at-rest', 'hints', 'clients')) return lists;
  return withCluster('', async (prepared) => {
    const { cluster, generations } = prepared;
    await prepare(prepared);
    progress('at rest');
    const resting = wants('at-rest') ? await atRest(cluster, seconds) : undefined;
    progress('an outage: hints');
    if (wants('hints')) lists.outages.push(await outage('hints', cluster, generations));
    progress('clients: calm, a restart, hints');
    if (wants('clients')) {
      lists.foreground.push(await calm(cluster, value, seconds));
      lists.foreground.push(await duringReturn('restart, nothing missed', cluster, value, seconds));
      lists.foreground.push(await duringReturn('hints', cluster, value, seconds, generations));
    }
    return resting === undefined ? lists : { ...lists, atRest: resting };
  });
}

async function withoutHints(): Promise<Lists> {
  const lists: Lists = { outages: [], foreground: [] };
  if (!wants('dot-log', 'comparison', 'clients')) return lists;
  await withCluster(FEW_HINTS, async (prepared) => {
    const { cluster, generations } = prepared;
    await prepare(prepared);
    progress('an outage: dot log');
    if (wants('dot-log')) lists.outages.push(await outage('dot log', cluster, generations));
    progress('an outage: comparison');
    const restart = () => cluster.restartStaying();
    if (wants('comparison')) lists.outages.push(await outage('comparison', cluster, generations, restart));
    progress('clients: calm, dot log');
    if (wants('clients')) {
      // Once more: other processes, another moment of the machine.
      lists.foreground.push(await calm(cluster, value, seconds));
      lists.foreground.push(await duringReturn('dot log', cluster, value, seconds, generations));
    }
  });
  return lists;
}

async function deletes(): Promise<{ readonly deletion?: Deletion }> {
  if (!wants('deletes')) return {};
  return withCluster('', async ({ cluster }) => {
    progress(`deleting ${keys} keys`);
    return { deletion: await deletion(cluster, keys, value) };
  });
}

if (!(keys >= 1 && valueBytes >= 1 && seconds > 0))
  throw new Error('--keys, --value and --seconds are numbers above 0');
const unknown = values.part.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) throw new Error(`--part ${unknown}: there are ${PARTS}`);
const hinted = await withHints();
const unhinted = await withoutHints();
const deleted = await deletes();
progress('');
const results: Results = {
  machine: machineName(),
  setup: `3 nodes, n=3, 64 partitions, ${keys} keys, ${valueBytes}-byte values, durability flush`,
  date: new Date().toISOString().slice(0, 10),
  ...hinted,
  outages: [...hinted.outages, ...unhinted.outages],
  foreground: [...hinted.foreground, ...unhinted.foreground],
  ...deleted,
};
process.stdout.write(formatResults(results));
const json = JSON.stringify(results, null, 2);
if (values.json === undefined) process.stdout.write(`\n${json}\n`);
else writeFileSync(values.json, `${json}\n`);
// The other figures depend on the machine; this one does not.
if (results.deletion?.left.some(({ objects }) => objects > 0)) process.exitCode = 1;
