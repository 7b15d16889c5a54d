import type { Series } from '../bench-report.ts';
import { seriesColumns, sharedSettings } from '../series-columns.ts';
import { plural } from '../units.ts';
import { details, table } from './figure.ts';
import type { Markup } from './html.ts';

/** What a chart shows, and what it does not, in figures. */
export function seriesTable(series: readonly Series[]): Markup {
  const caption = `${sharedSettings(series)}. Medians of the repetitions; min–max over them; errors of all of them together.`;
  return details(`Figures of ${plural(series.length, 'measurement')}`, table(caption, seriesColumns(series), series));
}
