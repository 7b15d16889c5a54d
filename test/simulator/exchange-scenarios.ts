import type { Scenarios } from './hint-scenarios.ts';
import type { ClusterShape, Fault, Operation, Plan } from './plan.ts';
import { type Ask, crash, disk, onFive, plan, powerCut, requests, rounds } from './schedules.ts';
import { CALM, type NetworkWeather } from './simulated-network.ts';

/** No room for hints: what an owner missed it gets by an exchange, or never. */
function byExchangesAlone({ shape, ...rest }: Plan, change: Partial<ClusterShape>): Plan {
  return { ...rest, shape: { ...shape, hintBytes: 1, ...change } };
}

const ALONE = { level: 1, timeoutMs: 100, sloppy: false } as const;

function ask(atMs: number, key: number, node: number, what: Ask): Omit<Operation, 'id'> {
  return { atMs, key, node, client: 0, level: 'quorum', owners: 0, timeoutMs: 300, context: 'none', ...what };
}

function cut(atMs: number, forMs: number, links: readonly (readonly [number, number])[]): Fault {
  return { kind: 'cut', atMs, forMs, flapMs: 0, links };
}

function weather(atMs: number, forMs: number, change: Partial<NetworkWeather>): Fault {
  return { kind: 'weather', atMs, forMs, weather: { ...CALM, ...change } };
}

/**
 * The second owner, cut off, overwrites what it has never seen: all that it holds of the key is what its context covers. Then it
 * forgets which keys its dots were of, and the others must find out by comparing. Each key is in a partition of its own, where no
 * later comparison mends what this one has missed.
 */
function residuesCompared(): Plan {
  const everyMs = 5000;
  return byExchangesAlone(
    plan(
      27,
      82_000,
      rounds(16, everyMs, (atMs, key) => [
        ask(atMs + 20, key, 0, { kind: 'put' }),
        ask(atMs + 60, key, 1, { ...ALONE, kind: key % 2 === 0 ? 'delete' : 'put', context: 'seen' }),
      ]),
      rounds(16, everyMs, (atMs) => [cut(atMs, 400, bothWays(1, [0, 2])), { ...crash(atMs + 200, 1), forMs: 300 }]),
    ),
    { partitions: 64 },
  );
}

const PASSED_KEYS = 100;

/**
 * The second owner hears late of values that have long been deleted, while it compares the partition with the third one, key by key:
 * where it was told of the deletion, it must be by that one's clock. It stands still until they are deleted and the third one knows,
 * so that it has heard of none before, and is kept from the first one, which could name each of them, until the comparison is under way.
 */
function lateWhileComparing(): Plan {
  const odd = Array.from({ length: PASSED_KEYS / 2 }, (_, i) => 2 * i + 1);
  const deleted = odd.flatMap((key, i) => [
    ask(1000 + 4 * i, key, 0, { ...ALONE, kind: 'put' }),
    ask(1300 + 4 * i, key, 0, { ...ALONE, kind: 'delete' }),
  ]);
  const kept = requests(0, 500, 10, (i) => ({ kind: 'put', key: 2 * i, level: 'all', context: 'none' }));
  const faults: Fault[] = [
    { kind: 'pause', atMs: 900, node: 1, forMs: 4100 },
    weather(999, 250, { veryLate: 1 }),
    weather(1299, 250, { loss: 1 }),
    crash(4700, 2),
    cut(4900, 4000, [
      [0, 1],
      [1, 0],
    ]),
    weather(4950, 24_000, { latencyMs: 100 }),
  ];
  return byExchangesAlone(plan(10, 29_000, [...kept, ...deleted], faults), {
    exchange: { keys: 1, bytes: 1000, dots: 10 },
  });
}

/** New keys are written before the place that a comparison has reached, where the comparing owner hears of none of them. */
function writtenWhileComparing(): Plan {
  const put = { kind: 'put', level: 1, sloppy: false, context: 'none', timeoutMs: 100 } as const;
  const operations = [
    ...requests(0, 400, 10, (i) => ({ ...put, key: 60 + i, level: 'all', timeoutMs: 300 })),
    ...requests(700, 17_000, 120, (i) => ({ ...put, key: 240 - i, node: 0 })),
  ];
  const apart = cut(600, 18_000, [
    [0, 1],
    [1, 0],
  ]);
  const faults = [apart, crash(3000, 2), weather(3010, 16_000, { latencyMs: 100 })];
  return byExchangesAlone(plan(14, 21_000, operations, faults), {
    exchange: { keys: 1, bytes: 1000, dots: 10 },
  });
}

/** Their numbers have two digits, so that the keys are in their order. */
const TOLD_KEYS = 20;

/**
 * The first owner has forgotten which key its last write was to, so that the others, which missed it, compare with it key by key. When
 * they have come to that write it deletes the keys behind it, and loses power before that is on its disk. If it tells of it meanwhile,
 * the others drop values that it has when it is back; its clock is theirs, and nothing makes them look again. The second owner stands
 * still before, so that the first has a grant, and can write, while they compare.
 */
