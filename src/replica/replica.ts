import {
  type Container,
  EMPTY_CONTAINER,
  encodeContainer,
  fill,
  hasSibling,
  isVoid,
  strip,
} from '../core/causality/container.ts';
import type { Actor, Dot } from '../core/causality/dot.ts';
import { type DotSet, EMPTY_DOTS, hasDot, lastCounter, subtract } from '../core/causality/dot-set.ts';
import { bearingOn, judgedBy } from '../core/causality/exchange.ts';
import { mend } from '../core/causality/mend.ts';
import {
  applyRemote,
  type CoordinatedWrite,
  coordinateWrite,
  type ReplicaUpdate,
} from '../core/causality/replica-update.ts';
import { completed, restored } from '../core/causality/restore.ts';
import { compareKeys, type NodeId, type ObjectKey, type Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Sequence, Store } from '../ports.ts';
import type { KeyAddress, ReplicateRequest } from '../protocol.ts';
import { ContentHashes, type SiblingHash } from './content-hashes.ts';
import { DamagedKeys } from './damaged-keys.ts';
import { DotLog } from './dot-log.ts';
import { firstOf } from './first-of.ts';
import { IncompleteKeys } from './incomplete-keys.ts';
import { checkObjectSize, type ObjectLimits } from './object-limits.ts';
import { Ownership } from './ownership.ts';
import { decodeStored, NO_BYTES } from './stored-object.ts';

/** One key as this replica holds it. Nothing of it may be shown before `sequence` is durable (rule C7): 0 when it already is. */
export interface ReadSnapshot {
  readonly clock: DotSet;
  /** The stripped container's bytes; undefined when there is none. */
  readonly stored: Uint8Array | undefined;
  /** Of late writes to the key that left no sibling. */
  readonly deletions: DotSet;
  readonly sequence: Sequence;
}

type PartitionKey = Pick<KeyAddress, 'partition' | 'key'>;

/** A full comparison with another owner that is under way. Keys up to `passed` have been compared. */
export interface Comparison {
  readonly startClock: DotSet;
  passed: ObjectKey | undefined;
}

export interface ReplicaNeeds {
  readonly self: NodeId;
  readonly store: Store;
  readonly limits: ObjectLimits;
  readonly currentView: () => ClusterView | undefined;
  readonly hashOf: SiblingHash;
  readonly ownActor: () => Actor | undefined;
  readonly forgot: (partition: Partition) => void;
}

/** What an owner does with the partitions it holds: one synchronous step each, from what is stored to what is stored next. */
export class Replica {
  readonly ownership: Ownership;
  private readonly store: Store;
  private readonly limits: ObjectLimits;
  /** What other owners may lack. */
  readonly dotLog = new DotLog();
  private readonly comparisons = new Map<Partition, Comparison>();
  /** Keys that are stored with a context. */
  private readonly residues = new Map<Partition, Set<ObjectKey>>();
  readonly content: ContentHashes;
  /** Out of service until they are mended from the other owners. */
  readonly damaged = new DamagedKeys();
  readonly incomplete = new IncompleteKeys();
  /** Told of a partition in which this process has forgotten a write of its own. */
  private readonly forgot: (partition: Partition) => void;
  /** Under which this process writes at present. */
  private readonly ownActor: () => Actor | undefined;

  constructor({ self, store, limits, currentView, hashOf, ownActor, forgot }: ReplicaNeeds) {
    this.ownership = new Ownership(self, currentView);
    this.store = store;
    this.limits = limits;
    this.content = new ContentHashes(hashOf);
    this.ownActor = ownActor;
    this.forgot = forgot;
  }

  read({ partition, key }: KeyAddress): ReadSnapshot {
    return {
      clock: this.store.clock(partition),
      stored: this.bytesOf({ partition, key }),
      deletions: this.dotLog.deletionsOf(partition, key),
      sequence: this.store.unflushed(partition, key),
    };
  }

  /**
   * Mints a dot for a client's write and stores it.
   * Errors: sibling-limit (nothing was stored), storage-failed (the record is damaged).
   */
  coordinate(
    address: KeyAddress,
    actor: Actor,
    version: Uint8Array | undefined,
    context: DotSet | undefined,
  ): Pick<CoordinatedWrite, 'dot' | 'filled' | 'covered'> & { readonly sequence: Sequence } {
    const clock = this.store.clock(address.partition);
    const before = this.container(address);
    const written = coordinateWrite(before, clock, actor, version, context);
    if (version !== undefined) this.checkSize(written.stored);
    const { dot, filled, covered } = written;
    return { dot, filled, covered, sequence: this.apply(address, before, written) };
  }

