import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, entriesOf, stored, voters } from '../../../test/raft/raft-network.ts';
import { logIndex, term } from '../ids.ts';
import { InvariantViolation } from '../invariant.ts';
import { RaftLog } from './raft-log.ts';
import type { Entry } from './types.ts';

const ME = voters(1, 2, 3);
const logOf = (terms: readonly number[], commit = 10): RaftLog => new RaftLog(stored(ME, { terms, commit }));
const at = (index: number, entryTerm: number) => ({ index: logIndex(index), term: term(entryTerm) });
const entriesIn = (log: RaftLog): readonly Entry[] => log.entriesFrom(log.firstIndex, Number.POSITIVE_INFINITY);
const termsIn = (log: RaftLog): readonly number[] => entriesIn(log).map((entry) => entry.term);
const ascending = fc
  .array(fc.integer({ min: 1, max: 5 }), { maxLength: 8 })
  .map((terms) => terms.sort((a, b) => a - b));

/** Writes out and applies all there is. */
function settle(log: RaftLog): RaftLog {
  log.handOut();
  log.handedOutIsDone();
  return log;
}

describe('appending', () => {
  it('makes the log agree with the leader\u2019s up to the last entry sent, and keeps what already agreed', () => {
    fc.assert(
      fc.property(ascending, ascending, fc.nat(8), (mine, leaders, cut) => {
        const log = logOf(mine);
        const previousTerms = leaders.slice(0, cut);
        const previous = at(10 + previousTerms.length, previousTerms.at(-1) ?? 1);
        const sent = entriesOf(previous.index + 1, leaders.slice(previousTerms.length));
        const before = entriesIn(log);
        const agreed = log.appendAfter(previous, sent);
        if (agreed === undefined) {
          expect(entriesIn(log)).toEqual(before);
        } else {
          expect(agreed).toBe(10 + Math.max(leaders.length, previousTerms.length));
          expect(entriesIn(log).slice(previousTerms.length, leaders.length)).toEqual(sent);
          const isExtended = sent.every((entry) => before[entry.index - 11]?.term === entry.term);
          if (isExtended) expect(entriesIn(log)).toEqual(before);
          else expect(log.lastIndex).toBe(agreed);
        }
      }),
    );
  });

  it('of old entries cuts nothing off', () => {
    const log = logOf([1, 1, 1]);
    expect(log.appendAfter(at(10, 1), entriesOf(11, [1]))).toBe(11);
    expect(termsIn(log)).toEqual([1, 1, 1]);
  });

  it('never replaces what is committed', () => {
    expect(() => logOf([1, 1], 12).appendAfter(at(10, 1), entriesOf(11, [2]))).toThrow(InvariantViolation);
  });

  it('takes what replaced written entries as not written', () => {
    const log = settle(logOf([1, 1, 1]));
    expect(log.persisted).toBe(13);
    log.appendAfter(at(11, 1), entriesOf(12, [2]));
    expect(log.persisted).toBe(11);
    expect(log.handOut().unpersisted).toEqual(entriesOf(12, [2]));
  });

  it('during a flush leaves of the flushed entries only those not replaced meanwhile', () => {
    const log = logOf([]);
    log.appendAfter(at(10, 1), entriesOf(11, [1, 1, 1]));
    log.handOut();
    log.appendAfter(at(11, 1), entriesOf(12, [2, 2, 2]));
    // Back to what is being flushed: it may have to be written over once more, but is never taken for written too early.
    log.appendAfter(at(11, 1), entriesOf(12, [1]));
    log.handedOutIsDone();
    expect(log.persisted).toBe(11);
    expect(log.handOut().unpersisted).toEqual(entriesOf(12, [1]));
  });
});

describe('committing', () => {
  it('never goes back and never beyond the end', () => {
    const log = logOf([1, 1, 1]);
    log.commitTo(logIndex(12));
    log.commitTo(logIndex(11));
    expect(log.committed).toBe(12);
    expect(() => log.commitTo(logIndex(14))).toThrow(InvariantViolation);
  });

  it('gives out each committed entry once, in order', () => {
    const log = logOf([1, 1, 1]);
    log.commitTo(logIndex(11));
    expect(log.handOut().committed).toEqual(entriesOf(11, [1]));
    expect(log.applied).toBe(10);
    log.handedOutIsDone();
    expect(log.applied).toBe(11);
    log.commitTo(logIndex(13));
    expect(log.handOut().committed).toEqual(entriesOf(12, [1, 1]));
  });

  it('keeps the count of uncommitted bytes through appends, replacements and restarts', () => {
    const counted = (log: RaftLog): number => {
      const open = entriesIn(log).filter((entry) => entry.index > log.committed);
      return open.reduce((sum, entry) => sum + entry.data.length, 0);
    };
    fc.assert(
      fc.property(ascending, ascending, fc.nat(8), fc.nat(8), (mine, leaders, first, second) => {
        const log = logOf(mine, 10 + Math.min(first, mine.length));
        expect(log.uncommittedBytes).toBe(counted(log));
        if (log.committed === 10) log.appendAfter(at(10, 1), entriesOf(11, leaders));
        log.appendOwn(term(9), bytes('own'));
        expect(log.uncommittedBytes).toBe(counted(log));
        log.commitTo(logIndex(Math.min(log.lastIndex, 10 + second)));
        expect(log.uncommittedBytes).toBe(counted(log));
      }),
    );
  });
});

describe('the log rule', () => {
  it('prefers the later last term, then the longer log', () => {
    const log = logOf([1, 2]);
    expect([at(12, 2), at(13, 2), at(11, 3)].map((last) => log.isCoveredBy(last))).toEqual([true, true, true]);
    expect([at(11, 2), at(99, 1)].map((last) => log.isCoveredBy(last))).toEqual([false, false]);
  });
});

describe('compacting', () => {
  it('forgets all but the entries to keep, and knows the term at which the log begins', () => {
    const log = settle(logOf([1, 1, 2, 2], 14));
    const snapshot = log.compact(logIndex(13), ME, bytes('state'), 1);
    expect(snapshot).toMatchObject({ index: 13, term: 2, configuration: ME });
    expect([log.firstIndex, log.termAt(logIndex(12)), log.termAt(logIndex(11))]).toEqual([13, 1, undefined]);
    expect(log.compact(logIndex(13), ME, bytes('state'), 0)).toBeUndefined();
    expect(log.compact(logIndex(14), ME, bytes('state'), 0)?.index).toBe(14);
    expect([log.firstIndex, log.lastIndex, log.lastTerm]).toEqual([15, 14, 2]);
  });

  it('goes no further than what is applied', () => {
    expect(() => logOf([1, 1], 12).compact(logIndex(11), ME, bytes('state'), 0)).toThrow(InvariantViolation);
  });
});

describe('a stored log', () => {
  it('that does not reach its commit index, or has a gap, is not accepted', () => {
    expect(() => logOf([1], 12)).toThrow(InvariantViolation);
    const gap = [...entriesOf(11, [1]), ...entriesOf(13, [1])];
    expect(() => new RaftLog({ ...stored(ME), entries: gap })).toThrow(InvariantViolation);
  });

  it('may still hold entries from before its snapshot', () => {
    const log = new RaftLog({ ...stored(ME), entries: entriesOf(8, [1, 1, 1, 1]) });
    expect([log.firstIndex, log.lastIndex]).toEqual([11, 11]);
  });
});
