import type { Totals } from './totals.ts';

/** From so many runs on, chance is no excuse. */
export const REQUIRED_FROM_RUNS = 2000;

/** What a long run must have met: a state that it never reaches is a state about which it proves nothing. */
export const REQUIRED_STATES: readonly string[] = [
  'answer: read',
  'answer: written',
  'siblings were read',
  'a read was hedged',
  'a write replaced several siblings',
  "a write's outcome: unknown",
  "a write's outcome: not_applied",
  'read refused: deadline-exceeded',
  'read refused: quorum-impossible',
  'write refused: quorum-impossible',
  'write refused: quorum-not-met',
  'write refused: sibling-limit',
  'write refused: bad-context',
  'asked a node that is down',
  'a forwarded write was delivered',
  'a forwarded write was repeated',
  'a forwarded write was late',
  'a forwarded write was lost',
  'message cut',
  'message lost',
  'message late',
  'message repeated',
  'message corrupted',
  'crash: process ended',
  'crash: power cut',
  'a power cut came during a write',
  'log: dropped the torn tail of the log: it had never been flushed',
  'a paused node came back suspected',
  'the metadata group changed its leader',
  'log: no grant to coordinate writes yet',
  'log: metadata snapshot installed',
  'one sibling was read',
  'one sibling was read: gone',
  'a write returned what is there',
  'a fallback counted for a write',
  'a fallback counted for a read',
  'a fallback coordinated a write',
  'a write was acknowledged by fallbacks alone',
  'log: hints delivered',
  'a disk was full',
  'a disk read failed',
  'died of its disk',
  'log: storage failed',
  'a folder was emptied',
  'an older folder was put back',
  'fault: outage',
  'a lost folder was refused',
  'a loss was left out',
];

/** The required states that a run which is long enough never reached. */
export function missingStates({ runs, tally }: Pick<Totals, 'runs' | 'tally'>): readonly string[] {
  return runs < REQUIRED_FROM_RUNS ? [] : REQUIRED_STATES.filter((what) => tally.count(what) === 0);
}
