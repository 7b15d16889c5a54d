import { StoreError } from '../errors.ts';
import { decodeQueryText } from './request-target.ts';

const NOTHING: ReadonlyMap<string, string> = new Map();

/**
 * The query's parameters by name; the values percent-decoded once, or `raw` for a decoder of their own.
 *
 * Errors: `bad-parameter` for one that is repeated, malformed or not among `allowed`.
 */
export function readQuery(
  query: string | undefined,
  allowed: readonly string[],
  values: 'decoded' | 'raw' = 'decoded',
): ReadonlyMap<string, string> {
  if (query === undefined || query === '') return NOTHING;
  const parameters = new Map<string, string>();
  for (const part of query.split('&')) {
    const mark = part.indexOf('=');
    const name = decodeQueryText(mark < 0 ? part : part.slice(0, mark));
    const text = mark < 0 ? undefined : part.slice(mark + 1);
    const value = text === undefined || values === 'raw' ? text : decodeQueryText(text);
    if (name === undefined) throw badParameter(part, 'has a bad percent escape');
    if (!allowed.includes(name)) throw badParameter(name, 'is unknown here');
    if (value === undefined) throw badParameter(name, mark < 0 ? 'has no value' : 'has a bad percent escape');
    if (parameters.has(name)) throw badParameter(name, 'is given twice');
    parameters.set(name, value);
  }
  return parameters;
}

export function badParameter(name: string, reason: string): StoreError {
  return new StoreError('bad-parameter', `the query parameter ${JSON.stringify(name)} ${reason}`, { field: name });
}
