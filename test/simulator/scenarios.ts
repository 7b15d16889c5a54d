import type { ClusterShape, Fault, Operation, Plan } from './plan.ts';
import { CALM } from './simulated-network.ts';

/**
 * Schedules made by hand, for what chance meets too rarely: three nodes that own everything, no mistakes of their clocks, and clients
 * that ask every few milliseconds.
 */
const SHAPE: ClusterShape = {
  ...{ nodes: 3, zones: 1, n: 3, partitions: 1, durability: 'flush', keys: 12, siblings: 32 },
  clocks: [0, 1, 2].map(() => ({ rate: 1, offsetMs: 0 })),
};

type Ask = Partial<Operation> & Pick<Operation, 'kind'>;

/** Requests every `everyMs`: of the i-th `ask(i)` says what it is. */
function requests(fromMs: number, toMs: number, everyMs: number, ask: (i: number) => Ask): Omit<Operation, 'id'>[] {
  const count = Math.floor((toMs - fromMs) / everyMs);
  return Array.from({ length: count }, (_, i) => ({
    ...{
      atMs: fromMs + i * everyMs,
      client: i % 4,
      node: i % 3,
      key: i % SHAPE.keys,
      level: 'quorum' as const,
      owners: 0,
    },
    ...{ timeoutMs: 2000, context: 'seen' as const },
    ...ask(i),
  }));
}

/** The same on more nodes than owners, so that some coordinate reads of what they do not hold. */
function onFive(onThree: Plan): Plan {
  const clocks = Array.from({ length: 5 }, () => ({ rate: 1, offsetMs: 0 }));
  return { ...onThree, shape: { ...onThree.shape, nodes: 5, clocks } };
}

function plan(
  seed: number,
  healMs: number,
  operations: readonly Omit<Operation, 'id'>[],
  faults: readonly Fault[],
): Plan {
  const inOrder = operations.toSorted((a, b) => a.atMs - b.atMs).map((operation, id) => ({ ...operation, id }));
  const keys = 1 + Math.max(...inOrder.map(({ key }) => key));
  return { seed, shape: { ...SHAPE, keys }, healMs, operations: inOrder, faults };
}

/** Every `everyMs` from the first second on, ten times. */
function tenTimes(everyMs: number, fault: (atMs: number) => Fault): readonly Fault[] {
  return Array.from({ length: 10 }, (_, i) => fault(1000 + i * everyMs));
}

/** Of five nodes and one partition, which the ring gives to these three: both ways between them and the others. */
const OWNERS_AND_OTHERS = [0, 1, 4].flatMap((owner) =>
  [2, 3].flatMap((other) => [[owner, other] as const, [other, owner] as const]),
);

/** Ten times those who own nothing are cut off, write, and are let in again. In between nobody writes: what is lost stays lost. */
function whileCutOff(keys: number): Plan {
  const ask = (i: number): Ask => ({
    ...{ kind: isCutOff(i * 40) && i % 4 < 3 ? 'put' : 'get', key: i % keys, node: 2 + (i % 2) },
    ...{ timeoutMs: 500, level: i % 3 === 0 ? 2 : 1, context: 'none' },
  });
  return plan(6, 72_000, requests(0, 72_000, 40, ask), [
    { kind: 'weather', atMs: 100, forMs: 71_000, weather: { ...CALM, loss: 0.25 } },
    ...tenTimes(7000, (atMs) => ({ kind: 'cut', atMs, links: OWNERS_AND_OTHERS, forMs: 2500, flapMs: 0 })),
  ]);
}

/** Again and again: an owner is cut off, the processes of the others end one after the other, and it is let in. No hints are kept. */
function forgotten(): Plan {
  const ask = (i: number): Ask => ({
    ...{
      kind: i % 4 === 3 ? 'delete' : 'put',
      key: i % 4 === 3 && i > 60 ? i - 50 : i,
      level: 'one',
      node: 1 + (i % 2),
      timeoutMs: 300,
    },
    context: 'none',
  });
  const links = [1, 2].flatMap((other) => [[0, other] as const, [other, 0] as const]);
  const { shape, ...rest } = plan(9, 42_000, requests(0, 42_000, 15, ask), [
    { kind: 'weather', atMs: 100, forMs: 41_000, weather: { ...CALM, latencyMs: 15, jitterMs: 60 } },
    ...tenTimes(4000, (atMs) => ({ kind: 'cut', atMs, links, forMs: 1500, flapMs: 0 })),
    ...[1, 2].flatMap((node) => tenTimes(4000, (atMs) => ({ ...crash(atMs + 400 * node, node), forMs: 50 }))),
  ]);
  return { ...rest, shape: { ...shape, hintBytes: 1, exchange: { keys: 300, bytes: 12_000, dots: 40 } } };
}

