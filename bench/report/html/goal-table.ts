import type { Goal } from '../bench-report.ts';
import { goalCount, verdictOf } from '../goal-words.ts';
import type { Context } from './context.ts';
import { chapter, table } from './figure.ts';
import { html, type Markup } from './html.ts';

const CLASSES = { met: 'yes', 'not met': 'no', 'not measured': 'open' } as const;
const SIGNS = { met: '✓', 'not met': '✗', 'not measured': '–' } as const;

export function goalsChapter({ report: { goals } }: Context): Markup | undefined {
  if (goals.length === 0) return undefined;
  const columns = [
    { title: 'goal', isText: true, cell: ({ goal }: Goal) => goal },
    { title: 'wanted', isText: true, cell: ({ wanted }: Goal) => wanted },
    { title: 'found', isText: true, cell: ({ found }: Goal) => found },
    { title: '', isText: true, cell: verdict },
  ];
  return chapter({
    id: 'goals',
    title: 'Goals',
    lead: `What was aimed at before anything was measured, and what came out: ${goalCount(goals)}.`,
    body: [html`<div class="goals">${table('', columns, goals)}</div>`],
  });
}

function verdict(goal: Goal): Markup {
  const word = verdictOf(goal);
  return html`<span class="verdict ${CLASSES[word]}"><span aria-hidden="true">${SIGNS[word]}</span> ${word}</span>`;
}
