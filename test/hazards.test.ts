/**
 * What went wrong in other systems must not go wrong here. Each line is a hazard, under the letter and number that tests and mutations
 * name it by; at least one of them must. What concerns parts that are not built yet is not in the list.
 */
import { describe, expect, it } from 'vitest';
import { MUTATIONS } from './simulator/mutations/mutations.ts';
import { typescriptFiles } from './tidy/project-files.ts';

const HAZARDS: readonly (readonly [id: string, what: string])[] = [
  ['H1', 'a replica that lost data, or runs on an older copy, writes under names it has used before'],
  ['H2', 'siblings pile up'],
  ['H3', 'two nodes coordinate one request'],
  ['H4', 'a context from elsewhere, or a damaged one, erases what it may not'],
  ['H5', 'two ways of merging come to different results'],
  ['H9', 'who stands in for an owner counts as one'],
  ['H10', 'a write is said not to have happened, and has'],
  ['H11', 'a value that was read cannot be read again'],
  ['H12', 'a repair overwrites what is newer'],
  ['H13', 'a level that cannot be met is lowered in silence'],
  ['H14', 'an owner that was merely slow is never told'],
  ['H16', 'hints are lost with the process, or never tried again'],
  ['H17', 'a hint goes that was not taken, or was not all of it'],
  ['H18', 'a copy that counts is dropped for its age or its size'],
  ['H19', 'a hint is brought to who owns the partition no more'],
  ['H20', 'a node that is back is overrun by what was kept for it'],
  ['H21', 'one damaged record holds up all others'],
  ['H22', 'a request is served on an outdated view of who owns what'],
  ['H24', 'a member with an empty store is taken for what it was'],
  ['H26', 'two copies lie on one node, or in one zone where there are more'],
  ['H27', 'repairs go on although nothing differs'],
  ['R1', 'a promise is sent before it is on disk'],
  ['R2', 'an entry of an earlier term is committed by counting'],
  ['R3', 'a node that lost its disk votes again'],
  ['R4', 'a node that was cut off unseats a leader that is well'],
  ['R5', 'two changes of who votes are under way at once'],
  ['R6', 'a vote is refused, or given, for anything but the log'],
  ['R7', 'a leader that was removed goes on leading'],
  ['R8', 'a snapshot is installed by halves'],
  ['R9', 'a follower is brought up to date entry by entry'],
  ['R10', 'a command that is sent twice is carried out twice'],
  ['R11', 'a leader that is none any more answers reads'],
  ['R12', 'damage in the log is taken for its end'],
  ['R13', 'proposals and messages under way have no limit'],
  ['C1', 'an exchange goes on with another life of a process'],
  ['C2', 'what is sent in pieces is taken for what it was at one moment'],
  ['C3', 'what is not on disk is told to others'],
  ['C4', 'a comparison leaves out what is not a value'],
  ['C5', 'a context claims the writes in its gaps'],
  ['C6', 'a fallback claims what it has not seen, or keeps a part of what it has'],
  ['C7', 'what is shown is lost in a crash'],
  ['C8', 'a replica that lost data is asked as if it had it'],
  ['C9', 'writers that have ended are never forgotten, or too early'],
  ['C10', 'equal clocks hide that contents differ'],
];

/** As sentences name them: `H3: ...`, or `... (law 1, H3)`. */
const NAMED = /(?:'|\()(?:[^'()]*, )?([HRC]\d+)(?:: |\))/g;

const tests = ['src', 'test'].flatMap(typescriptFiles).filter(({ path }) => path.endsWith('.test.ts'));
const named = new Set([
  ...MUTATIONS.map(({ rule }) => rule),
  ...tests.flatMap(({ text }) => sentencesIn(text).flatMap((line) => Array.from(line.matchAll(NAMED), ([, id]) => id))),
]);

/** The lines that begin a test or a group of them. */
function sentencesIn(text: string): readonly string[] {
  return text.split('\n').filter((line) => /^\s*(?:it|describe)\b/.test(line));
}

describe('a test or a mutation guards against', () => {
  it.each(HAZARDS)('%s: %s', (id) => {
    expect(named).toContain(id);
  });
});

describe('the list of hazards', () => {
  it('has all that tests and mutations name, but for what has no number here', () => {
    const known = new Set([...HAZARDS.map(([id]) => id), ...NOT_LISTED]);
    expect([...named].filter((id) => id !== undefined && !known.has(id))).toEqual([]);
  });
});

/** Invariants, which the simulator's checkers are about; and rules of which only a part is built. */
const NOT_LISTED = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'W', 'liveness'];
