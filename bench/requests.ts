/**
 * `npm run bench [-- --seconds S --rounds R --keys K --connections C --value BYTES --peer etcd=URL,URL --json FILE]`
 *
 * Three nodes on this machine, each workload against them and against two references in the same rounds, one after another so that
 * a slow moment of the machine hits them all: the same HTTP server answering from memory, and a single node that keeps one copy;
 * and peers that are already listening. Figures are medians over the rounds.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RealCluster } from '../test/cluster/real-cluster.ts';
import { fill, type LoadOptions, type Measured, measure } from './load.ts';
import { formatTable, machineName, progress } from './table.ts';
import { PEERS, quorateGet, quoratePut, type Workloads } from './workloads.ts';

const QUORUM: Workloads = { put: quoratePut(2), reads: [quorateGet(2), quorateGet(1)] };
const SINGLE: Workloads = { put: quoratePut(1), reads: [quorateGet(1)] };

interface Target {
  readonly name: string;
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  readonly workloads: Workloads;
  stop(): Promise<void>;
}

interface Row extends Measured {
  readonly target: string;
  readonly workload: string;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    keys: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '64' },
    value: { type: 'string', default: '100' },
    peer: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});
const [seconds, rounds, keys, connections, valueBytes] = [
  Number(values.seconds),
  Number(values.rounds),
  Number(values.keys),
  Number(values.connections),
  Number(values.value),
];
const value = Buffer.alloc(valueBytes, 'quorate');

async function cluster(): Promise<Target> {
  const nodes = await RealCluster.create();
  await nodes.start();
  return {
    name: '3 nodes, n=3',
    urls: nodes.ids.map((id) => nodes.url(id)),
    pids: nodes.ids.map((id) => nodes.process(id).child.pid ?? 0),
    workloads: QUORUM,
    stop: () => nodes.remove(),
  };
}

async function singleNode(): Promise<Target> {
  const nodes = await RealCluster.create({ nodes: 1 });
  await nodes.start();
  return {
    name: '1 node, n=1',
    urls: [nodes.url('n1')],
    pids: [nodes.process('n1').child.pid ?? 0],
    workloads: SINGLE,
    stop: () => nodes.remove(),
  };
}

async function memoryServer(): Promise<Target> {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const script = fileURLToPath(new URL('./memory-server.js', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.stdout !== null) await once(child.stdout, 'data');
  return {
    name: 'HTTP from memory',
    urls: [`http://127.0.0.1:${port}`],
    pids: [child.pid ?? 0],
    workloads: SINGLE,
    async stop() {
      child.kill();
      await once(child, 'close');
    },
  };
}

/** `etcd=http://host:port,http://host:port` */
function peer(text: string): Target {
  const [name = '', addresses = ''] = text.split('=');
  const workloads = PEERS.get(name);
  const urls = addresses.split(',');
  if (workloads === undefined || !urls.every((url) => URL.canParse(url))) {
    throw new Error(`--peer ${text}: expected ${[...PEERS.keys()].join(' or ')}, =, and URLs with commas between them`);
  }
  return { name: `${name}, ${urls.length} members`, urls, pids: [], workloads, stop: async () => {} };
}

async function main(): Promise<void> {
  const peers = values.peer.map(peer);
  const targets = [await cluster(), await singleNode(), await memoryServer(), ...peers];
  try {
    const options = (target: Target): LoadOptions => ({ ...target, connections, keys, value, seconds });
    for (const target of targets) {
      progress(`filling ${target.name} with ${keys} keys`);
      await fill(target.workloads.put, options(target));
    }
    const samples = new Map<string, Row[]>();
    for (let round = 1; round <= rounds; round++) {
      for (const target of targets) {
        for (const workload of [target.workloads.put, ...target.workloads.reads]) {
          progress(`round ${round} of ${rounds}: ${target.name}, ${workload.name}`);
          const row = { target: target.name, workload: workload.name, ...(await measure(workload, options(target))) };
          const name = `${row.target} ${row.workload}`;
          samples.set(name, [...(samples.get(name) ?? []), row]);
        }
      }
    }
    progress('');
    report([...samples.values()].map(medians));
  } finally {
    for (const target of targets) await target.stop();
  }
}

/** Errors are added up, since a median would hide them. */
function medians(rows: readonly Row[]): Row {
  const of = (read: (row: Row) => number): number => {
    const sorted = rows.map(read).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  const { target, workload, serverCpuUs } = rows[0] ?? fail('no rounds');
  return {
    target,
    workload,
    operationsPerS: of((row) => row.operationsPerS),
    p50Ms: of((row) => row.p50Ms),
    p99Ms: of((row) => row.p99Ms),
    p999Ms: of((row) => row.p999Ms),
    errors: rows.reduce((sum, row) => sum + row.errors, 0),
    serverCpuUs: serverCpuUs === undefined ? undefined : of((row) => row.serverCpuUs ?? 0),
    clientCpuUs: of((row) => row.clientCpuUs),
  };
}

function report(rows: readonly Row[]): void {
  const machine = machineName();
  const setup = `${valueBytes}-byte values, ${keys} keys, ${connections} connections, ${rounds} rounds of ${seconds} s, durability flush`;
  process.stdout.write(`\n${machine}\n${setup}; the load generator runs on the same machine\n\n`);
  const table = [
    ['target', 'workload', 'ops/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'errors', 'server us/op', 'client us/op'],
    ...rows.map((row) => [
      row.target,
      row.workload,
      row.operationsPerS,
      row.p50Ms,
      row.p99Ms,
      row.p999Ms,
      row.errors,
      row.serverCpuUs ?? 'n/a',
      row.clientCpuUs,
    ]),
  ];
  process.stdout.write(formatTable(table, 2));
  const json = JSON.stringify({ machine, setup, date: new Date().toISOString().slice(0, 10), rows }, null, 2);
  if (values.json === undefined) process.stdout.write(`\n${json}\n`);
  else writeFileSync(values.json, `${json}\n`);
}

function fail(why: string): never {
  throw new Error(why);
}

await main();