  /** Takes in what another replica sent. The returned sequence must be durable before it is acknowledged, also if nothing changed. */
  merge(request: ReplicateRequest): Sequence {
    return this.take(request, this.container(request), request.container, request.dots);
  }

  /**
   * Takes in what another owner holds of a key, as an exchange of clocks brings it: its stored container, its clock at that time, and
   * those dots of the clock that are the key's. Returns what {@link Replica.merge} returns.
   *
   * A full comparison names no dots. So a sibling that is new here is taken in with all that its owner's clock covers: what it overwrote
   * may not be known here, be read from a third owner beside it, or still be on its way here, and nothing else would tell so if the
   * comparison breaks off. With its dot in the clock the sibling is not sent again.
   */
  absorb(address: PartitionKey, theirs: Container, theirClock: DotSet, dots: readonly Dot[]): Sequence {
    const mine = this.container(address);
    this.content.drawsOn(address.partition, theirClock);
    const clock = this.store.clock(address.partition);
    const isNew = dots.length === 0 && theirs.siblings.some(({ dot }) => !hasDot(clock, dot));
    const remote = isNew ? fill(theirs, theirClock) : bearingOn(mine, theirs, theirClock, dots);
    return this.take(address, mine, remote, dots);
  }

  /** The clock takes in that of an owner with which every key has been compared. */
  absorbClock(partition: Partition, clock: DotSet): Sequence {
    const own = this.ownActor();
    if (own !== undefined) this.checkOwnDot(partition, { actor: own, counter: lastCounter(clock, own) });
    const missing = subtract(clock, this.store.clock(partition));
    return missing.length === 0 ? 0 : this.store.applyClock(partition, missing);
  }

  /** A full comparison of the partition begins, with an owner whose clock was `startClock` (rule C2). Ends the one before. */
  beginComparison(partition: Partition, startClock: DotSet): Comparison {
    const comparison: Comparison = { startClock, passed: undefined };
    this.content.drawsOn(partition, startClock);
    this.comparisons.set(partition, comparison);
    return comparison;
  }

  endComparison(partition: Partition, comparison: Comparison): void {
    if (this.comparisons.get(partition) === comparison) this.comparisons.delete(partition);
  }

  /** Stores keys anew whose context the clock has caught up with: looks at `limit` of them, and at others the next time. */
  strip(partition: Partition, limit: number): void {
    const keys = this.residues.get(partition) ?? [];
    const clock = this.store.clock(partition);
    for (const key of firstOf(keys, limit)) {
      // To the end of the set, or out of it: those that cannot be stripped yet, or not be read, must not hold up the others.
      this.residues.get(partition)?.delete(key);
      const stored = this.container({ partition, key });
      const stripped = strip(stored, clock);
      this.noteResidue(partition, key, stripped);
      if (stripped.context !== stored.context)
        this.apply({ partition, key }, stored, { stored: stripped, clock, added: [] });
    }
  }

  /** Keys that are stored with a context, in all partitions. */
  get residueCount(): number {
    let count = 0;
    for (const keys of this.residues.values()) count += keys.size;
    return count;
  }

  /**
   * Told of all that is stored, key by key in order, while the partition's keys are counted; of a damaged record without its bytes.
   * Errors: storage-failed, when it is one.
   */
  found(partition: Partition, key: ObjectKey, object: Uint8Array | undefined): void {
    const stored = this.decode({ partition, key }, object ?? NO_BYTES);
    this.noteResidue(partition, key, stored);
    this.content.counted(partition, key, stored);
  }

  /** The hash of the partition's siblings; undefined while it cannot be compared with another owner's of the same clock. */
  contentHash(partition: Partition): number | undefined {
    return this.incomplete.hasSome(partition) ? undefined : this.content.of(partition, this.store.clock(partition));
  }

