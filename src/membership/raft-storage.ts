import { pack, unpack } from 'msgpackr';
import { type LogIndex, logIndex, type Term } from '../core/ids.ts';
import { invariant } from '../core/invariant.ts';
import type { Ready } from '../core/raft/ready.ts';
import type { Entry, HardState, Snapshot, StoredState } from '../core/raft/types.ts';
import type { MetaChange, Sequence, Store } from '../ports.ts';

const HARD_STATE = 'raft/hard';
const SNAPSHOT = 'raft/snapshot';
const ENTRIES = 'raft/entry/';
/** Entries are found in the order of their index: the keys have one length. */
const INDEX_DIGITS = 12;

/** Raft's term, vote, log and snapshot as records of the node's store. Every change is one atomic change of the store (R8). */
export class RaftStorage {
  private readonly store: Store;
  /** The indexes of the stored entries, both ends included; none when `last < first`. */
  private first: LogIndex = logIndex(1);
  private last: LogIndex = logIndex(0);

  constructor(store: Store) {
    this.store = store;
  }

  /** What is stored; undefined for a store that never took part. */
  load(): StoredState | undefined {
    const hardState = this.record<HardState>(HARD_STATE);
    const snapshot = this.record<Snapshot>(SNAPSHOT);
    if (hardState === undefined || snapshot === undefined) return undefined;
    const entries = this.store.metaWithPrefix(ENTRIES).map(({ value }): Entry => unpack(value));
    for (const [i, entry] of entries.entries()) {
      invariant(
        i === 0 || entry.index === (entries[i - 1]?.index ?? 0) + 1,
        `stored entry ${entry.index} follows a gap`,
      );
    }
    this.first = entries[0]?.index ?? logIndex(snapshot.index + 1);
    this.last = entries.at(-1)?.index ?? snapshot.index;
    return { hardState, snapshot, entries };
  }

  /** What a node starts from, before it takes part. */
  create(state: StoredState): Sequence {
    this.first = logIndex(state.snapshot.index + 1);
    this.last = state.snapshot.index;
    return this.store.applyMeta([put(SNAPSHOT, state.snapshot), put(HARD_STATE, storable(state.hardState))]);
  }

  /** What removes all of it. */
  removal(): readonly MetaChange[] {
    const removed = [SNAPSHOT, HARD_STATE].map((key): MetaChange => ({ key, value: undefined }));
    return [...removed, ...this.removeEntries(this.first, this.last)];
  }

  /** What a Ready wants written, in one change. 0 when it wants nothing. */
  save({ snapshot, entries, hardState }: Pick<Ready, 'snapshot' | 'entries' | 'hardState'>): Sequence {
    const changes: MetaChange[] = [];
    if (snapshot !== undefined) {
      changes.push(...this.removeEntries(this.first, this.last), put(SNAPSHOT, snapshot));
      this.first = logIndex(snapshot.index + 1);
      this.last = snapshot.index;
    }
    const from = entries[0]?.index;
    if (from !== undefined) {
      invariant(from <= this.last + 1, 'the log has no gaps');
      const to = logIndex(from + entries.length - 1);
      for (const entry of entries) changes.push(put(entryKey(entry.index), entry));
      changes.push(...this.removeEntries(logIndex(to + 1), this.last));
      this.last = to;
    }
    if (hardState !== undefined) changes.push(put(HARD_STATE, storable(hardState)));
    return changes.length === 0 ? 0 : this.store.applyMeta(changes);
  }

  /** A snapshot made here, and the entries before `firstKept` no longer. */
  compact(snapshot: Snapshot, firstKept: LogIndex): Sequence {
    const removed = this.removeEntries(this.first, logIndex(firstKept - 1));
    this.first = logIndex(Math.max(this.first, firstKept));
    return this.store.applyMeta([put(SNAPSHOT, snapshot), ...removed]);
  }

  private removeEntries(from: LogIndex, to: LogIndex): MetaChange[] {
    const changes: MetaChange[] = [];
    for (let index: number = from; index <= to; index++) {
      changes.push({ key: entryKey(logIndex(index)), value: undefined });
    }
    return changes;
  }

  private record<T>(key: string): T | undefined {
    const bytes = this.store.meta(key);
    return bytes === undefined ? undefined : (unpack(bytes) as T);
  }
}

function put(key: string, value: unknown): MetaChange {
  return { key, value: pack(value) };
}

function entryKey(index: LogIndex): string {
  return `${ENTRIES}${String(index).padStart(INDEX_DIGITS, '0')}`;
}

/** Without a vote the field is left out rather than stored as a value of its own. */
function storable({ term, vote, commit }: HardState): { term: Term; vote?: HardState['vote']; commit: LogIndex } {
  return vote === undefined ? { term, commit } : { term, vote, commit };
}
