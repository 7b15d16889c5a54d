import { decodeContainer, EMPTY_CONTAINER, type Sibling } from '../../src/core/causality/container.ts';
import type { Actor, Dot } from '../../src/core/causality/dot.ts';
import { sameDot } from '../../src/core/causality/dot.ts';
import type { DotSet } from '../../src/core/causality/dot-set.ts';
import type { ObjectKey, Partition } from '../../src/core/ids.ts';
import type { Durability, MetaChange, Sequence, Store, StoredObject, StoreStats } from '../../src/ports.ts';

/** A write event as it came into being, at the owner that coordinated it. */
export interface Minted {
  readonly dot: Dot;
  readonly partition: Partition;
  readonly key: ObjectKey;
  /** Undefined for a delete. */
  readonly version: Uint8Array | undefined;
  /** The siblings that it replaced there. */
  readonly replaced: readonly Dot[];
}

export interface StoreObserver {
  minted(event: Minted): void;
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
    const before = siblingsOf(this.inner.read(partition, key));
    const sequence = this.inner.apply(partition, key, object, dots);
    const own = dots.find((dot) => dot.actor === this.actor());
    if (own === undefined) return sequence;
    const after = siblingsOf(object);
    this.observer.minted({
      dot: own,
      partition,
      key,
      version: after.find(({ dot }) => sameDot(dot, own))?.version,
      replaced: before.map(({ dot }) => dot).filter((dot) => !after.some((sibling) => sameDot(sibling.dot, dot))),
    });
    return sequence;
  }

  applyClock(partition: Partition, dots: DotSet): Sequence {
    return this.inner.applyClock(partition, dots);
  }

  scan(partition: Partition, after: ObjectKey | undefined, limit: number): readonly StoredObject[] {
    return this.inner.scan(partition, after, limit);
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

  applyMeta(changes: readonly MetaChange[]): Sequence {
    return this.inner.applyMeta(changes);
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