  /** Takes in what this copy of a key lacks of another owner's and should not ({@link mend}). False when it lacks nothing. */
  mend(address: PartitionKey, theirs: Container, shared: DotSet): boolean {
    const mine = this.container(address);
    const mended = mend(mine, theirs, shared);
    if (mended === mine) return false;
    this.apply(address, mine, { stored: mended, clock: this.store.clock(address.partition), added: [] });
    return true;
  }

  /** Puts what other owners together hold of a key in the place of a record that cannot be read ({@link restored}). */
  restore(address: PartitionKey, theirs: Container, isAll: boolean): void {
    const clock = this.store.clock(address.partition);
    // What was in it is not known: it cannot be taken out of the hash.
    this.content.forget(address.partition);
    this.apply(address, EMPTY_CONTAINER, restored(clock, theirs, isAll));
    this.damaged.mended(address.partition, address.key);
  }

  /** What the key's record lacks ({@link Container.lacks}). Errors: storage-failed. */
  lackedBy(address: PartitionKey): DotSet {
    return this.container(address).lacks ?? EMPTY_DOTS;
  }

  /** Takes what others hold of a key into a record that lacks something ({@link completed}). */
  complete(address: PartitionKey, theirs: Container, isAll: boolean): void {
    const mine = this.container(address);
    const update = completed(mine, this.store.clock(address.partition), theirs, isAll);
    if (update !== undefined) this.apply(address, mine, update);
  }

  /** Whether the record can be read after all: the disk may have failed for a moment only. */
  isReadable(address: PartitionKey): boolean {
    try {
      this.container(address);
      return true;
    } catch (error) {
      if (error instanceof StoreError) return false;
      throw error;
    }
  }

  private take(address: PartitionKey, mine: Container, remote: Container, dots: readonly Dot[]): Sequence {
    const { partition, key } = address;
    for (const dot of dots) this.checkOwnDot(partition, dot);
    for (const { dot } of remote.siblings) this.checkOwnDot(partition, dot);
    const comparison = this.comparisons.get(partition);
    const judged =
      comparison?.passed !== undefined && compareKeys(key, comparison.passed) <= 0
        ? judgedBy(mine, comparison.startClock, [...dots, ...remote.siblings.map(({ dot }) => dot)])
        : mine;
    const update = applyRemote(judged, this.store.clock(partition), remote, dots);
    return update === undefined ? this.store.unflushed(partition, key) : this.apply(address, mine, update);
  }

  /** A write of this very process above its own counter: it was lost here while running, and its dot would be minted again (H1). */
  private checkOwnDot(partition: Partition, { actor, counter }: Dot): void {
    if (actor !== this.ownActor() || counter <= lastCounter(this.store.clock(partition), actor)) return;
    this.forgot(partition);
  }

  private noteResidue(partition: Partition, key: ObjectKey, stored: Container): void {
    this.incomplete.note(partition, key, stored.lacks !== undefined);
    if (stored.context.length === 0) this.residues.get(partition)?.delete(key);
    else this.residues.set(partition, (this.residues.get(partition) ?? new Set()).add(key));
  }

  private container(address: PartitionKey): Container {
    const stored = this.bytesOf(address);
    return stored === undefined ? EMPTY_CONTAINER : this.decode(address, stored);
  }

  private bytesOf({ partition, key }: PartitionKey): Uint8Array | undefined {
    try {
      return this.store.read(partition, key);
    } catch (error) {
      if (error instanceof StoreError) this.damaged.note(partition, key);
      throw error;
    }
  }

  private decode(address: PartitionKey, stored: Uint8Array): Container {
    try {
      return decodeStored(address.partition, stored);
    } catch (error) {
      this.damaged.note(address.partition, address.key);
      throw error;
    }
  }

  /** Errors: sibling-limit. */
  checkSize(container: Container): void {
    checkObjectSize(this.limits, container);
  }

  private apply({ partition, key }: PartitionKey, before: Container, { stored, added }: ReplicaUpdate): Sequence {
    const sequence = this.store.apply(partition, key, isVoid(stored) ? undefined : encodeContainer(stored), added);
    this.content.changed(partition, key, before, stored);
    if (this.damaged.count > 0) this.damaged.mended(partition, key);
    this.noteResidue(partition, key, stored);
    for (const dot of added) this.dotLog.add(partition, dot, key, !hasSibling(stored, dot));
    return sequence;
  }
}