function toldBeforeFlush(): Plan {
  const everyMs = 12_000;
  const operations = rounds(4, everyMs, (atMs, round) => {
    const first = 10 + TOLD_KEYS * round;
    const behind = Array.from({ length: TOLD_KEYS - 1 }, (_, i) => first + 1 + i);
    return [
      ...[first, ...behind].map((key, i) => ask(atMs + 4 * i, key, 0, { kind: 'put', level: 'all' })),
      ask(atMs + 300, first, 0, { ...ALONE, kind: 'put' }),
      ...behind.map((key, i) => ask(atMs + 6000 + 0.1 * i, key, 0, { ...ALONE, kind: 'delete', timeoutMs: 2000 })),
    ];
  });
  const faults = rounds<Fault>(4, everyMs, (atMs) => [
    { kind: 'pause', atMs: atMs + 250, node: 1, forMs: 2000 },
    weather(atMs + 299, 5, { loss: 1 }),
    crash(atMs + 310, 0),
    weather(atMs + 2240, 3750, { latencyMs: 200 }),
    { ...disk(0, 3000), atMs: atMs + 5995, forMs: 620 },
    weather(atMs + 5999, 5, { loss: 1 }),
    weather(atMs + 6005, 900, { latencyMs: 200 }),
    powerCut(atMs + 6300, 0),
  ]);
  return byExchangesAlone(plan(11, 50_000, operations, faults), { exchange: { keys: 1, bytes: 1000, dots: 10 } });
}

const COMPARED_KEYS = 60;

/**
 * The second of the owners (the first, the second and the fifth node) compares the partition with the first one, key by key, and stands
 * still in the middle of it. Meanwhile the first one loses its folder, and begins anew with an empty one: what it goes on to tell is
 * the end of a partition in which there is nothing. The second, kept from the fifth, has the rest of the keys from nobody; if it takes
 * in the clock that it was told at the beginning, it believes that they were deleted.
 */
function folderLostWhileComparing(): Plan {
  const operations = requests(2500, 2500 + 10 * COMPARED_KEYS, 10, (i) => ({
    ...{ kind: 'put', key: 10 + i, node: 0, sloppy: false, context: 'none', timeoutMs: 300 },
  }));
  const faults: Fault[] = [
    cut(2400, 2000, bothWays(1, [0, 4])),
    crash(3400, 0),
    weather(4390, 13_000, { latencyMs: 50 }),
    cut(4400.1, 16_000, bothWays(1, [4])),
    { kind: 'pause', atMs: 8500, node: 1, forMs: 3700 },
    { kind: 'wipe', atMs: 8620, node: 0 },
  ];
  return byExchangesAlone(onFive(plan(21, 23_000, operations, faults)), {
    exchange: { keys: 1, bytes: 1000, dots: 1 },
  });
}

/**
 * The first owner, alone, overwrites a value that the second has too, and forgets which key that was. The third one, which was away,
 * has just been told the new value when the first goes down: it has the old one from the second, with all else that it missed. It must
 * know by then that the old one was overwritten, since from now on nobody has anything to tell it.
 */
function comparedInPart(): Plan {
  const first = 10;
  const operations = [
    ...requests(1100, 1100 + 5 * COMPARED_KEYS, 5, (i) => ({
      ...{ kind: 'put', key: first + i, node: 0, client: 0, sloppy: false, context: 'none', timeoutMs: 300 },
    })),
    ask(1900, first, 0, { ...ALONE, kind: 'put', context: 'seen' }),
  ];
  const faults: Fault[] = [
    cut(1000, 1600, bothWays(2, [0, 1])),
    cut(1700, 900, bothWays(0, [1])),
    crash(2300, 0),
    weather(2590, 9000, { latencyMs: 100 }),
    cut(2600.1, 9000, bothWays(1, [0, 2])),
    crash(10_600, 0, 7000),
  ];
  return byExchangesAlone(plan(24, 20_000, operations, faults), { exchange: { keys: 1, bytes: 1000, dots: 10 } });
}

/**
 * The first owner, alone, deletes every other of the keys that all have, and forgets which these were. The third compares the partition
 * with it for seconds, key by key, and has dropped some of them while its clock is still that of the second, which is cut off from the
 * first and has them all.
 */
function deletedInPart(): Plan {
  const first = 10;
  const operations = [
    ...requests(1100, 1100 + 5 * COMPARED_KEYS, 5, (i) => ({
      ...{
        kind: 'put',
        key: first + i,
        node: 0,
        client: 0,
        sloppy: false,
        context: 'none',
        level: 'all',
        timeoutMs: 300,
      },
    })),
    ...requests(1900, 1900 + 5 * COMPARED_KEYS, 10, (i) => ({
      ...{ ...ALONE, kind: 'delete', key: first + 2 * i, node: 0, client: 0, context: 'none' },
    })),
  ];
  const faults: Fault[] = [
    cut(1700, 900, bothWays(0, [1, 2])),
    crash(2300, 0),
    weather(2400, 12_000, { latencyMs: 100 }),
    cut(2600.1, 13_000, bothWays(0, [1])),
  ];
  return byExchangesAlone(plan(25, 20_000, operations, faults), { exchange: { keys: 1, bytes: 1000, dots: 10 } });
}

function bothWays(one: number, others: readonly number[]): (readonly [number, number])[] {
  return others.flatMap((other) => [[one, other] as const, [other, one] as const]);
}

/** How owners find together again. */
export const EXCHANGE_SCENARIOS: Scenarios = [
  ['an owner overwrites what it has never seen, and forgets which keys that was about', residuesCompared()],
  ['values come late that were deleted, while a partition is compared', lateWhileComparing()],
  ['owners ask for what is not flushed yet, and the power fails', toldBeforeFlush()],
  ['keys are written that were passed, while a partition is compared', writtenWhileComparing()],
  ['an owner loses its folder while another one compares the partition with it', folderLostWhileComparing()],
  [
    'an owner is told of a value in a comparison that breaks off, and has an older one from another owner',
    comparedInPart(),
  ],
  ['an owner is in the middle of a comparison that takes keys from it, and a third one has them all', deletedInPart()],
];