/** Nobody asks for anything meanwhile: who reads at quorum from an owner that has lost a value makes the others lose it. */
function damaged(isAltered: boolean): Plan {
  const ask = (i: number): Ask => ({ kind: i % 5 === 4 ? 'delete' : 'put', level: 'all' });
  return plan(7, 16_000, requests(0, 3000, 20, ask), [{ kind: 'damage', atMs: 6000, node: 1, isAltered }]);
}

function withHintBytes(hintBytes: number, { shape, ...rest }: Plan): Plan {
  return { ...rest, shape: { ...shape, hintBytes } };
}

/** One of those who are cut off ends meanwhile: when it is let in again its actor has ended, and its hints are on their way. */
function endingWhileCutOff(): Plan {
  const whole = onFive(whileCutOff(4));
  const ends = tenTimes(7000, (atMs) => ({ ...crash(atMs + 1800, 2), forMs: 50 }));
  const faults = [...whole.faults.filter(({ kind }) => kind === 'cut'), ...ends].sort((a, b) => a.atMs - b.atMs);
  return withRetirements({ ...whole, faults });
}

function withRetirements({ shape, ...rest }: Plan): Plan {
  return { ...rest, shape: { ...shape, retirementMs: 100 } };
}

/**
 * The first node ends before its write is on its disk, and the write is under way for longer and longer: it arrives before the others
 * agree on what the node has written, while they do, or afterwards. Each time it would overwrite a value that was acknowledged.
 */
function lateWrites(): Plan {
  const writes = rounds(ROUNDS, ROUND_MS, (atMs, key) => [
    { ...read(atMs, key, 1), kind: 'put' as const, level: 'all' as const, timeoutMs: 1500, context: 'none' as const },
    loneWrite(atMs + 1500, key),
  ]);
  const faults = rounds<Fault>(ROUNDS, ROUND_MS, (atMs, round) => [
    {
      kind: 'weather',
      atMs: atMs + 1499.8,
      forMs: 1,
      weather: { ...CALM, latencyMs: round % 3 === 2 ? 3000 : 280 + 8 * round, jitterMs: 0 },
    },
    { ...powerCut(atMs + 1499.9, 0), moment: 'sending', forMs: 20 },
  ]);
  const disks = [0, 1, 2].map((node) => ({ ...disk(node, 60), forMs: ROUNDS * ROUND_MS }));
  return withRetirements(plan(7, 1000 + ROUNDS * ROUND_MS + 5000, writes, [...disks, ...faults]));
}

const ROUNDS = 40;
const ROUND_MS = 6000;

const isCutOff = (atMs: number): boolean => atMs > 2000 && (atMs - 1000) % 7000 < 2500;

const writes = (i: number): Ask => ({ kind: i % 5 === 4 ? 'get' : 'put' });
const outage = (slowness: number) => (atMs: number) =>
  ({ kind: 'outage', atMs, after: 'written', slowness, power: true, forMs: 100 }) as const;

