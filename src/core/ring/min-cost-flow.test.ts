import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EdgeLimits, FlowNetwork } from './min-cost-flow.ts';

interface Edge extends EdgeLimits {
  readonly from: number;
  readonly to: number;
}

interface Problem {
  readonly supplies: readonly number[];
  readonly edges: readonly Edge[];
}

describe('FlowNetwork', () => {
  it('takes the cheaper way first and the dearer one for the rest', () => {
    const problem = {
      supplies: [3, 0, 0, -3],
      edges: [edge(0, 1, 0, 2, 1), edge(1, 3, 0, 9, 0), edge(0, 2, 0, 9, 5), edge(2, 3, 0, 9, 0)],
    };
    expect(solve(problem)?.flows).toEqual([2, 2, 1, 1]);
  });

  it('sends back along a way already taken when that is cheaper in all', () => {
    const problem = {
      supplies: [2, 0, 0, -2],
      edges: [edge(0, 1, 0, 1, 0), edge(0, 2, 0, 1, 3), edge(1, 2, 0, 1, 0), edge(1, 3, 0, 1, 3), edge(2, 3, 0, 1, 0)],
    };
    expect(solve(problem)).toEqual({ flows: [1, 1, 0, 1, 1], cost: 6 });
  });

  it('keeps a lower limit although another way is cheaper', () => {
    const problem = { supplies: [2, -2], edges: [edge(0, 1, 0, 2, 0), edge(0, 1, 1, 2, 7)] };
    expect(solve(problem)).toEqual({ flows: [1, 1], cost: 7 });
  });

  it('says so when the limits cannot be kept', () => {
    expect(solve({ supplies: [2, -2], edges: [edge(0, 1, 0, 1, 0)] })).toBeUndefined();
    expect(solve({ supplies: [1, -1], edges: [edge(0, 1, 2, 3, 0)] })).toBeUndefined();
  });

  it('finds a flow exactly when there is one, and none that is cheaper exists', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const found = solve(problem);
        expect(found?.cost).toBe(cheapest(problem));
        if (found !== undefined) expect(isFlow(problem, found.flows)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

const NODES = 4;

const edges = fc
  .record({ from: fc.nat(NODES - 1), to: fc.nat(NODES - 1), lower: fc.nat(1), more: fc.nat(2), cost: fc.nat(3) })
  .filter(({ from, to }) => from !== to)
  .map(({ from, to, lower, more, cost }) => edge(from, to, lower, lower + more, cost));

const problems: fc.Arbitrary<Problem> = fc
  .tuple(fc.nat(3), fc.nat(2), fc.array(edges, { maxLength: 7 }))
  .map(([first, second, all]) => ({ supplies: [first, second, 0, -first - second], edges: all }));

function edge(from: number, to: number, lower: number, upper: number, cost: number): Edge {
  return { from, to, lower, upper, cost };
}

function solve(problem: Problem): { readonly flows: readonly number[]; readonly cost: number } | undefined {
  const network = new FlowNetwork(problem.supplies.length);
  for (const [node, units] of problem.supplies.entries()) network.supply(node, units);
  const numbers = problem.edges.map((limits) => network.edge(limits.from, limits.to, limits));
  if (!network.solve()) return undefined;
  const flows = numbers.map((number) => network.flow(number));
  return { flows, cost: costOf(problem, flows) };
}

function costOf(problem: Problem, flows: readonly number[]): number {
  return problem.edges.reduce((sum, { cost }, index) => sum + cost * (flows[index] ?? 0), 0);
}

function isFlow(problem: Problem, flows: readonly number[]): boolean {
  const left = [...problem.supplies];
  for (const [index, { from, to, lower, upper }] of problem.edges.entries()) {
    const flow = flows[index] ?? 0;
    if (flow < lower || flow > upper) return false;
    left[from] = (left[from] ?? 0) - flow;
    left[to] = (left[to] ?? 0) + flow;
  }
  return left.every((rest) => rest === 0);
}

/** By trying every flow. */
function cheapest(problem: Problem, flows: readonly number[] = []): number | undefined {
  const next = problem.edges[flows.length];
  if (next === undefined) return isFlow(problem, flows) ? costOf(problem, flows) : undefined;
  let least: number | undefined;
  for (let flow = next.lower; flow <= next.upper; flow++) {
    const cost = cheapest(problem, [...flows, flow]);
    if (cost !== undefined) least = Math.min(least ?? cost, cost);
  }
  return least;
}
