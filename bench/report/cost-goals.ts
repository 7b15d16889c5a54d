import type { Costs, Goal } from './bench-report.ts';
import { count, decimalBytes, digits, duration, percent, size } from './units.ts';

const MEMORY_BYTES_MAX = 200e6;
const MEMORY_KEYS = 1_000_000;
const FLAT_FOR_S = 600;
/** Caches fill in the first fifth of a run; what comes after is compared. */
const SETTLING = 0.2;
const GROWTH_MAX = 0.1;
const IDLE_PERCENT_MAX = 1;

type Aim = Pick<Goal, 'goal' | 'wanted'>;

/** Goals about memory, the disk and an idle processor. */
export function costGoals(costs: Costs | undefined): readonly Goal[] {
  return [memoryGoal(costs?.memory), flatGoal(costs?.memoryOverTime), diskGoal(costs?.perPut), idleGoal(costs)];
}

function memoryGoal(memory: Costs['memory']): Goal {
  const aim: Aim = {
    goal: 'Memory of a node with a million 100-byte keys (RssAnon)',
    wanted: `below ${decimalBytes(MEMORY_BYTES_MAX)}`,
  };
  const full = memory?.find(({ keys }) => keys >= MEMORY_KEYS);
  if (full === undefined) return { ...aim, found: 'not measured', isMet: undefined };
  return {
    ...aim,
    found: `${decimalBytes(full.bytesPerNode)} with ${count(full.keys)} keys`,
    isMet: full.bytesPerNode < MEMORY_BYTES_MAX,
  };
}

/** Flat: the median of the last fifth is at most a tenth above that of the second one. */
function flatGoal(points: Costs['memoryOverTime']): Goal {
  const aim: Aim = {
    goal: 'Memory over ten minutes of load',
    wanted: 'flat: the last fifth at most 10 % above the second',
  };
  const lengthS = points?.at(-1)?.second ?? 0;
  const early = median(bytesBetween(points, lengthS * SETTLING, lengthS * 2 * SETTLING));
  const late = median(bytesBetween(points, lengthS * (1 - SETTLING), lengthS));
  if (early === undefined || late === undefined) return { ...aim, found: 'not measured', isMet: undefined };
  const growth = late / early - 1;
  const found = `${growth < 0 ? '−' : '+'}${percent(Math.abs(growth))}: from ${decimalBytes(early)} to ${decimalBytes(late)}`;
  if (lengthS < FLAT_FOR_S) return { ...aim, found: `${found} (${duration(lengthS)} only)`, isMet: undefined };
  return { ...aim, found, isMet: growth <= GROWTH_MAX };
}

function bytesBetween(points: Costs['memoryOverTime'], fromS: number, toS: number): readonly number[] {
  return (points ?? [])
    .filter(({ second }) => second >= fromS && second <= toS)
    .map(({ bytesPerNode }) => bytesPerNode);
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function diskGoal(perPut: Costs['perPut']): Goal {
  const aim: Aim = { goal: 'Bytes written to disk per 100-byte PUT and replica', wanted: 'stated' };
  if (perPut === undefined) return { ...aim, found: 'not measured', isMet: undefined };
  const found = decimalBytes(perPut.diskBytesPerReplica);
  if (perPut.valueBytes !== 100) return { ...aim, found: `${found} with ${size(perPut.valueBytes)}`, isMet: undefined };
  return { ...aim, found, isMet: true };
}

function idleGoal(costs: Costs | undefined): Goal {
  const aim: Aim = { goal: 'Processor time of an idle node', wanted: `below ${IDLE_PERCENT_MAX} % of a core` };
  const idle = costs?.idleCpuPercent;
  if (idle === undefined) return { ...aim, found: 'not measured', isMet: undefined };
  return { ...aim, found: `${digits(idle)} %`, isMet: idle < IDLE_PERCENT_MAX };
}
