import type { Plan } from './plan.ts';

/** A plan as JSON, an operation or fault per line. */
export function planText({ operations, faults, ...rest }: Plan): string {
  const lines = (list: readonly object[]): string =>
    `[\n${list.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  const others = Object.entries(rest).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return `{\n${others.join(',\n')},\n  "faults": ${lines(faults)},\n  "operations": ${lines(operations)}\n}`;
}

/** What {@link planText} wrote. Only the outline is looked at: whoever edits a plan knows what he does. */
export function parsePlan(text: string): Plan {
  const plan: unknown = JSON.parse(text);
  if (!isOutline(plan)) throw new Error('not a plan: it must have seed, healMs, shape, operations and faults');
  return plan;
}

function isOutline(plan: unknown): plan is Plan {
  if (typeof plan !== 'object' || plan === null) return false;
  const { seed, healMs, shape, operations, faults } = plan as Partial<Record<keyof Plan, unknown>>;
  const isNumbered = typeof seed === 'number' && typeof healMs === 'number';
  return (
    isNumbered && typeof shape === 'object' && shape !== null && Array.isArray(operations) && Array.isArray(faults)
  );
}
