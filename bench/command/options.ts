import { Command, InvalidArgumentError, Option } from 'commander';
import type { Durability } from '../../src/ports.ts';
import { BadPeerError, type Peer, parsePeer } from '../stores/peer.ts';

export interface BenchOptions {
  /** Of a cluster that is there already. None: one is started. */
  readonly urls: readonly string[];
  readonly peers: readonly Peer[];
  readonly parts: readonly Part[];
  readonly nodes: number;
  readonly n: number;
  readonly durability: Durability;
  readonly keys: number;
  readonly valueBytes: number;
  readonly connections: number;
  readonly seconds: number;
  readonly warmupS: number;
  readonly repetitions: number;
  /** Of the open loop, a second; left out, a quarter, half and three quarters of what the closed loop reached. */
  readonly rate: number | undefined;
  readonly generator: 'sessions' | 'autocannon';
  /** Where nodes keep their data. */
  readonly folder: string | undefined;
  readonly json: string | undefined;
  readonly html: string | undefined;
}

/** What is asked of the cluster in question, and of those it is compared with, in this order. */
export const SHARED_PARTS = ['main', 'open-loop', 'connections', 'ycsb', 'matrix', 'values'] as const;
/** What needs clusters of its own, which follow. */
export const OWN_PARTS = ['outage', 'durability', 'nodes', 'keys', 'costs'] as const;

export type SharedPart = (typeof SHARED_PARTS)[number];
export type OwnPart = (typeof OWN_PARTS)[number];
export type Part = SharedPart | OwnPart;

const PARTS: readonly Part[] = [...SHARED_PARTS, ...OWN_PARTS];
const QUICK: readonly Part[] = ['main', 'open-loop'];

interface Given {
  readonly url?: readonly string[];
  readonly peer?: readonly Peer[];
  readonly part?: readonly Part[];
  readonly full?: true;
  readonly nodes: number;
  readonly n?: number;
  readonly durability: Durability;
  readonly keys: number;
  readonly value: number;
  readonly connections: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly repetitions: number;
  readonly rate?: number;
  readonly generator: 'sessions' | 'autocannon';
  readonly data?: string;
  readonly json?: string;
  readonly html?: string;
}

/** The options of `quorate bench`. Calls `run`, or ends the process with 2 and a line that says what was expected. */
export function benchCommand(run: (options: BenchOptions) => Promise<void>): Command {
  const command = new Command('quorate bench')
    .description('measure a cluster: one that is started for it on this machine, or one that is there')
    .addOption(list('--url <url>', 'drive this cluster instead of starting one; again for its other nodes', url))
    .addOption(
      list('--peer <peer>', 'beside it, etcd=URL,... consul=URL,... or redis=HOST:PORT,...; again for more', peer),
    )
    .addOption(list('--part <part>', `what to measure; again for more (default: ${QUICK.join(', ')})`, part))
    .option('--full', `everything: ${PARTS.join(', ')}`)
    .option('--nodes <count>', 'nodes to start', whole(1, 16), 3)
    .option('--n <count>', 'copies of each key (default: 3, or the number of nodes)', whole(1, 16))
    .addOption(new Option('--durability <mode>', 'of the nodes').choices(['flush', 'os']).default('flush'))
    .option('--keys <count>', 'keys that are written before', whole(1, 100_000_000), 100_000)
    .option('--value <bytes>', 'size of a value', whole(1, 1_048_576), 100)
    .option('--connections <count>', 'of the load generator', whole(1, 4096), 64)
    .option('--seconds <seconds>', 'of each measurement', whole(1, 3600), 5)
    .option('--warmup <seconds>', 'before each measurement', whole(0, 600), 2)
    .option('--repetitions <count>', 'of each measurement', whole(1, 100), 3)
    .option(
      '--rate <perSecond>',
      'of the open loop (default: 25, 50 and 75 % of the closed loop)',
      whole(1, 10_000_000),
    )
    .option('--data <folder>', 'where nodes keep their data (default: a temporary folder)')
    .addOption(
      new Option('--generator <name>', 'what sends the requests of closed loops of plain reads or writes')
        .choices(['sessions', 'autocannon'])
        .default('sessions'),
    )
    .option('--json <file>', 'where the report goes as JSON')
    .option('--html <file>', 'where the report goes as a page')
    .addHelpText('after', FURTHER)
    .allowExcessArguments(false);
  return command.action(async (given: Given) => run(optionsFrom(command, given)));
}

/** One is killed, the others must reach their quorums. */
const OUTAGE_NODES_MIN = 3;

const FURTHER = `
Further commands:
  quorate bench repair    what it takes to make owners equal again
  quorate bench compare BEFORE.json AFTER.json
  quorate bench readme    write the README's section on performance from bench/results
`;

function optionsFrom(command: Command, given: Given): BenchOptions {
  const { url: urls = [], peer: peers = [], part: named = [] } = given;
  const { nodes, durability, keys, connections, seconds, repetitions, generator, json, html } = given;
  const asked = given.full ? PARTS : named.length > 0 ? named : QUICK;
  const isOwn = (one: Part): boolean => OWN_PARTS.some((own) => own === one);
  const isPossible = (one: Part): boolean =>
    (urls.length === 0 || !isOwn(one)) && (one !== 'outage' || nodes >= OUTAGE_NODES_MIN);
  const parts = PARTS.filter((one) => asked.includes(one) && isPossible(one));
  const alien = named.filter((one) => urls.length > 0 && isOwn(one));
  if (alien.length > 0)
    command.error(`error: --part ${alien.join(', ')} starts nodes of its own and goes without --url`, { exitCode: 2 });
  if (urls.length === 0 && named.includes('outage') && nodes < OUTAGE_NODES_MIN)
    command.error(`error: --part outage needs --nodes ${OUTAGE_NODES_MIN} or more`, { exitCode: 2 });
  const n = given.n ?? Math.min(3, nodes);
  if (urls.length === 0 && n > nodes) command.error(`error: --n ${n} is more than --nodes ${nodes}`, { exitCode: 2 });
  return {
    urls,
    peers,
    parts,
    nodes,
    n,
    durability,
    keys,
    connections,
    seconds,
    repetitions,
    generator,
    json,
    html,
    valueBytes: given.value,
    warmupS: given.warmup,
    rate: given.rate,
    folder: given.data,
  };
}

/** Given any number of times. */
function list<T>(flags: string, description: string, parse: (text: string) => T): Option {
  return new Option(flags, description).argParser(collect(parse));
}

function collect<T>(parse: (text: string) => T): (text: string, earlier?: readonly T[]) => readonly T[] {
  return (text, earlier = []) => [...earlier, parse(text)];
}

function url(text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed?.protocol === 'http:' && parsed.pathname === '/') return `http://${parsed.host}`;
  throw new InvalidArgumentError('Expected http://host:port.');
}

function peer(text: string): Peer {
  try {
    return parsePeer(text);
  } catch (error) {
    if (error instanceof BadPeerError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function part(text: string): Part {
  const found = PARTS.find((one) => one === text);
  if (found === undefined) throw new InvalidArgumentError(`Expected one of ${PARTS.join(', ')}.`);
  return found;
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  };
}
