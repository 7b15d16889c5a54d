import { type Scenarios, whileCutOff } from './hint-scenarios.ts';
import type { Fault, Plan } from './plan.ts';
import {
  type Ask,
  crash,
  disk,
  loneWrite,
  onFive,
  plan,
  powerCut,
  read,
  requests,
  rounds,
  tenTimes,
} from './schedules.ts';
import { CALM } from './simulated-network.ts';

/** Nobody asks for anything meanwhile: who reads at quorum from an owner that has lost a value makes the others lose it. */
function damaged(isAltered: boolean): Plan {
  const ask = (i: number): Ask => ({ kind: i % 5 === 4 ? 'delete' : 'put', level: 'all' });
  return plan(7, 16_000, requests(0, 3000, 20, ask), [{ kind: 'damage', atMs: 6000, node: 1, isAltered }]);
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

const ROUNDS = 40;
const ROUND_MS = 6000;

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
      weather: { ...CALM, latencyMs: round % 3 === 2 ? 3000 : 230 + 12 * round, jitterMs: 0 },
    },
    { ...powerCut(atMs + 1499.9, 0), moment: 'sending', forMs: 20 },
  ]);
  const disks = [0, 1, 2].map((node) => ({ ...disk(node, 60), forMs: ROUNDS * ROUND_MS }));
  return withRetirements(plan(7, 1000 + ROUNDS * ROUND_MS + 5000, writes, [...disks, ...faults]));
}

/**
 * All have written and have started again since, and their earlier actors are retired, when one of them loses its folder: as it comes
 * back it hears of the retirement first, and of the writes that it is about later. Each in its turn, since only some have coordinated.
 */
function retiredBeforeCaughtUp(): Plan {
  const nodes = [0, 1, 2];
  const writes = requests(0, 3000, 20, (i) => ({ kind: 'put', key: i, level: 'all', context: 'none' }));
  const ends = nodes.map((node) => crash(4000 + 500 * node, node));
  const losses = nodes.map((node): Fault => ({ kind: 'wipe', atMs: 12_000 + 6000 * node, node }));
  return withRetirements(plan(22, 32_000, writes, [...ends, ...losses]));
}

/**
 * The first node overwrites what all have acknowledged, cut off and known to nobody; then its folder is lost. Once the actor that wrote
 * there is retired, and the others remember no more which writes came since, the folder as it was when it was lost is put back. The
 * others' disks are slow then, and its grant takes its time.
 */
function putBackAfterRetirement(): Plan {
  const keys = Array.from({ length: 10 }, (_, key) => key);
  const writes = (fromMs: number): Ask[] => keys.map((key) => ({ kind: 'put', atMs: fromMs + 50 * key, key, node: 1 }));
  const before = writes(1000).map((ask) => ({ ...ask, level: 'all' as const, context: 'none' as const }));
  const later = writes(8000).map((ask) => ({
    ...ask,
    key: keys.length,
    level: 'all' as const,
    context: 'none' as const,
  }));
  const asks = [...before, ...later];
  const operations = [
    ...requests(0, asks.length, 1, (i) => asks[i] ?? { kind: 'get' }),
    ...keys.map((key) => loneWrite(2010 + 20 * key, key)),
    ...requests(15_500, 18_500, 30, (i) => ({ kind: 'get', key: i % keys.length })),
  ];
  const faults: readonly Fault[] = [
    apart(2000, 500, 0, [1, 2]),
    { kind: 'restore', atMs: 2300, node: 0, liveMs: 12_700 },
    { kind: 'wipe', atMs: 2450, node: 0 },
    ...[1, 2].map((node) => ({ ...disk(node, 300), atMs: 14_900, forMs: 3000 })),
  ];
  return withRetirements(plan(26, 24_000, operations, faults));
}

/**
 * Some objects of the first owner are damaged that the third one has never seen, and the first looks through its disk while the second,
 * which has them, cannot be asked, or cannot tell yet: what the third holds is not all that there is.
 */
function damagedAmongFew(meanwhile: readonly Fault[], forMs = 20_000): Plan {
  const writes = requests(1100, 1500, 20, (i) => ({ kind: 'put', key: i, node: 0, sloppy: false, context: 'none' }));
  const rots = Array.from({ length: 10 }, (_, i): Fault => ({ kind: 'rot', atMs: 2200 + i, node: 0, place: i / 10 }));
  const faults = [apart(1000, 1399, 2, [0, 1]), ...rots, crash(2300, 0), ...meanwhile];
  const { shape, ...rest } = plan(23, forMs, writes, faults);
  return { ...rest, shape: { ...shape, hintBytes: 1 } };
}

/**
 * Two of the owners (the fifth, the first and the second node) are away while the fifth writes with those who stand in for them.
 * Then its objects are damaged, and the two are back; but those who stood in for them do not reach them yet.
 */
function damagedBesideHints(): Plan {
  const writes = requests(2400, 2800, 20, (i) => ({ kind: 'put', key: i, node: 4, level: 2, context: 'none' }));
  const rots = Array.from({ length: 10 }, (_, i): Fault => ({ kind: 'rot', atMs: 3200 + i, node: 4, place: i / 10 }));
  const faults = [
    ...[0, 1].map((away) => apart(1000, 2399, away, [2, 3, 4])),
    ...rots,
    crash(3300, 4),
    ...[0, 1].map((away) => apart(3399.1, 16_000, away, [2, 3])),
  ];
  return onFive(plan(25, 20_000, writes, faults));
}

function apart(atMs: number, forMs: number, one: number, others: readonly number[]): Fault {
  const links = others.flatMap((other) => [[one, other] as const, [other, one] as const]);
  return { kind: 'cut', atMs, forMs, flapMs: 0, links };
}

/** What disks forget, and what is forgotten on purpose. */
export const REPAIR_SCENARIOS: Scenarios = [
  ['a disk loses an object, in a node that comes back without it', damaged(false)],
  ['a disk alters an object, in a node that comes back with it', damaged(true)],
  [
    'objects of an owner are damaged, of which it can ask only who has not seen them',
    damagedAmongFew([apart(2399.1, 16_000, 1, [0, 2])]),
  ],
  [
    'objects of an owner are damaged, and the disk of who has seen them fails for a while',
    damagedAmongFew([{ ...disk(1, 1), atMs: 2250, readErrors: 1, forMs: 16_000 }]),
  ],
  [
    'objects of an owner are damaged, and the disk of who has seen them fails for more than a minute',
    damagedAmongFew([{ ...disk(1, 1), atMs: 2250, readErrors: 1, forMs: 86_000 }], 90_000),
  ],
  [
    'objects of an owner are damaged, and who has seen them has just started, and hears of no cluster state',
    damagedAmongFew([crash(2310, 1, 80), apart(2399.1, 16_000, 1, [2])]),
  ],
  ['objects of an owner are damaged, of which those who stand in for the others have the rest', damagedBesideHints()],
  ['those who own nothing are cut off and write, and one of them ends meanwhile', endingWhileCutOff()],
  ['a node ends with its last write under way, which arrives late', lateWrites()],
  ['a folder is lost after the actors that wrote to it were retired', retiredBeforeCaughtUp()],
  ['a folder is put back after its last writes, which nobody else had seen, were retired', putBackAfterRetirement()],
];
