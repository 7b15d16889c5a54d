import { type Dot, parseDot } from '../core/causality/dot.ts';
import { parseLevel, type QuorumLevel } from '../core/quorum/quorum-spec.ts';
import { StoreError } from '../errors.ts';
import { badParameter, readQuery } from './query.ts';

/** The parameters of a read; undefined: not given. */
export interface ReadParameters {
  readonly r: QuorumLevel | undefined;
  readonly pr: QuorumLevel | undefined;
  readonly sloppy: boolean;
  readonly dot: Dot | undefined;
  readonly explain: boolean | undefined;
  readonly timeoutMs: number | undefined;
}

/** The parameters of a write; undefined: not given. */
export interface WriteParameters {
  readonly w: QuorumLevel | undefined;
  readonly pw: QuorumLevel | undefined;
  readonly sloppy: boolean;
  readonly returnValue: boolean;
  readonly explain: boolean | undefined;
  readonly timeoutMs: number | undefined;
}

const READ_NAMES = ['r', 'pr', 'sloppy', 'timeout', 'dot', 'explain'];
const DELETE_NAMES = ['w', 'pw', 'sloppy', 'timeout', 'explain'];
const PUT_NAMES = [...DELETE_NAMES, 'ttl', 'returnvalue'];
const TIMEOUT_MS_MAX = 60_000;

/** Errors: `bad-parameter`, `not-supported`. */
export function readParameters(query: string | undefined): ReadParameters {
  const given = readQuery(query, READ_NAMES);
  refuseReserved(given);
  return {
    r: level('r', given.get('r'), 1),
    pr: level('pr', given.get('pr'), 0),
    sloppy: truth('sloppy', given.get('sloppy') ?? 'true'),
    dot: dotOf(given.get('dot')),
    explain: explainOf(given.get('explain')),
    timeoutMs: timeoutOf(given.get('timeout')),
  };
}

/** Errors: `bad-parameter`, `not-supported`. */
export function writeParameters(query: string | undefined, method: 'PUT' | 'POST' | 'DELETE'): WriteParameters {
  const given = readQuery(query, method === 'DELETE' ? DELETE_NAMES : PUT_NAMES);
  refuseReserved(given);
  return {
    w: level('w', given.get('w'), 1),
    pw: level('pw', given.get('pw'), 0),
    sloppy: truth('sloppy', given.get('sloppy') ?? 'true'),
    returnValue: truth('returnvalue', given.get('returnvalue') ?? 'false'),
    explain: explainOf(given.get('explain')),
    timeoutMs: timeoutOf(given.get('timeout')),
  };
}

/** The one parameter that changes of buckets and settings take. */
export function changeTimeoutMs(query: string | undefined): number | undefined {
  return timeoutOf(readQuery(query, ['timeout']).get('timeout'));
}

function refuseReserved(given: ReadonlyMap<string, string>): void {
  if (given.has('ttl')) throw notSupported('ttl', 'ttl');
}

function level(name: string, text: string | undefined, least: 0 | 1): QuorumLevel | undefined {
  if (text === undefined) return undefined;
  const parsed = parseLevel(text, least);
  if (parsed.kind === 'level') return parsed.level;
  if (parsed.kind === 'not-supported') throw notSupported(name, `${name}=${text}`);
  throw badParameter(name, `is ${least}..N, one, quorum or all`);
}

function dotOf(text: string | undefined): Dot | undefined {
  if (text === undefined) return undefined;
  const dot = parseDot(text);
  if (dot === undefined) throw badParameter('dot', 'is no dot of a 300 answer');
  return dot;
}

function explainOf(text: string | undefined): true | undefined {
  if (text === undefined || text === 'true') return text && true;
  throw badParameter('explain', 'is true');
}

function truth(name: string, text: string): boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw badParameter(name, 'is true or false');
}

function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit] = /^([1-9][0-9]{0,4})(ms|s)$/.exec(text) ?? [];
  const timeoutMs = Number(digits) * (unit === 's' ? 1000 : 1);
  if (digits === undefined || timeoutMs > TIMEOUT_MS_MAX) throw badParameter('timeout', 'is 1ms..60s');
  return timeoutMs;
}

function notSupported(field: string, what: string): StoreError {
  return new StoreError('not-supported', `${what} is not supported yet`, { field });
}
