/** Option values read strictly: a mistyped quorum or time must never pass unnoticed. Errors: commander's, which end with code 2. */
import { InvalidArgumentError } from 'commander';
import { formatDuration, parseDurationMs } from '../config/units.ts';
import { parseLevel, type QuorumLevel } from '../core/quorum/quorum-spec.ts';

const TIMEOUT_MS_MAX = 60_000;

export function levelFrom(least: 0 | 1): (text: string) => QuorumLevel {
  return (text) => {
    const parsed = parseLevel(text, least);
    if (parsed.kind === 'level') return parsed.level;
    if (parsed.kind === 'not-supported') throw new InvalidArgumentError(`${text} is not supported yet.`);
    throw new InvalidArgumentError(`Expected a number from ${least}, one, quorum or all.`);
  };
}

export function timeoutMs(text: string): number {
  const value = parseDurationMs(text);
  if (value !== undefined && value >= 1 && value <= TIMEOUT_MS_MAX) return value;
  throw new InvalidArgumentError(`Expected 1ms..${formatDuration(TIMEOUT_MS_MAX)}, such as 250ms or 2s.`);
}

export function trueOrFalse(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('Expected true or false.');
}

/** Collects `--meta NAME=VALUE`, given any number of times. */
export function metaEntry(
  text: string,
  earlier: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z0-9-]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...earlier, [name.toLowerCase()]: value };
}
