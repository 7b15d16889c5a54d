import { isDurable } from '../comparison.ts';

/** When a write is acknowledged, in words that are the same for every store. */
export function durabilityText(durability: string): string {
  const isSafe = isDurable(durability);
  if (isSafe === undefined) return `durability: ${durability}`;
  return isSafe ? 'on disk before it is acknowledged' : `acknowledged before it is on disk (${durability})`;
}
