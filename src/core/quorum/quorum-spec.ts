/** How many replicas must answer. `quorum` is a majority of N; the words are resolved against the N that serves the request. */
export type QuorumLevel = number | 'one' | 'quorum' | 'all';

/** What a request demands: `total` is its r or w; `owners` its pr or pw, 0 when nothing is asked. */
export interface QuorumSpec {
  readonly total: QuorumLevel;
  readonly owners: QuorumLevel;
}

/** A spec in numbers: 1 <= total <= N, 0 <= owners <= total. */
export interface Quorum {
  readonly total: number;
  readonly owners: number;
}

/** `not-supported`: a level that is reserved for later. `malformed`: anything else that is no level. */
export type ParsedLevel =
  | { readonly kind: 'level'; readonly level: QuorumLevel }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'not-supported' };

/** `part` is the parameter at fault; `reason` says what was expected, for a person. */
export type ResolvedQuorum =
  | { readonly kind: 'quorum'; readonly quorum: Quorum }
  | { readonly kind: 'problem'; readonly part: 'total' | 'owners'; readonly reason: string };

const WORDS: readonly QuorumLevel[] = ['one', 'quorum', 'all'];
const RESERVED: readonly string[] = ['local_quorum', 'each_quorum'];

/**
 * Reads a level as it stands in a query string: `one`, `quorum`, `all` or a decimal number without sign or leading zero,
 * from `least` on (0 for pr and pw, 1 for r and w). Strict: a mistyped quorum must never pass unnoticed.
 */
export function parseLevel(text: string, least: 0 | 1): ParsedLevel {
  const word = WORDS.find((known) => known === text);
  if (word !== undefined) return { kind: 'level', level: word };
  if (/^[1-9][0-9]*$/.test(text) || (text === '0' && least === 0)) return { kind: 'level', level: Number(text) };
  return { kind: RESERVED.includes(text) ? 'not-supported' : 'malformed' };
}

/** The level in replicas, 1..n; undefined when it is none of these (above n, or no whole number from 1). */
export function resolveLevel(level: QuorumLevel, n: number): number | undefined {
  if (level === 'one') return 1;
  if (level === 'quorum') return Math.floor(n / 2) + 1;
  if (level === 'all') return n;
  return Number.isInteger(level) && level >= 1 && level <= n ? level : undefined;
}

/**
 * The spec against the N of the epoch that serves the request. Nothing is lowered to fit: a level above N, or more owners
 * than replicas, is a problem.
 */
export function resolveQuorum(spec: QuorumSpec, n: number): ResolvedQuorum {
  const total = resolveLevel(spec.total, n);
  if (total === undefined) return { kind: 'problem', part: 'total', reason: expected(1, n, spec.total) };
  const owners = spec.owners === 0 ? 0 : resolveLevel(spec.owners, n);
  if (owners === undefined) return { kind: 'problem', part: 'owners', reason: expected(0, n, spec.owners) };
  if (owners <= total) return { kind: 'quorum', quorum: { total, owners } };
  return {
    kind: 'problem',
    part: 'owners',
    reason: `expected at most the ${total} replicas that must answer, got ${spec.owners}`,
  };
}

function expected(least: number, n: number, level: QuorumLevel): string {
  return `expected ${least}..${n} (n = ${n}), one, quorum or all, got ${level}`;
}
