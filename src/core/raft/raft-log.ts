import { type LogIndex, logIndex, type Term, term } from '../ids.ts';
import { invariant } from '../invariant.ts';
import type { Configuration, Entry, EntryId, Snapshot, StoredState } from './types.ts';

/** What an entry costs besides its data when the bytes of a message are counted. */
const ENTRY_OVERHEAD_BYTES = 16;

/**
 * The log in memory: the entries after `start`, and how far they are committed, on disk and applied.
 *
 *     start < first ... <= persisted <= last      start and before: compacted, only the term of `start` is known
 *     applied <= handedToApply <= committed <= last
 *
 * 1. `committed` never decreases, and nothing at or before it is ever replaced.
 * 2. `persisted` covers only entries that were handed out to be written and not replaced since.
 * 3. The snapshot covers everything up to `start`, and nothing that is not committed.
 */
export class RaftLog {
  private start: EntryId;
  private entries: Entry[];
  private latestSnapshot: Snapshot;
  private unsavedSnapshot: Snapshot | undefined;
  private committedIndex: LogIndex;
  private persistedIndex: LogIndex;
  private handedToPersist: LogIndex;
  private handedToApply: LogIndex;
  private applyingIndex: LogIndex;
  private appliedIndex: LogIndex;
  private openBytes: number;

  constructor(stored: StoredState) {
    const { snapshot, hardState } = stored;
    this.start = { index: snapshot.index, term: snapshot.term };
    this.latestSnapshot = snapshot;
    this.entries = stored.entries.filter((entry) => entry.index > snapshot.index);
    this.committedIndex = logIndex(Math.max(hardState.commit, snapshot.index));
    this.persistedIndex = this.lastIndex;
    this.handedToPersist = this.lastIndex;
    this.handedToApply = snapshot.index;
    this.applyingIndex = snapshot.index;
    this.appliedIndex = snapshot.index;
    this.openBytes = 0;
    invariant(this.committedIndex <= this.lastIndex, 'the stored log reaches the stored commit index');
    assertContiguous(this.start, this.entries);
    this.openBytes = sizeOf(this.between(this.committedIndex, this.lastIndex));
  }

  /** The first entry that is still here, if there is one. */
  get firstIndex(): LogIndex {
    return logIndex(this.start.index + 1);
  }

  get lastIndex(): LogIndex {
    return logIndex(this.start.index + this.entries.length);
  }

  get lastTerm(): Term {
    return this.entries.at(-1)?.term ?? this.start.term;
  }

  get committed(): LogIndex {
    return this.committedIndex;
  }

  /** Up to here the log is on disk. */
  get persisted(): LogIndex {
    return this.persistedIndex;
  }

  get applied(): LogIndex {
    return this.appliedIndex;
  }

  /** Bytes of data above the commit index, inherited entries included (R13). */
  get uncommittedBytes(): number {
    return this.openBytes;
  }

  get snapshot(): Snapshot {
    return this.latestSnapshot;
  }

  /** A snapshot was received that the disk does not hold yet. */
  get hasUnsavedSnapshot(): boolean {
    return this.unsavedSnapshot !== undefined;
  }

  /** Committed or not. */
  get unapplied(): readonly Entry[] {
    return this.between(this.appliedIndex, this.lastIndex);
  }

  /** The term of the entry at `index`; undefined when it is compacted or not there yet. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.start.index) return this.start.term;
    return this.entries[index - this.firstIndex]?.term;
  }

  /** As many entries from `from` on as fit into `bytesMax`, but at least one if there is one. */
  entriesFrom(from: LogIndex, bytesMax: number): readonly Entry[] {
    invariant(from >= this.firstIndex, 'only entries that were not compacted are read');
    let end = from - this.firstIndex;
    for (let bytes = 0; end < this.entries.length; end++) {
      bytes += (this.entries[end]?.data.length ?? 0) + ENTRY_OVERHEAD_BYTES;
      if (bytes > bytesMax && end > from - this.firstIndex) break;
    }
    return this.entries.slice(from - this.firstIndex, end);
  }

  /** Whether a log that ends with `last` is at least as up to date as this one (Raft 5.4.1). */
  isCoveredBy(last: EntryId): boolean {
    return last.term > this.lastTerm || (last.term === this.lastTerm && last.index >= this.lastIndex);
  }

  /** Adds the leader's own new entry. */
  appendOwn(entryTerm: Term, data: Uint8Array): LogIndex {
    invariant(entryTerm >= this.lastTerm, 'terms in a log never decrease');
    const index = logIndex(this.lastIndex + 1);
    this.entries.push({ index, term: entryTerm, data });
    this.openBytes += data.length;
    return index;
  }

  /**
   * Adds what follows `previous` in the leader's log, replacing what disagrees with it (Raft 5.3).
   * Returns the last index at which both logs now agree for certain; undefined when this log has no such `previous`.
   * Entries beyond that are left alone: an old message must not cut off what a newer one brought.
   */
  appendAfter(previous: EntryId, entries: readonly Entry[]): LogIndex | undefined {
    if (this.termAt(previous.index) !== previous.term) return undefined;
    assertContiguous(previous, entries);
    const isNew = (entry: Entry): boolean => this.termAt(entry.index) !== entry.term;
    const firstNew = entries.findIndex(isNew);
    if (firstNew >= 0) this.replaceFrom(entries.slice(firstNew));
    return logIndex(previous.index + entries.length);
  }

