import type { Entry, EntryId, Snapshot } from '../../src/core/raft/types.ts';

/** What a disk (or a machine) holds: everything up to the snapshot, then these entries. */
export interface LogView {
  readonly snapshot: EntryId;
  readonly entries: readonly Entry[];
}

interface CommittedEntry {
  readonly term: number;
  readonly content: string;
  /** The lowest term of a node that has applied it: it was committed in that term at the latest. */
  readonly knownInTerm: number;
}

class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation';
}

/**
 * The promises of Raft (figure 3 of the paper), checked from outside, whatever the schedule. Feed it what happens:
 *
 * 1. Election safety: at most one leader in a term.
 * 2. Log matching: logs that agree on an entry's index and term agree on it and on all before it.
 * 3. Leader completeness: an entry committed in a term is in the logs of the leaders of all later terms.
 * 4. State machine safety: no two nodes apply different entries at one index; each applies them in order, without a gap.
 * 5. Reads: a confirmed read's index covers everything that any node had applied when the read was asked for.
 */
export class RaftSafety {
  private readonly leaders = new Map<number, number>();
  private readonly contents = new Map<string, string>();
  private readonly committed = new Map<number, CommittedEntry>();
  private readonly appliedBy = new Map<number, number>();
  private readonly readsFrom = new Map<string, number>();
  private highest = 0;

  get leadersSeen(): number {
    return this.leaders.size;
  }

  get highestApplied(): number {
    return this.highest;
  }

  /** `node` has become the leader of `term` with this log. */
  leads(node: number, term: number, log: LogView): void {
    const other = this.leaders.get(term);
    if (other === node) return;
    check(other === undefined, `term ${term} has two leaders, ${other} and ${node}`);
    this.leaders.set(term, node);
    const terms = new Map(log.entries.map((entry) => [entry.index as number, entry.term as number]));
    for (const [index, entry] of this.committed) {
      if (entry.knownInTerm >= term || index <= log.snapshot.index) continue;
      check(terms.get(index) === entry.term, `the leader ${node} of term ${term} lacks ${entry.term}/${index}`);
    }
  }

  /** `node` has this log on disk. Every pair (entry, predecessor) is the same wherever it appears: that is log matching. */
  holds(node: number, log: LogView): void {
    let previous: EntryId = log.snapshot;
    for (const entry of log.entries) {
      check(entry.index === previous.index + 1, `the log of ${node} has a gap before ${entry.index}`);
      const link = `${previous.term} ${contentOf(entry)}`;
      const key = `${entry.term}/${entry.index}`;
      const known = this.contents.get(key);
      check(known === undefined || known === link, `the log of ${node} differs at ${key}`);
      this.contents.set(key, link);
      previous = entry;
    }
  }

  /** `node`, in `term`, applies one entry. */
  applies(node: number, term: number, entry: Entry): void {
    const last = this.appliedBy.get(node);
    check(last === undefined || entry.index === last + 1, `${node} applies ${entry.index} after ${last}`);
    const known = this.committed.get(entry.index);
    const content = contentOf(entry);
    const isSame = known === undefined || (known.term === entry.term && known.content === content);
    check(isSame, `${node} applies ${entry.term}/${entry.index} where another applied ${known?.term}/${entry.index}`);
    const knownInTerm = Math.min(term, known?.knownInTerm ?? term);
    this.committed.set(entry.index, { term: entry.term, content, knownInTerm });
    this.appliedUpTo(node, entry.index);
  }

  /** `node` installs a snapshot, or starts anew from one. */
  installs(node: number, snapshot: Pick<Snapshot, 'index' | 'term'>): void {
    const known = this.committed.get(snapshot.index);
    const isSame = known === undefined || known.term === snapshot.term;
    check(isSame, `${node} installs a snapshot at ${snapshot.term}/${snapshot.index}, committed was ${known?.term}`);
    this.appliedUpTo(node, snapshot.index);
  }

  asksToRead(token: string): void {
    this.readsFrom.set(token, this.highest);
  }

  reads(node: number, token: string, index: number): void {
    const from = this.readsFrom.get(token);
    check(from !== undefined, `${node} reads ${token}, which nobody asked for`);
    check(index >= (from ?? 0), `${node} reads ${token} as of ${index}, but ${from} was applied before`);
  }

  private appliedUpTo(node: number, index: number): void {
    this.appliedBy.set(node, index);
    this.highest = Math.max(this.highest, index);
  }
}

function contentOf(entry: Entry): string {
  return Buffer.from(entry.data).toString('latin1');
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new SafetyViolation(what);
}
