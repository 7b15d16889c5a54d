import { type Dot, parseDot } from '../core/causality/dot.ts';
import { parseLevel, type QuorumLevel } from '../core/quorum/quorum-spec.ts';
import { StoreError } from '../errors.ts';
import { badParameter, readQuery } from './query.ts';

/** The parameters of a read that were given. */
export interface ReadParameters {
  readonly r?: QuorumLevel;
  readonly pr?: QuorumLevel;
  readonly dot?: Dot;
  readonly timeoutMs?: number;
}

/** The parameters of a write that were given. */
export interface WriteParameters {
  readonly w?: QuorumLevel;
  readonly pw?: QuorumLevel;
  readonly returnValue?: boolean;
  readonly timeoutMs?: number;
}

const READ_NAMES = ['r', 'pr', 'sloppy', 'timeout', 'dot', 'explain'];
const DELETE_NAMES = ['w', 'pw', 'sloppy', 'timeout', 'explain'];
const PUT_NAMES = [...DELETE_NAMES, 'ttl', 'returnvalue'];
const NONE = {};
const TIMEOUT_MS_MAX = 60_000;

/** Errors: `bad-parameter`, `not-supported`. */
export function readParameters(query: string | undefined): ReadParameters {
  if (query === undefined) return NONE;
  const given = readQuery(query, READ_NAMES);
  refuseReserved(given);
  const [r, pr, dot] = [given.get('r'), given.get('pr'), given.get('dot')];
  return {
    ...(r !== undefined && { r: level('r', r, 1) }),
    ...(pr !== undefined && { pr: level('pr', pr, 0) }),
    ...(dot !== undefined && { dot: dotOf(dot) }),
    ...timeoutOf(given),
  };
}

/** Errors: `bad-parameter`, `not-supported`. */
export function writeParameters(query: string | undefined, method: 'PUT' | 'POST' | 'DELETE'): WriteParameters {
  if (query === undefined) return NONE;
  const given = readQuery(query, method === 'DELETE' ? DELETE_NAMES : PUT_NAMES);
  refuseReserved(given);
  const [w, pw, returnValue] = [given.get('w'), given.get('pw'), given.get('returnvalue')];
  return {
    ...(w !== undefined && { w: level('w', w, 1) }),
    ...(pw !== undefined && { pw: level('pw', pw, 0) }),
    ...(returnValue !== undefined && { returnValue: truth('returnvalue', returnValue) }),
    ...timeoutOf(given),
  };
}

/** The one parameter that changes of buckets and settings take. */
export function changeTimeoutMs(query: string | undefined): number | undefined {
  return timeoutOf(readQuery(query, ['timeout'])).timeoutMs;
}

function refuseReserved(given: ReadonlyMap<string, string>): void {
  const sloppy = given.get('sloppy');
  if (sloppy !== undefined && truth('sloppy', sloppy)) throw notSupported('sloppy', 'sloppy=true');
  const explain = given.get('explain');
  if (explain !== undefined) throw notSupported('explain', 'explain');
  if (given.has('ttl')) throw notSupported('ttl', 'ttl');
}

function level(name: string, text: string, least: 0 | 1): QuorumLevel {
  const parsed = parseLevel(text, least);
  if (parsed.kind === 'level') return parsed.level;
  if (parsed.kind === 'not-supported') throw notSupported(name, `${name}=${text}`);
  throw badParameter(name, `is ${least}..N, one, quorum or all`);
}

function dotOf(text: string): Dot {
  const dot = parseDot(text);
  if (dot === undefined) throw badParameter('dot', 'is no dot of a 300 answer');
  return dot;
}

function truth(name: string, text: string): boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw badParameter(name, 'is true or false');
}

function timeoutOf(given: ReadonlyMap<string, string>): { readonly timeoutMs?: number } {
  const text = given.get('timeout');
  if (text === undefined) return NONE;
  const [, digits, unit] = /^([1-9][0-9]{0,4})(ms|s)$/.exec(text) ?? [];
  const timeoutMs = Number(digits) * (unit === 's' ? 1000 : 1);
  if (digits === undefined || timeoutMs > TIMEOUT_MS_MAX) throw badParameter('timeout', 'is 1ms..60s');
  return { timeoutMs };
}

function notSupported(field: string, what: string): StoreError {
  return new StoreError('not-supported', `${what} is not supported yet`, { field });
}
