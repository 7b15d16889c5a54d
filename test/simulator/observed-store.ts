import { decodeContainer, EMPTY_CONTAINER, merge, type Sibling } from '../../src/core/causality/container.ts';
import type { Actor, Dot } from '../../src/core/causality/dot.ts';
import { sameDot } from '../../src/core/causality/dot.ts';
import type { DotSet } from '../../src/core/causality/dot-set.ts';
import type { ObjectKey, Partition } from '../../src/core/ids.ts';
import { StoreError } from '../../src/errors.ts';
import type { Durability, MetaChange, Sequence, Store, StoredObject, StoreStats } from '../../src/ports.ts';
import { COUNTERS, decodeCounter, decodeHint, HINTS, parseHintKey } from '../../src/replica/hint-record.ts';

/** A write event as it came into being, at the owner that coordinated it. */
export interface Minted {
  readonly dot: Dot;
  readonly partition: Partition;
  readonly key: ObjectKey;
  /** Undefined for a delete. */
  readonly version: Uint8Array | undefined;
  /** The siblings that it replaced there. */
  readonly replaced: readonly Dot[];
  /** Not by an owner. */
  readonly asFallback: boolean;
}

export interface StoreObserver {
  minted(event: Minted): void;
  /** A write was minted over a record that cannot be read. */
  unreadable(error: unknown): void;
}

/** A node's store, watched: tells of every dot that the node mints. */
export class ObservedStore implements Store {
  readonly inner: Store;
  private readonly observer: StoreObserver;
  private readonly actor: () => Actor | undefined;

  constructor(inner: Store, observer: StoreObserver, actor: () => Actor | undefined) {
    this.inner = inner;
    this.observer = observer;
    this.actor = actor;
  }

  get overloaded(): boolean {
    return this.inner.overloaded;
  }

  read(partition: Partition, key: ObjectKey): Uint8Array | undefined {
    return this.inner.read(partition, key);
  }

  unflushed(partition: Partition, key: ObjectKey): Sequence {
    return this.inner.unflushed(partition, key);
  }

  clock(partition: Partition): DotSet {
    return this.inner.clock(partition);
  }

  apply(partition: Partition, key: ObjectKey, object: Uint8Array | undefined, dots: readonly Dot[]): Sequence {
    const own = dots.find((dot) => dot.actor === this.actor());
    if (own === undefined) return this.inner.apply(partition, key, object, dots);
    const before = this.readable(() => siblingsOf(this.inner.read(partition, key)));
    const sequence = this.inner.apply(partition, key, object, dots);
    this.tell(own, partition, key, before, siblingsOf(object), false);
    return sequence;
  }

  /** What is watched must not end because of what is on its disk: that is for the node itself to find. */
  private readable(read: () => readonly Sibling[]): readonly Sibling[] {
    try {
      return read();
    } catch (error) {
      // The disk fails when the plan says so.
      if (error instanceof StoreError) throw error;
      this.observer.unreadable(error);
      return [];
    }
  }

  private tell(
    own: Dot,
    partition: Partition,
    key: ObjectKey,
    before: readonly Sibling[],
    after: readonly Sibling[],
    asFallback: boolean,
  ): void {
    this.observer.minted({
      ...{ dot: own, partition, key, asFallback },
      version: after.find(({ dot }) => sameDot(dot, own))?.version,
      replaced: before.map(({ dot }) => dot).filter((dot) => !after.some((sibling) => sameDot(sibling.dot, dot))),
    });
  }

  applyClock(partition: Partition, dots: DotSet): Sequence {
    return this.inner.applyClock(partition, dots);
  }

  forgetClock(partition: Partition): Sequence {
    return this.inner.forgetClock(partition);
  }

  scan(partition: Partition, after: ObjectKey | undefined, limit: number, bytesMax?: number): readonly StoredObject[] {
    return this.inner.scan(partition, after, limit, bytesMax);
  }

  get lastSequence(): Sequence {
    return this.inner.lastSequence;
  }

  meta(key: string): Uint8Array | undefined {
    return this.inner.meta(key);
  }

  metaWithPrefix(prefix: string): readonly { readonly key: string; readonly value: Uint8Array }[] {
    return this.inner.metaWithPrefix(prefix);
  }

  visitMeta(prefix: string, visit: (key: string, value: Uint8Array | undefined) => void): void {
    this.inner.visitMeta(prefix, visit);
  }

  applyMeta(changes: readonly MetaChange[]): Sequence {
    const minted = this.mintedBy(changes);
    const before = minted === undefined ? [] : this.readable(() => this.keptOf(minted.key));
    const sequence = this.inner.applyMeta(changes);
    if (minted !== undefined) this.tell(minted.dot, minted.partition, minted.key, before, minted.after, true);
    return sequence;
  }

  /** A fallback keeps the counter beside the hint that it mints a dot for, and changes it for nothing else. */
  private mintedBy(changes: readonly MetaChange[]) {
    const hint = changes.find(({ key }) => key.startsWith(HINTS));
    const counter = changes.find(({ key }) => key.startsWith(COUNTERS));
    if (hint?.value === undefined || counter?.value === undefined) return undefined;
    const { partition, writes } = decodeHint(hint.value);
    const { key } = parseHintKey(hint.key);
    return { dot: decodeCounter(counter.value), partition, key, after: writes.container.siblings };
  }

  /** What the node's hints hold of a key, for whomever. */
  private keptOf(key: ObjectKey): readonly Sibling[] {
    const kept = this.inner.metaWithPrefix(HINTS).filter((record) => parseHintKey(record.key).key === key);
    return kept.map(({ value }) => decodeHint(value).writes.container).reduce(merge, EMPTY_CONTAINER).siblings;
  }

  durable(sequence: Sequence, level: Durability): Promise<void> {
    return this.inner.durable(sequence, level);
  }

  stats(): StoreStats {
    return this.inner.stats();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

export function siblingsOf(object: Uint8Array | undefined): readonly Sibling[] {
  return (object === undefined ? EMPTY_CONTAINER : decodeContainer(object)).siblings;
}
