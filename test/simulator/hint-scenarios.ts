import type { Fault, Plan } from './plan.ts';
import { type Ask, onFive, outage, plan, requests, tenTimes } from './schedules.ts';
import { CALM } from './simulated-network.ts';

export type Scenarios = readonly (readonly [name: string, plan: Plan])[];

/** Of five nodes and one partition, which the ring gives to these three: both ways between them and the others. */
const OWNERS_AND_OTHERS = bothWays([0, 1, 4], [2, 3]);

/** Ten times those who own nothing are cut off, write, and are let in again. In between nobody writes: what is lost stays lost. */
export function whileCutOff(keys: number): Plan {
  const ask = (i: number): Ask => ({
    ...{ kind: isCutOff(i * 40) && i % 4 < 3 ? 'put' : 'get', key: i % keys, node: 2 + (i % 2) },
    ...{ timeoutMs: 500, level: i % 3 === 0 ? 2 : 1, context: 'none' },
  });
  return plan(6, 72_000, requests(0, 72_000, 40, ask), [rainy(71_000), ...tenTimes(7000, cutOff)]);
}

const isCutOff = (atMs: number): boolean => atMs > 2000 && (atMs - 1000) % 7000 < 2500;

function cutOff(atMs: number): Fault {
  return { kind: 'cut', atMs, links: OWNERS_AND_OTHERS, forMs: 2500, flapMs: 0 };
}

function rainy(forMs: number): Fault {
  return { kind: 'weather', atMs: 100, forMs, weather: { ...CALM, loss: 0.25 } };
}

function withHintBytes(hintBytes: number, { shape, ...rest }: Plan): Plan {
  return { ...rest, shape: { ...shape, hintBytes } };
}

/** Nobody reads and owners exchange nothing: what an owner missed it gets by a hint, or never. */
function byHintsAlone({ shape, ...rest }: Plan): Plan {
  return { ...rest, shape: { ...shape, antiEntropy: false } };
}

/** Few keys, written without a pause: hints change while they are on their way. */
function writtenOnAndOn(): Plan {
  const ask = (i: number): Ask => ({
    ...{ kind: 'put', key: i % 2, node: 2 + (i % 2), timeoutMs: 500, level: 1, context: 'none' },
  });
  const weather = { ...CALM, loss: 0.25, latencyMs: 20, jitterMs: 100 };
  const faults = [{ kind: 'weather', atMs: 100, forMs: 71_000, weather } as const, ...tenTimes(7000, cutOff)];
  return plan(7, 72_000, requests(0, 72_000, 40, ask), faults);
}

/** The first owner, cut off from the other two, writes with those that stand in for them, and the power fails when a write was answered. */
function withStandInsOnly(): Plan {
  const ask = (i: number): Ask => ({ kind: 'put', key: i, node: 0, timeoutMs: 1000, level: 2, context: 'none' });
  return plan(8, 42_000, requests(0, 42_000, 60, ask), [
    { kind: 'cut', atMs: 500, links: bothWays([0], [1, 4]), forMs: 41_000, flapMs: 0 },
    ...tenTimes(4000, outage('written', 300)),
  ]);
}

/** Those who own nothing are cut off, write and read among themselves, and the power fails when a value was read. */
function readAmongStandIns(): Plan {
  const ask = { timeoutMs: 1000, level: 1, context: 'none' } as const;
  const reads = [4, 7, 10].flatMap((afterMs) =>
    requests(afterMs, 36_000, 60, (i) => ({ ...ask, kind: 'get', key: i, node: 2 + ((i + afterMs) % 2) })),
  );
  const writes = requests(0, 36_000, 60, (i) => ({ ...ask, kind: 'put', key: i, node: 2 + (i % 2) }));
  const outages = tenTimes(7000, (atMs) => outage('read', 300)(atMs + 2000));
  return plan(13, 36_000, [...writes, ...reads], [...tenTimes(7000, cutOff), ...outages]);
}

function bothWays(here: readonly number[], there: readonly number[]): (readonly [number, number])[] {
  return here.flatMap((a) => there.flatMap((b) => [[a, b] as const, [b, a] as const]));
}

/** Sloppy quorums. */
export const HINT_SCENARIOS: Scenarios = [
  ['those who own nothing are cut off from the owners again and again, and write', onFive(whileCutOff(4))],
  ['those who own nothing are cut off with little room for hints', onFive(withHintBytes(3000, whileCutOff(40)))],
  ['what owners missed reaches them by hints alone', byHintsAlone(onFive(writtenOnAndOn()))],
  [
    'an owner writes with those who stand in for all others, and the power fails when a write was answered',
    onFive(withStandInsOnly()),
  ],
  [
    'those who own nothing write and read among themselves, and the power fails when a value was read',
    onFive(readAmongStandIns()),
  ],
];