const SCENARIOS: ReadonlyMap<string, Plan> = new Map([
  [
    'messages come twice, disks are slow, and the power fails when a write was answered',
    // A key of its own for each write: the next write of a key would mend what the last one lost.
    plan(
      1,
      26_000,
      requests(0, 26_000, 60, (i) => ({ kind: 'put', key: i })),
      [
        { kind: 'weather', atMs: 100, forMs: 25_000, weather: { ...CALM, duplication: 0.9 } },
        ...tenTimes(2500, outage(300)),
      ],
    ),
  ],
  [
    'values are read while their flush is under way, and the power fails',
    onFive(
      plan(
        5,
        27_000,
        [
          ...requests(0, 27_000, 60, (i) => ({ kind: 'put', key: i, node: i % 5 })),
          ...[4, 7, 10].flatMap((afterMs) =>
            requests(afterMs, 27_000, 60, (i) => ({ kind: 'get', key: i, node: (i + afterMs) % 5 })),
          ),
        ],
        tenTimes(2500, (atMs) => ({ ...outage(300)(atMs), after: 'read' })),
      ),
    ),
  ],
  [
    'a write reaches one owner, is read there, and then cannot be read there any more',
    plan(
      6,
      12_000,
      rounds(20, 500, (atMs, key) => [loneWrite(atMs, key), read(atMs + 30, key, 0), read(atMs + 34, key, 1)]),
      rounds(20, 500, (atMs) => [silent(atMs - 1, 25), silent(atMs + 31.05, 150)]),
    ),
  ],
  [
    'a delete reaches one owner, a read there takes it to another one, and then the first is not heard of for a while',
    plan(
      8,
      52_000,
      rounds(4, 12_000, (atMs, key) => [
        { ...read(atMs - 600, key, 1), kind: 'put', level: 'all', context: 'none' },
        { ...loneWrite(atMs, key), kind: 'delete' },
        read(atMs + 30, key, 0),
      ]),
      rounds(4, 12_000, (atMs) => [silent(atMs - 1, 25), silent(atMs + 33, 9000)]),
    ),
  ],
  [
    'a process ends again and again, soon after its start, while its peers answer late',
    plan(
      2,
      14_000,
      requests(0, 14_000, 8, (i) => ({ kind: i % 3 === 0 ? 'get' : 'put', node: 0 })),
      [...[1, 2].map((node) => disk(node, 300)), ...Array.from({ length: 24 }, (_, i) => crash(1000 + i * 500, 0))],
    ),
  ],
  [
    'an older copy of a folder is asked before anybody can tell it so',
    plan(
      3,
      9000,
      [
        ...requests(0, 4900, 10, () => ({ kind: 'put', level: 'all', node: 1 })),
        ...requests(4900, 9000, 3, () => ({ kind: 'get', level: 'one', node: 0 })),
      ],
      [
        { kind: 'restore', atMs: 1000, node: 0, liveMs: 4003.7 },
        {
          kind: 'cut',
          atMs: 5003,
          forMs: 2500,
          flapMs: 0,
          links: [1, 2].flatMap((other) => [
            [0, other],
            [other, 0],
          ]),
        },
      ],
    ),
  ],
  [
    'an owner was away, the others have forgotten what it missed, and compare key by key with it while clients write',
    forgotten(),
  ],
  ['a disk loses an object, in a node that comes back without it', damaged(false)],
  ['a disk alters an object, in a node that comes back with it', damaged(true)],
  ['those who own nothing are cut off from the owners again and again, and write', onFive(whileCutOff(4))],
  ['those who own nothing are cut off and write, and one of them ends meanwhile', endingWhileCutOff()],
  ['a node ends with its last write under way, which arrives late', lateWrites()],
  ['those who own nothing are cut off with little room for hints', onFive(withHintBytes(3000, whileCutOff(40)))],
  [
    'disks are slow, log segments are used up, and the power fails',
    plan(4, 26_000, requests(0, 26_000, 8, writes), [
      ...[0, 1, 2].map((node) => disk(node, 60)),
      ...Array.from({ length: 10 }, (_, i) => [0, 1, 2].map((node) => powerCut(1000 + i * 2300, node))).flat(),
    ]),
  ],
]);

/** Every `everyMs` from the first second on. */
function rounds<T>(count: number, everyMs: number, round: (atMs: number, key: number) => readonly T[]): T[] {
  return Array.from({ length: count }, (_, i) => round(1000 + i * everyMs, i)).flat();
}

/** With the first node silent: it coordinates blind writes, and keeps this one to itself. */
function loneWrite(atMs: number, key: number): Omit<Operation, 'id'> {
  return { ...read(atMs, key, 0), kind: 'put', timeoutMs: 15, context: 'none' };
}

function read(atMs: number, key: number, node: number): Omit<Operation, 'id'> {
  return { atMs, key, node, client: node, kind: 'get', level: 'quorum', owners: 0, timeoutMs: 250, context: 'seen' };
}

/** Nothing that the first node sends arrives. */
function silent(atMs: number, forMs: number): Fault {
  return { kind: 'cut', atMs, forMs, flapMs: 0, links: [1, 2].map((other) => [0, other]) };
}

function disk(node: number, slowness: number): Fault {
  return { kind: 'disk', atMs: 100, node, slowness, isFull: false, readErrors: 0, forMs: 25_000 };
}

function crash(atMs: number, node: number): Fault {
  return { kind: 'crash', atMs, node, moment: 'now', power: false, silent: false, forMs: 5 };
}

function powerCut(atMs: number, node: number): Fault {
  return { kind: 'crash', atMs, node, moment: 'now', power: true, silent: true, forMs: 100 };
}

export function scenarioNamed(name: string): Plan {
  const found = SCENARIOS.get(name);
  if (found === undefined) throw new Error(`no scenario "${name}"`);
  return found;
}

export function scenarioNames(): readonly string[] {
  return [...SCENARIOS.keys()];
}
