/** Text that is already markup: made by {@link html} alone, so that nothing from outside gets into a page unescaped. */
export interface Markup {
  readonly kind: 'markup';
  readonly text: string;
}

/** Strings are escaped, numbers are coordinates with two decimals, undefined is nothing. */
export type Part = Markup | string | number | undefined | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Attributes are to be quoted in the template. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const text = literals.map((literal, i) => `${literal}${rendered(parts[i])}`).join('');
  return { kind: 'markup', text };
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

function rendered(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string') return escaped(part);
  if (typeof part === 'number') return String(Math.round(part * 100) / 100);
  return 'kind' in part ? part.text : part.map(rendered).join('');
}
