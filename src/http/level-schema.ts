import { z } from 'zod';
import { type QuorumLevel, resolveLevel } from '../core/quorum/quorum-spec.ts';

const WORDS = ['one', 'quorum', 'all'] as const;
const RESERVED: readonly unknown[] = ['local_quorum', 'each_quorum'];

/** A quorum level in a JSON body: a number from 1 to `n`, or a word. */
export function levelSchema(n: number): z.ZodType<QuorumLevel> {
  const number = z.custom<number>((value) => typeof value === 'number' && resolveLevel(value, n) !== undefined);
  return z.union([number, z.enum(WORDS)], { error: `expected 1..${n}, one, quorum or all` });
}

/** The field, r or w, that asks for a level of the contract that is not built yet. */
export function reservedLevel(body: object): 'r' | 'w' | undefined {
  if ('r' in body && RESERVED.includes(body.r)) return 'r';
  return 'w' in body && RESERVED.includes(body.w) ? 'w' : undefined;
}
