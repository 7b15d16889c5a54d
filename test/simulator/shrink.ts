import type { Fault, Plan } from './plan.ts';
import { CALM } from './simulated-network.ts';

export interface ShrinkLimits {
  readonly runsMax: number;
  /** Whether the time for it is over. */
  readonly isOver: () => boolean;
  /** So many candidates are tried at once. */
  readonly atOnce: number;
}

export interface Shrunk {
  readonly plan: Plan;
  readonly runs: number;
}

type Fails = (plan: Plan) => Promise<boolean>;

/**
 * Makes a failing plan smaller by delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002):
 * leaves out ever smaller stretches of its faults, then of its operations, makes what is left shorter and milder, and begins again,
 * until nothing helps or the limits are reached.
 *
 * Every plan that is returned has failed, the given one aside. What is left out reshuffles nothing else: see `chance.ts`.
 */
export async function shrink(plan: Plan, fails: Fails, limits: ShrinkLimits): Promise<Shrunk> {
  const search = new Search(plan, fails, limits);
  for (let before = -1; before !== search.improvements && !search.isOver; ) {
    before = search.improvements;
    await search.shorten('faults');
    await search.shorten('operations');
    await search.simplify();
  }
  return { plan: search.plan, runs: search.runs };
}

class Search {
  plan: Plan;
  runs = 0;
  improvements = 0;
  private readonly fails: Fails;
  private readonly limits: ShrinkLimits;

  constructor(plan: Plan, fails: Fails, limits: ShrinkLimits) {
    this.plan = plan;
    this.fails = fails;
    this.limits = limits;
  }

  get isOver(): boolean {
    return this.runs >= this.limits.runsMax || this.limits.isOver();
  }

  /** Stretches of half the list, then of a quarter, down to single members. */
  async shorten(what: 'faults' | 'operations'): Promise<void> {
    for (let size = Math.ceil(this.plan[what].length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < this.plan[what].length && !this.isOver; ) {
        const starts = Array.from({ length: this.limits.atOnce }, (_, i) => at + i * size);
        const inside = starts.filter((start) => start < this.plan[what].length);
        const found = await this.tryAll(inside.map((start) => without(this.plan, what, start, size)));
        // What stood before the one that was left out has been tried, and is needed.
        at = found === undefined ? at + size * inside.length : (inside[found] ?? at);
      }
    }
  }

  /** One thing after another that could be less. What helped once is tried once more. */
  async simplify(): Promise<void> {
    for (let at = 0; !this.isOver; ) {
      const candidates = simpler(this.plan).slice(at, at + this.limits.atOnce);
      if (candidates.length === 0) return;
      const found = await this.tryAll(candidates);
      at += found ?? candidates.length;
    }
  }

  /** The first of the candidates that fails takes the plan's place. */
  private async tryAll(candidates: readonly Plan[]): Promise<number | undefined> {
    this.runs += candidates.length;
    const results = await Promise.all(candidates.map((candidate) => this.fails(candidate)));
    const found = results.indexOf(true);
    const better = candidates[found];
    if (better === undefined) return undefined;
    this.plan = better;
    this.improvements++;
    return found;
  }
}

function without(plan: Plan, what: 'faults' | 'operations', at: number, size: number): Plan {
  return what === 'faults'
    ? { ...plan, faults: plan.faults.toSpliced(at, size) }
    : { ...plan, operations: plan.operations.toSpliced(at, size) };
}

/** The plan with one thing less. Each differs from the plan, so that this comes to an end. */
function simpler(plan: Plan): readonly Plan[] {
  const faults = plan.faults.flatMap((fault, at) =>
    milder(fault).map((other) => ({ ...plan, faults: plan.faults.with(at, other) })),
  );
  return [...earlierEnd(plan), ...trueClocks(plan), ...faults];
}

function earlierEnd(plan: Plan): readonly Plan[] {
  const last = Math.max(0, ...[...plan.operations, ...plan.faults].map(({ atMs }) => atMs));
  const ends = [last + 1, (last + plan.healMs) / 2].map(Math.ceil);
  return ends.filter((healMs) => healMs < plan.healMs).map((healMs) => ({ ...plan, healMs }));
}

function trueClocks(plan: Plan): readonly Plan[] {
  const { clocks } = plan.shape;
  if (clocks.every(({ rate, offsetMs }) => rate === 1 && offsetMs === 0)) return [];
  return [{ ...plan, shape: { ...plan.shape, clocks: clocks.map(() => ({ rate: 1, offsetMs: 0 })) } }];
}

function milder(fault: Fault): readonly Fault[] {
  const shorter: Fault[] =
    'forMs' in fault && fault.forMs > 1 ? [{ ...fault, forMs: Math.max(1, Math.round(fault.forMs / 2)) }] : [];
  switch (fault.kind) {
    case 'weather':
      return [...shorter, ...calmer(fault)];
    case 'cut':
      return [
        ...(fault.flapMs > 0 ? [{ ...fault, flapMs: 0 }] : []),
        ...(fault.links.length > 1
          ? fault.links.map((_, at) => ({ ...fault, links: fault.links.toSpliced(at, 1) }))
          : []),
        ...shorter,
      ];
    case 'crash':
      return [
        ...(fault.power ? [{ ...fault, power: false }] : []),
        ...(fault.silent ? [{ ...fault, silent: false }] : []),
        ...shorter,
      ];
    case 'restore':
      return fault.liveMs > 1 ? [{ ...fault, liveMs: Math.max(1, Math.round(fault.liveMs / 2)) }] : [];
    default:
      return shorter;
  }
}

const TROUBLES = ['latencyMs', 'jitterMs', 'loss', 'duplication', 'veryLate', 'corruption'] as const;

/** Each of the weather's troubles gone. */
function calmer(fault: Extract<Fault, { kind: 'weather' }>): readonly Fault[] {
  const { weather } = fault;
  return TROUBLES.filter((trouble) => weather[trouble] > CALM[trouble]).map((trouble) => ({
    ...fault,
    weather: { ...weather, [trouble]: CALM[trouble] },
  }));
}
