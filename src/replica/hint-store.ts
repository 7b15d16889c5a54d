import { DecodeError } from '../core/bytes.ts';
import { type Container, merge } from '../core/causality/container.ts';
import { type HintedWrites, mergeHinted, sameHinted } from '../core/causality/hinted-writes.ts';
import type { MemberNumber, ObjectKey, Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Clock, Logger, MetaChange, Sequence, Store } from '../ports.ts';
import type { KeyAddress } from '../protocol.ts';
import { DamagedHints } from './damaged-hints.ts';
import {
  decodeHint,
  decodeHintHeader,
  encodeHint,
  HINTS,
  type HintHeader,
  type HintRecord,
  hintKey,
  parseHintKey,
} from './hint-record.ts';

/** What was kept for an owner of one key, and which state of it that is. */
export interface KeptHint extends HintedWrites {
  readonly target: MemberNumber;
  readonly partition: Partition;
  readonly key: ObjectKey;
  /** What it takes, in memory as well. */
  readonly bytes: number;
  /** Changes whenever the hint does; to be durable before the hint leaves this node (C3, C7). 0: it already is. */
  readonly sequence: Sequence;
}

/** `counted`: it stands for an acknowledgement of a write. `surplus`: a courtesy, which may be left out where there is no room. */
export type HintKind = 'counted' | 'surplus';

export interface HintTotals {
  readonly target: MemberNumber;
  readonly count: number;
  readonly bytes: number;
  /** When the oldest was first kept, in ms since 1970. */
  readonly oldestMs: number;
}

interface Entry {
  readonly partition: Partition;
  readonly bornMs: number;
  readonly bytes: number;
  readonly kind: HintKind;
  readonly sequence: Sequence;
}

interface TargetHints {
  bytes: number;
  /** Oldest first. */
  readonly entries: Map<ObjectKey, Entry>;
}

/** What an entry takes in memory beside its key and record, roughly. */
const ENTRY_BYTES = 200;
/** Surplus hints are taken only while less than this share of the room is used: they must not crowd out those that count. */
const SURPLUS_SHARE = 0.5;

/**
 * The hints of this node (Dynamo 4.6): per absent owner and key one merged record, durable in the node's own store.
 *
 * 1. What was added is in the record until {@link HintStore.delivered} names the very state that was delivered; nothing expires.
 * 2. `bytes` never exceeds the limit by an added hint: at the limit a hint is refused, never another one dropped (H18).
 * 3. Per target hints are listed in the order in which they were first kept; after a restart, as the wall clock told it. One that
 *    could not be read for a while comes after those.
 * 4. One whose record cannot be read is set aside, and holds up no other ({@link DamagedHints}, H21). Its bytes stay in the store: this
 *    node shows nothing of its key and takes in nothing more for it, since either would be as if it were not there.
 *
 * In memory are the keys only, so that what hints cost a write is one look-up and one record.
 */
export class HintStore {
  private readonly store: Store;
  private readonly clock: Clock;
  readonly bytesMax: number;
  private readonly targets = new Map<MemberNumber, TargetHints>();
  private isClosed = false;
  readonly damaged: DamagedHints;
  bytes = 0;
  /** Hints that found no room, since the start. */
  refused = 0;
  /** Hints that were delivered and removed, since the start. */
  removed = 0;

  /** Finds what earlier lives of the process have kept. Errors: storage-failed, when the store cannot be read at all. */
  constructor(store: Store, clock: Clock, bytesMax: number, logger: Logger) {
    this.store = store;
    this.clock = clock;
    this.bytesMax = bytesMax;
    this.damaged = new DamagedHints(clock, logger);
    this.load();
  }

  get count(): number {
    let count = 0;
    for (const { entries } of this.targets.values()) count += entries.size;
    return count;
  }

  totals(): readonly HintTotals[] {
    return [...this.targets].map(([target, { entries, bytes }]) => {
      const [oldest] = entries.values();
      return { target, count: entries.size, bytes, oldestMs: oldest?.bornMs ?? 0 };
    });
  }

  /**
   * Keeps the writes for the target, merged with what it has for it; `also` changes in the same step. The sequence must be durable
   * before the hint counts. Undefined: no room, or the node is stopping; nothing was kept.
   * Errors: storage-failed, also when what it has for it cannot be read: it must not be overwritten.
   */
  keep(
    target: MemberNumber,
    { partition, key }: KeyAddress,
    writes: HintedWrites,
    kind: HintKind,
    also: readonly MetaChange[] = [],
  ): Sequence | undefined {
    if (this.isClosed) return undefined;
    const before = this.targets.get(target)?.entries.get(key);
    const held = this.hint(target, key);
    if (this.damaged.has(hintKey(target, key), key)) throw damagedHint();
    const merged = held === undefined ? writes : mergeHinted(held, writes);
    const kept = before?.kind === 'counted' ? before.kind : kind;
    if (before !== undefined && held !== undefined && before.kind === kept && sameHinted(held, merged)) {
      return before.sequence;
    }
    const bornMs = before?.bornMs ?? this.clock.wallMs();
    const value = encodeHint({ partition, bornMs, isCounted: kept === 'counted', writes: merged });
    const bytes = bytesOf(key, value.length);
    if (!this.hasRoom(bytes - (before?.bytes ?? 0), kind)) {
      this.refused++;
      return undefined;
    }
    const sequence = this.store.applyMeta([{ key: hintKey(target, key), value }, ...also]);
    this.index(target, key, { partition, bornMs, bytes, kind: kept, sequence });
    return sequence;
  }

