import { median } from '../median.ts';
import type { Costs, Goal } from './bench-report.ts';
import {
  type Aim,
  type Circumstances,
  circumstancesOfCosts,
  type Findings,
  judged,
  notMeasured,
  remarks,
  type Setting,
} from './goal-setting.ts';
import { count, decimalBytes, digits, duration, percent } from './units.ts';

const MEMORY_BYTES_MAX = 200e6;
const MEMORY_KEYS = 1_000_000;
const FLAT_FOR_S = 600;
/** Caches fill in the first fifth of a run; what comes after is compared. */
const SETTLING = 0.2;
const GROWTH_MAX = 0.1;
const IDLE_PERCENT_MAX = 1;

/** Of 100-byte values, where values matter. */
const SETTING: Setting = { valueBytes: 100 };

/** Goals about memory, the disk and an idle processor. */
export function costGoals({ costs, machine }: Findings): readonly Goal[] {
  const remark = (setting: Setting, changes: Partial<Circumstances> = {}): string =>
    costs === undefined ? '' : remarks(machine, [{ ...circumstancesOfCosts(costs), ...changes }], setting);
  const { perPut } = costs ?? {};
  const ofPut = remark(SETTING, perPut === undefined ? {} : { valueBytes: perPut.valueBytes });
  return [
    memoryGoal(costs?.memory, remark(SETTING)),
    flatGoal(costs?.memoryOverTime, remark(SETTING)),
    diskGoal(perPut, ofPut),
    idleGoal(costs?.idleCpuPercent, remark({})),
  ];
}

function memoryGoal(memory: Costs['memory'], remark: string): Goal {
  const aim: Aim = {
    goal: 'Memory of a node with a million 100-byte keys (RssAnon)',
    wanted: `below ${decimalBytes(MEMORY_BYTES_MAX)}`,
  };
  const full = memory?.find(({ keys }) => keys >= MEMORY_KEYS);
  if (full === undefined) return notMeasured(aim);
  const found = `${decimalBytes(full.bytesPerNode)} with ${count(full.keys)} keys`;
  return judged(aim, found, full.bytesPerNode < MEMORY_BYTES_MAX, remark);
}

/** Flat: the median of the last fifth is at most a tenth above that of the second one. */
function flatGoal(points: Costs['memoryOverTime'], remark: string): Goal {
  const aim: Aim = {
    goal: 'Memory over ten minutes of load',
    wanted: 'flat: the last fifth at most 10 % above the second',
  };
  const lengthS = points?.at(-1)?.second ?? 0;
  const early = bytesBetween(points, lengthS * SETTLING, lengthS * 2 * SETTLING);
  const late = bytesBetween(points, lengthS * (1 - SETTLING), lengthS);
  if (early.length === 0 || late.length === 0) return notMeasured(aim);
  const [from, to] = [median(early), median(late)];
  const growth = to / from - 1;
  const found = `${growth < 0 ? '−' : '+'}${percent(Math.abs(growth))}: from ${decimalBytes(from)} to ${decimalBytes(to)}`;
  const short = lengthS < FLAT_FOR_S ? ` (${duration(lengthS)} only)` : '';
  return judged(aim, found, growth <= GROWTH_MAX, `${short}${remark}`);
}

function bytesBetween(points: Costs['memoryOverTime'], fromS: number, toS: number): readonly number[] {
  return (points ?? [])
    .filter(({ second }) => second >= fromS && second <= toS)
    .map(({ bytesPerNode }) => bytesPerNode);
}

function diskGoal(perPut: Costs['perPut'], remark: string): Goal {
  const aim: Aim = { goal: 'Bytes written to disk per 100-byte PUT and replica', wanted: 'stated' };
  return perPut === undefined ? notMeasured(aim) : judged(aim, decimalBytes(perPut.diskBytesPerReplica), true, remark);
}

function idleGoal(idle: Costs['idleCpuPercent'], remark: string): Goal {
  const aim: Aim = { goal: 'Processor time of an idle node', wanted: `below ${IDLE_PERCENT_MAX} % of a core` };
  return idle === undefined ? notMeasured(aim) : judged(aim, `${digits(idle)} %`, idle < IDLE_PERCENT_MAX, remark);
}
