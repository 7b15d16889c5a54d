import { formatSetting, type NumberSetting } from '../../src/config/settings.ts';
import type { Finding } from './source-text.ts';

/** Those of `names` that no inline code of the document says: `` `name` ``, also followed by a value (`name=1`, `Name: value`). */
export function undocumented(document: string, kind: string, names: readonly string[]): Finding[] {
  const spans = [...document.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? '');
  return names
    .filter(
      (name) =>
        !spans.some((span) => span === name || (span.startsWith(name) && /^[=: ]/.test(span.slice(name.length)))),
    )
    .map((name) => `README.md: ${kind} \`${name}\` is not described`);
}

/** Header names that the HTTP edge spells out in strings: `Quorate-...` and the others of the contract. */
export function headersIn(text: string): readonly string[] {
  const names = [
    ...text.matchAll(/['"`](Quorate-[A-Za-z-]*[A-Za-z]|Causal-Context|Idempotency-Key|Server-Timing)(?![\w-])/g),
  ];
  return names.map(([, name]) => name ?? '');
}

/** Settings whose table row (path, default, meaning) is missing or names another default. */
export function wrongDefaults(
  document: string,
  section: string,
  settings: Readonly<Record<string, NumberSetting>>,
): Finding[] {
  return Object.entries(settings)
    .map(([key, { unit, fallback }]) => `| \`${section}.${key}\` | \`${formatSetting(unit, fallback)}\` | `)
    .filter((row) => !document.includes(`\n${row}`))
    .map((row) => `README.md: no row that begins with ${row}`);
}
