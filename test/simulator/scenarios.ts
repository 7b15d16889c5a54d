import { EXCHANGE_SCENARIOS } from './exchange-scenarios.ts';
import { HINT_SCENARIOS } from './hint-scenarios.ts';
import type { Fault, Plan } from './plan.ts';
import { REPAIR_SCENARIOS } from './repair-scenarios.ts';
import {
  type Ask,
  crash,
  disk,
  loneWrite,
  onFive,
  outage,
  plan,
  powerCut,
  read,
  requests,
  rounds,
  tenTimes,
} from './schedules.ts';
import { CALM } from './simulated-network.ts';

const writes = (i: number): Ask => ({ kind: i % 5 === 4 ? 'get' : 'put' });

/** Schedules made by hand, for what chance meets too rarely. */
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
        ...tenTimes(2500, outage('written', 300)),
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
        tenTimes(2500, outage('read', 300)),
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
    'what only one of two others has is deleted at one owner, is read there with the one that never had it, and then without it',
    plan(
      21,
      12_000,
      rounds(20, 500, (atMs, key) => [
        { ...read(atMs - 40, key, 0), kind: 'put', context: 'none' },
        { ...loneWrite(atMs, key), kind: 'delete' },
        read(atMs + 30, key, 0),
        read(atMs + 40, key, lacking(key)),
      ]),
      rounds(20, 500, (atMs, key) => [
        { kind: 'cut', atMs: atMs - 41, forMs: 30, flapMs: 0, links: [[0, lacking(key)]] },
        silent(atMs - 1, 25),
        silent(atMs + 36, 150),
      ]),
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
    'disks are slow, log segments are used up, and the power fails',
    plan(36, 26_000, requests(0, 26_000, 8, writes), [
      ...[0, 1, 2].map((node) => disk(node, 60)),
      ...Array.from({ length: 10 }, (_, i) => [0, 1, 2].map((node) => powerCut(1000 + i * 2300, node))).flat(),
    ]),
  ],
  [
    'metadata changes while a node is cut off, which is then asked for it',
    plan(
      15,
      25_000,
      rounds(3, 8000, (atMs) => [
        ...[3000, 4000].map((afterMs) => ({
          ...read(atMs + afterMs, 0, 1),
          kind: 'configure' as const,
          timeoutMs: 900,
        })),
        ...[4950, 5200].map((afterMs) => ({ ...read(atMs + afterMs, 0, 0), kind: 'inspect' as const, timeoutMs: 300 })),
      ]),
      rounds(3, 8000, (atMs) => [
        {
          kind: 'cut',
          atMs,
          forMs: 6000,
          flapMs: 0,
          links: [1, 2].flatMap((other) => [[0, other] as const, [other, 0] as const]),
        },
      ]),
    ),
  ],
  ...HINT_SCENARIOS,
  ...EXCHANGE_SCENARIOS,
  ...REPAIR_SCENARIOS,
]);

/** Which of the other nodes misses the write of the key, each in its turn. */
function lacking(key: number): number {
  return 1 + (key % 2);
}

/** Nothing that the first node sends arrives. */
function silent(atMs: number, forMs: number): Fault {
  return { kind: 'cut', atMs, forMs, flapMs: 0, links: [1, 2].map((other) => [0, other]) };
}

export function scenarioNamed(name: string): Plan {
  const found = SCENARIOS.get(name);
  if (found === undefined) throw new Error(`no scenario "${name}"`);
  return found;
}

export function scenarioNames(): readonly string[] {
  return [...SCENARIOS.keys()];
}