  /**
   * The last entry at or before `index` whose term is at most `atMost`: where a log that has `atMost` at `index` can agree
   * with this one at the latest (R9). Term 0 stands for "compacted, so unknown".
   */
  lastWithTermAtMost(index: LogIndex, atMost: Term): EntryId {
    for (let at = index; at > 0; at = logIndex(at - 1)) {
      const found = this.termAt(at);
      if (found === undefined) return { index: at, term: term(0) };
      if (found <= atMost) return { index: at, term: found };
    }
    return { index: logIndex(0), term: term(0) };
  }

  /** Everything up to `index` is committed. Going back is not an error: news may be old. */
  commitTo(index: LogIndex): void {
    if (index <= this.committedIndex) return;
    invariant(index <= this.lastIndex, 'only what is in the log is committed');
    this.openBytes -= sizeOf(this.between(this.committedIndex, index));
    this.committedIndex = index;
    invariant(this.openBytes >= 0, 'no more bytes are committed than were appended');
  }

  /**
   * Puts a received snapshot in place of the whole log. It counts as persisted from now on, before it is: all that relies
   * on that is a leader's own acknowledgement, and nobody is elected before this snapshot is on disk (its vote leaves later).
   */
  restore(snapshot: Snapshot): void {
    invariant(snapshot.index > this.committedIndex, 'a snapshot replaces the log only when it is ahead of it');
    this.start = { index: snapshot.index, term: snapshot.term };
    this.entries = [];
    this.openBytes = 0;
    this.latestSnapshot = snapshot;
    this.unsavedSnapshot = snapshot;
    this.committedIndex = snapshot.index;
    this.persistedIndex = snapshot.index;
    this.handedToPersist = snapshot.index;
    this.handedToApply = snapshot.index;
  }

  /**
   * Makes the state machine's `data` at `index` the snapshot, and forgets the entries up to `index` but for the last
   * `keepEntries`, which spare a follower that is only a little behind the whole snapshot.
   * Returns undefined, and changes nothing, when there already is a snapshot as new as that.
   */
  compact(index: LogIndex, configuration: Configuration, data: Uint8Array, keepEntries: number): Snapshot | undefined {
    invariant(index <= this.appliedIndex, 'only what was applied is compacted');
    const snapshotTerm = this.termAt(index);
    if (index <= this.latestSnapshot.index || snapshotTerm === undefined) return undefined;
    this.latestSnapshot = { index, term: snapshotTerm, configuration, data };
    this.forgetUpTo(logIndex(Math.max(index - keepEntries, this.start.index)));
    return this.latestSnapshot;
  }

  /** Whether {@link handOut} has anything to give. */
  get hasWork(): boolean {
    return (
      this.unsavedSnapshot !== undefined ||
      this.persistedIndex < this.lastIndex ||
      this.handedToApply < this.committedIndex
    );
  }

  /** Gives out, once, what is to be written and then what is to be applied. */
  handOut(): { snapshot: Snapshot | undefined; unpersisted: readonly Entry[]; committed: readonly Entry[] } {
    const snapshot = this.unsavedSnapshot;
    const unpersisted = this.between(this.persistedIndex, this.lastIndex);
    const committed = this.between(this.handedToApply, this.committedIndex);
    this.unsavedSnapshot = undefined;
    this.handedToPersist = this.lastIndex;
    this.handedToApply = this.committedIndex;
    this.applyingIndex = this.committedIndex;
    return { snapshot, unpersisted, committed };
  }

  /** What was handed out last is on disk, but for entries replaced since, and what it committed counts as applied. */
  handedOutIsDone(): void {
    this.persistedIndex = this.handedToPersist;
    this.appliedIndex = this.applyingIndex;
    invariant(this.appliedIndex <= this.committedIndex, 'only what is committed is applied');
  }

  private replaceFrom(entries: readonly Entry[]): void {
    const from = entries[0]?.index ?? this.lastIndex;
    invariant(from > this.committedIndex, 'a committed entry is never replaced');
    const keptLast = logIndex(from - 1);
    this.openBytes += sizeOf(entries) - sizeOf(this.between(keptLast, this.lastIndex));
    this.entries.length = from - this.firstIndex;
    for (const entry of entries) this.entries.push(entry);
    // What was handed out from here on will reach the disk, but it is no longer what the log says.
    this.handedToPersist = logIndex(Math.min(this.handedToPersist, keptLast));
    this.persistedIndex = logIndex(Math.min(this.persistedIndex, keptLast));
  }

  private forgetUpTo(index: LogIndex): void {
    const newTerm = this.termAt(index);
    invariant(newTerm !== undefined && index <= this.persistedIndex, 'only what is on disk is compacted');
    this.entries = this.entries.slice(index - this.start.index);
    this.start = { index, term: newTerm };
  }

  /** Entries in (after, upTo]. */
  private between(after: LogIndex, upTo: LogIndex): readonly Entry[] {
    return after < upTo ? this.entries.slice(after - this.start.index, upTo - this.start.index) : [];
  }
}

function assertContiguous(previous: EntryId, entries: readonly Entry[]): void {
  let last = previous;
  for (const entry of entries) {
    invariant(entry.index === last.index + 1 && entry.term >= last.term, 'entries follow each other without a gap');
    last = entry;
  }
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce((bytes, entry) => bytes + entry.data.length, 0);
}
