/** The setting that a goal speaks of, and what of a measurement differs from it. */
import type { BenchReport, Costs, Goal, Machine, Series } from './bench-report.ts';
import { failedOf, groupBy, isDurable, targetOf } from './comparison.ts';
import { duration, plural, size } from './units.ts';

/** What goals are computed from: a report that has none yet. */
export type Findings = Omit<BenchReport, 'goals'>;

/** In addition to two cores, a disk that is one, three nodes, durable, and no request that failed. What is absent may be anything. */
export interface Setting {
  readonly connections?: number;
  readonly keys?: number;
  readonly valueBytes?: number;
  readonly repetitionsMin?: number;
  readonly secondsMin?: number;
}

/** How one side was measured, as far as it is known. */
export interface Circumstances {
  /** Whose they are, where sides differ. */
  readonly target: string;
  readonly nodes: number;
  readonly durability: string;
  readonly connections?: number;
  readonly keys?: number;
  readonly valueBytes?: number;
  readonly repetitions?: number;
  readonly seconds?: number;
  readonly failed?: number;
}

export type Aim = Pick<Goal, 'goal' | 'wanted'>;

const CORES = 2;
const NODES = 3;

/** What keeps a finding from counting, of all sides; empty when nothing does. */
export function remarks(machine: Machine, sides: readonly Circumstances[], setting: Setting): string {
  const all = [
    ...(machine.cores === CORES ? [] : [plural(machine.cores, 'core')]),
    ...(machine.isDiskInMemory ? ['a disk in memory'] : []),
    ...sides.flatMap((side) => settingRemarks(side, setting)),
    ...sides.flatMap((side) => sideRemarks(side, setting)),
    ...errorRemarks(sides),
  ];
  return all.length === 0 ? '' : ` (not the setting of the goal: ${[...new Set(all)].join(', ')})`;
}

/** Met or not only where nothing is remarked. */
export function judged(aim: Aim, found: string, isMet: boolean, remark: string): Goal {
  return { ...aim, found: `${found}${remark}`, isMet: remark === '' ? isMet : undefined };
}

export function notMeasured(aim: Aim): Goal {
  return { ...aim, found: 'not measured', isMet: undefined };
}

export function circumstancesOf(findings: Findings, series: Series): Circumstances {
  const { target, nodes, connections, keys, valueBytes, repetitions, median } = series;
  return {
    ...{ target, nodes, connections, keys, valueBytes },
    durability: targetOf(findings, series)?.durability ?? '',
    repetitions: repetitions.length,
    seconds: median.seconds,
    failed: failedOf(series),
  };
}

export function circumstancesOfCosts({ nodes, durability, valueBytes }: Costs): Circumstances {
  return { target: 'the cluster', nodes, durability, valueBytes };
}

/** Of what all sides have in common. */
function settingRemarks(side: Circumstances, setting: Setting): readonly string[] {
  const { connections, keys, valueBytes, seconds } = side;
  return [
    ...remarkUnless(connections, isWanted(setting.connections), (value) => plural(value, 'connection')),
    ...remarkUnless(keys, isWanted(setting.keys), (value) => plural(value, 'key')),
    ...remarkUnless(valueBytes, isWanted(setting.valueBytes), (value) => `values of ${size(value)}`),
    ...remarkUnless(seconds, isEnough(setting.secondsMin), (value) => `measured for ${duration(value)}`),
  ];
}

function sideRemarks({ target, nodes, durability, repetitions }: Circumstances, setting: Setting): readonly string[] {
  const words = durability === '' ? 'unknown' : durability;
  return [
    ...(nodes === NODES ? [] : [`${plural(nodes, 'node')} of ${target}`]),
    ...(isDurable(durability) === true ? [] : [`durability of ${target}: ${words}`]),
    ...remarkUnless(
      repetitions,
      isEnough(setting.repetitionsMin),
      (value) => `${plural(value, 'repetition')} of ${target}`,
    ),
  ];
}

function errorRemarks(sides: readonly Circumstances[]): readonly string[] {
  return [...groupBy(sides, ({ target }) => target)].flatMap(([target, of]) => {
    const failed = of.reduce((sum, one) => sum + (one.failed ?? 0), 0);
    return failed === 0 ? [] : [`${plural(failed, 'error')} of ${target}`];
  });
}

type Test = (value: number) => boolean;

const isWanted =
  (wanted: number | undefined): Test =>
  (value) =>
    wanted === undefined || value === wanted;
const isEnough =
  (min: number | undefined): Test =>
  (value) =>
    min === undefined || value >= min;

function remarkUnless(value: number | undefined, test: Test, words: (value: number) => string): readonly string[] {
  return value === undefined || test(value) ? [] : [words(value)];
}
