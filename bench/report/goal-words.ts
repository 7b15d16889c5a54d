import type { Goal } from './bench-report.ts';

export type Verdict = 'met' | 'not met' | 'not measured';

export function verdictOf({ isMet }: Goal): Verdict {
  if (isMet === undefined) return 'not measured';
  return isMet ? 'met' : 'not met';
}

/** "12 met, 1 not met, 3 not measured" */
export function goalCount(goals: readonly Goal[]): string {
  const words: readonly Verdict[] = ['met', 'not met', 'not measured'];
  return words
    .map((word) => ({ word, of: goals.filter((goal) => verdictOf(goal) === word).length }))
    .filter(({ of }) => of > 0)
    .map(({ word, of }) => `${of} ${word}`)
    .join(', ');
}