  /** Keeps the writes as a courtesy: not where that would be in the way. */
  keepSurplus(target: MemberNumber, address: KeyAddress, writes: HintedWrites): void {
    try {
      if (this.store.overloaded) this.refused++;
      else this.keep(target, address, writes, 'surplus');
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.refused++;
    }
  }

  /** All that is kept of a key, for whomever, and what must be durable before it is shown. Errors: storage-failed (H1). */
  held(key: ObjectKey): { readonly container: Container; readonly sequence: Sequence } | undefined {
    let container: Container | undefined;
    let sequence: Sequence = 0;
    const kept = this.hintsOf(key);
    if (this.damaged.hasAny(key)) throw damagedHint();
    for (const hint of kept) {
      container = container === undefined ? hint.container : merge(container, hint.container);
      sequence = Math.max(sequence, hint.sequence);
    }
    return container === undefined ? undefined : { container, sequence };
  }

  hintsOf(key: ObjectKey): readonly KeptHint[] {
    return [...this.targets.keys()].flatMap((target) => this.hint(target, key) ?? []);
  }

  /** Undefined: there is none, or it cannot be read and is set aside. */
  hint(target: MemberNumber, key: ObjectKey): KeptHint | undefined {
    const entry = this.targets.get(target)?.entries.get(key);
    if (entry === undefined) return undefined;
    const { partition, bytes, sequence } = entry;
    const name = hintKey(target, key);
    const record = this.readable(name);
    if (!(record instanceof StoreError)) return { target, partition, key, bytes, sequence, ...record.writes };
    this.damaged.note(name, sequence, record);
    this.drop(target, key, entry);
    return undefined;
  }

  /** Looks again at hints that were set aside: the disk may have failed for a moment only. To be called now and then. */
  recheck(): void {
    for (const { name, sequence } of this.damaged.due()) {
      const record = this.readable(name);
      if (record instanceof StoreError) continue;
      this.damaged.mended(name);
      this.indexFound(name, record, record.bytes, sequence);
    }
  }

  /** The keys kept for the target, the oldest first. */
  keysFor(target: MemberNumber): Iterable<ObjectKey> {
    return this.targets.get(target)?.entries.keys() ?? [];
  }

  /** This state of the hint is durable where it belongs. It goes, unless it has changed since (H17). False: it has. */
  delivered({ target, key, sequence }: KeptHint): boolean {
    const hints = this.targets.get(target);
    const entry = hints?.entries.get(key);
    if (this.isClosed || hints === undefined || entry === undefined || entry.sequence !== sequence) return false;
    this.store.applyMeta([{ key: hintKey(target, key), value: undefined }]);
    this.drop(target, key, entry);
    this.removed++;
    return true;
  }

  /** The store is about to be closed: nothing is kept or removed any more. */
  close(): void {
    this.isClosed = true;
  }

  private hasRoom(growth: number, kind: HintKind): boolean {
    const room = kind === 'counted' ? this.bytesMax : this.bytesMax * SURPLUS_SHARE;
    return growth <= 0 || this.bytes + growth <= room;
  }

  /** The record, or why there is none. */
  private readable(name: string): (HintRecord & { readonly bytes: number }) | StoreError {
    try {
      const value = this.store.meta(name);
      if (value === undefined) return new StoreError('storage-failed', 'a hint is gone');
      return { ...decodeHint(value), bytes: value.length };
    } catch (error) {
      if (error instanceof StoreError) return error;
      if (error instanceof DecodeError) return damagedHint(error);
      throw error;
    }
  }

  private index(target: MemberNumber, key: ObjectKey, entry: Entry): void {
    let hints = this.targets.get(target);
    if (hints === undefined) {
      hints = { bytes: 0, entries: new Map() };
      this.targets.set(target, hints);
    }
    const growth = entry.bytes - (hints.entries.get(key)?.bytes ?? 0);
    hints.entries.set(key, entry);
    hints.bytes += growth;
    this.bytes += growth;
  }

  private drop(target: MemberNumber, key: ObjectKey, entry: Entry): void {
    const hints = this.targets.get(target);
    if (hints?.entries.delete(key) !== true) return;
    hints.bytes -= entry.bytes;
    this.bytes -= entry.bytes;
    if (hints.entries.size === 0) this.targets.delete(target);
  }

  private load(): void {
    const found: { readonly name: string; readonly header: HintHeader; readonly bytes: number }[] = [];
    this.store.visitMeta(HINTS, (name, value) => {
      const header = value === undefined ? damagedHint() : headerOf(value);
      if (header instanceof StoreError) this.damaged.note(name, 0, header);
      else found.push({ name, header, bytes: value?.length ?? 0 });
    });
    found.sort((a, b) => a.header.bornMs - b.header.bornMs);
    for (const { name, header, bytes } of found) this.indexFound(name, header, bytes, 0);
  }

  private indexFound(
    name: string,
    { partition, bornMs, isCounted }: HintHeader,
    length: number,
    sequence: Sequence,
  ): void {
    const { target, key } = parseHintKey(name);
    const kind: HintKind = isCounted ? 'counted' : 'surplus';
    this.index(target, key, { partition, bornMs, bytes: bytesOf(key, length), kind, sequence });
  }
}

function bytesOf(key: ObjectKey, length: number): number {
  return ENTRY_BYTES + 2 * key.length + length;
}

function headerOf(value: Uint8Array): HintHeader | StoreError {
  try {
    return decodeHintHeader(value);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return damagedHint(error);
  }
}

function damagedHint(cause?: DecodeError): StoreError {
  return new StoreError('storage-failed', 'a damaged hint', {}, { cause });
}
