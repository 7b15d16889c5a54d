import { describe, expect, it } from 'vitest';
import { drawPlan, type Fault, type Plan } from './plan.ts';
import { parsePlan, planText } from './plan-file.ts';
import { type ShrinkLimits, shrink } from './shrink.ts';

const SEED = 18;
const PATIENT: ShrinkLimits = { runsMax: 10_000, isOver: () => false, atOnce: 2 };

const ids = ({ operations }: Plan): readonly number[] => operations.map(({ id }) => id);
const kinds = ({ faults }: Plan): readonly Fault['kind'][] => faults.map(({ kind }) => kind);
const failsWith =
  (...needed: readonly number[]) =>
  async (plan: Plan): Promise<boolean> =>
    needed.every((id) => ids(plan).includes(id));

describe('a failing plan', () => {
  it.each([1, 2, 5])('comes down to the operations that it takes, %i tried at once', async (atOnce) => {
    const { plan } = await shrink(drawPlan(SEED), failsWith(7, 8, 300, 801), { ...PATIENT, atOnce });
    expect(ids(plan)).toEqual([7, 8, 300, 801]);
    expect(plan.faults).toEqual([]);
  });

  it('comes down to nothing but its seed and shape when those are enough', async () => {
    const { plan } = await shrink(drawPlan(SEED), async () => true, PATIENT);
    expect([plan.operations, plan.faults]).toEqual([[], []]);
    expect(plan.healMs).toBeLessThan(drawPlan(SEED).healMs);
  });

  it('keeps a fault that it takes, as short and as mild as it can be', async () => {
    const weather = { latencyMs: 9, jitterMs: 9, loss: 0.5, duplication: 0.2, veryLate: 0.1, corruption: 0 };
    const rain: Fault = { kind: 'weather', atMs: 10, forMs: 1000, weather };
    const original: Plan = { ...drawPlan(SEED), faults: [...drawPlan(SEED).faults, rain] };
    const fails = async ({ faults }: Plan): Promise<boolean> =>
      faults.some((fault) => fault.kind === 'weather' && fault.forMs >= 100 && fault.weather.loss === 0.5);
    const { plan } = await shrink(original, fails, PATIENT);
    expect(kinds(plan)).toEqual(['weather']);
    const [left] = plan.faults;
    if (left?.kind !== 'weather') throw new Error('another fault');
    expect(left.forMs).toBeLessThan(200);
    expect(left.weather).toEqual({
      latencyMs: 0.3,
      jitterMs: 0.7,
      loss: 0.5,
      duplication: 0,
      veryLate: 0,
      corruption: 0,
    });
  });

  it('is never replaced by one that does not fail', async () => {
    const fails = async (plan: Plan): Promise<boolean> => plan.operations.length % 3 === 1 && ids(plan).includes(40);
    const { plan } = await shrink(drawPlan(SEED), fails, PATIENT);
    expect(await fails(plan)).toBe(true);
  });

  it('stays as it is when nothing smaller fails', async () => {
    const { plan } = await shrink(drawPlan(SEED), async () => false, PATIENT);
    expect(plan).toEqual(drawPlan(SEED));
  });

  it('is left when the runs or the time are used up', async () => {
    const limited = await shrink(drawPlan(SEED), failsWith(7, 300), { ...PATIENT, runsMax: 10 });
    expect(limited.runs).toBeLessThanOrEqual(10 + PATIENT.atOnce);
    const late = await shrink(drawPlan(SEED), failsWith(7, 300), { ...PATIENT, isOver: () => true });
    expect(late.runs).toBe(0);
  });

  it('is the same plan after it was written down', () => {
    const plan = drawPlan(SEED);
    expect(parsePlan(planText(plan))).toEqual(plan);
    expect(() => parsePlan('{"seed": 1}')).toThrow('not a plan');
  });
});
