import type { TargetInfo } from '../bench-report.ts';
import { html, type Markup } from './html.ts';

/** How the marks of one target look everywhere: a colour (by class, so that it suits light, dark and paper) and a shape, for those who see no colours. */
export interface Look {
  readonly slot: number;
}

/** Hues after Okabe and Ito, "Color Universal Design"; darkened until words in them can be read. */
const PREFERRED: Readonly<Record<string, number>> = { quorate: 0, etcd: 1, consul: 2, redis: 3, memory: 7 };
const SPARE = [4, 5, 6, 3, 2, 1];
const SLOTS = 8;
const SHAPES = 4;

/** The same store has the same colour in every report, as long as there is one target of it. */
export function looksOf(targets: readonly Pick<TargetInfo, 'name' | 'store'>[]): ReadonlyMap<string, Look> {
  const stores = new Set(targets.map(({ store }) => store));
  const reserved = new Set([...stores].map((store) => PREFERRED[store]));
  const spare = SPARE.filter((slot) => !reserved.has(slot));
  const taken = new Set<number>();
  const looks = new Map<string, Look>();
  for (const { name, store } of targets) {
    const preferred = PREFERRED[store];
    const slot = preferred === undefined || taken.has(preferred) ? (spare.shift() ?? SPARE[0] ?? 0) : preferred;
    taken.add(slot);
    looks.set(name, { slot });
  }
  return looks;
}

/** A point, of the shape of its look. */
export function marker({ slot }: Look, x: number, y: number, title: string, radius = 4): Markup {
  return html`<path class="mark s${slot}" d="${shape(slot % SHAPES, x, y, radius)}"><title>${title}</title></path>`;
}

export function hatchId({ slot }: Look): string {
  return `hatch${slot}`;
}

/** Once in a page, for all drawings in it. */
export function hatches(): Markup {
  const patterns = Array.from(
    { length: SLOTS },
    (_, slot) =>
      html`<pattern id="${hatchId({ slot })}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="bar s${slot}" width="7" height="7" opacity="0.15"/><rect class="bar s${slot}" width="2.6" height="7"/></pattern>`,
  );
  return html`<svg class="defs" width="0" height="0" aria-hidden="true"><defs>${patterns}</defs></svg>`;
}

/** Circle, square, triangle and diamond, of about the same area. */
function shape(kind: number, x: number, y: number, r: number): string {
  const at = (dx: number, dy: number): string => `${(x + dx * r).toFixed(1)} ${(y + dy * r).toFixed(1)}`;
  if (kind === 0) return `M${at(-1, 0)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  if (kind === 1) return `M${at(-0.9, -0.9)}L${at(0.9, -0.9)}L${at(0.9, 0.9)}L${at(-0.9, 0.9)}z`;
  if (kind === 2) return `M${at(0, -1.2)}L${at(1.15, 0.85)}L${at(-1.15, 0.85)}z`;
  return `M${at(0, -1.3)}L${at(1.3, 0)}L${at(0, 1.3)}L${at(-1.3, 0)}z`;
}
