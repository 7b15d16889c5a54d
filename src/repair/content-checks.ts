import type { PartitionDivergence } from '../coordinator/api.ts';
import type { NodeId, Partition } from '../core/ids.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Clock, Logger } from '../ports.ts';
import type { Replica } from '../replica/replica.ts';

export interface ContentChecksOptions {
  readonly self: NodeId;
  readonly replica: Pick<Replica, 'contentHash'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly currentView: () => ClusterView | undefined;
}

/** Two owners with equal clocks whose contents differ. */
interface Mismatch {
  readonly peer: NodeId;
  readonly partition: Partition;
  readonly sinceMs: number;
  /** Exchanges that found it. */
  looks: number;
  /** Repairs by this node that were carried through, and exchanges that found it after the last of them. */
  repairs: number;
  looksSince: number;
  /** Before then it is not repaired again. */
  dueMs: number;
  isCorrupt: boolean;
}

/** As the log says it. */
export const CONTENT_DIFFERS = 'a partition differs from another owner although the clocks are equal';
export const CONTENT_CORRUPT = 'a partition is corrupt: repairs do not mend it';

/** What differs in flight is looked at again before it is repaired (H27). */
const LOOKS_MIN = 2;
/** What so many repairs did not mend is corruption. The peer has had its turn as well by then: it repairs what it lacks itself. */
const REPAIRS_MIN = 2;
/** From one repair to the next, four times as long each time. */
const AGAIN_MS = 10_000;
const AGAIN_MS_MAX = 3_600_000;
/** After a repair that could not be carried through. */
const PUT_OFF_MS = 5000;

/**
 * The contents of this node's partitions against those of their other owners: what differs though the clocks are equal (rule C10).
 *
 * Equal clocks mean equal siblings, unless one of the owners has lost, kept or changed something by itself: a bug or a disk's doing.
 * So whatever is counted here is damage, and all of it is logged.
 */
export class ContentChecks {
  private readonly options: ContentChecksOptions;
  private readonly mismatches = new Map<NodeId, Map<Partition, Mismatch>>();
  private readonly covered = new Map<Partition, Set<NodeId>>();
  /** Hashes compared, found to be different for good, and repairs carried through, since the start. */
  readonly counts = { compared: 0, mismatches: 0, repairs: 0 };

  constructor(options: ContentChecksOptions) {
    this.options = options;
  }

  /** Since the start, this node's clock has covered one that the peer told it in answer to a question. */
  covers(peer: NodeId, partition: Partition): void {
    const peers = this.covered.get(partition);
    if (peers === undefined) this.covered.set(partition, new Set([peer]));
    else peers.add(peer);
  }

  /**
   * The hash of the partition's contents, if it may be compared with that of an owner whose clock is equal.
   *
   * In an earlier life this node may have begun to take in what another owner had, and not have got to the end: its keys then reflect
   * writes that its clock lacks, and nothing here tells which. So it must first have caught up with every other owner.
   */
  hashOf(partition: Partition): number | undefined {
    const covered = this.covered.get(partition);
    const owners = this.options.currentView()?.ownersOf(partition) ?? [];
    if (!owners.every(({ id }) => id === this.options.self || covered?.has(id) === true)) return undefined;
    return this.options.replica.contentHash(partition);
  }

  /** An exchange has found both clocks equal, and the hashes of the contents under these clocks were known. */
  compared(peer: NodeId, partition: Partition, isSame: boolean): void {
    this.counts.compared++;
    const mismatch = this.mismatches.get(peer)?.get(partition);
    if (isSame) {
      this.mismatches.get(peer)?.delete(partition);
      if (mismatch !== undefined && mismatch.looks >= LOOKS_MIN)
        this.options.logger.info({ peer, partition }, 'the contents of a partition agree again');
    } else if (mismatch === undefined) {
      this.begin(peer, partition);
    } else {
      this.differsAgain(mismatch);
    }
  }

  /** The partitions whose difference from the peer is to be repaired now. */
  due(peer: NodeId): readonly Partition[] {
    const nowMs = this.options.clock.monotonicMs();
    const found = [...(this.mismatches.get(peer)?.values() ?? [])];
    return found.filter(({ looks, dueMs }) => looks >= LOOKS_MIN && dueMs <= nowMs).map(({ partition }) => partition);
  }

  /** This node has taken in what it lacked of the peer's contents. */
  repaired(peer: NodeId, partition: Partition): void {
    this.counts.repairs++;
    const mismatch = this.mismatches.get(peer)?.get(partition);
    if (mismatch === undefined) return;
    const againMs = Math.min(AGAIN_MS_MAX, AGAIN_MS * 4 ** mismatch.repairs);
    mismatch.repairs++;
    mismatch.looksSince = 0;
    mismatch.dueMs = this.options.clock.monotonicMs() + againMs;
  }

  /** The repair could not begin, or broke off: the difference is still there. */
  putOff(peer: NodeId, partition: Partition): void {
    const mismatch = this.mismatches.get(peer)?.get(partition);
    if (mismatch !== undefined) mismatch.dueMs = this.options.clock.monotonicMs() + PUT_OFF_MS;
  }

  /** Partitions of this node that cannot be compared in this moment, for want of a count, of an owner, or of writes that some key reflects. */
  get unknown(): number {
    const { self, currentView } = this.options;
    const owned = currentView()?.partitionsOf(self) ?? [];
    return owned.filter((partition) => this.hashOf(partition) === undefined).length;
  }

  /** Differences that repairs did not mend. */
  get corrupt(): number {
    return this.confirmed().filter(({ isCorrupt }) => isCorrupt).length;
  }

  /** The partitions that differ: not in what is known, but in what is there. */
  current(): readonly PartitionDivergence[] {
    const nowMs = this.options.clock.monotonicMs();
    return this.confirmed().map(({ peer, partition, sinceMs }) => {
      return { partition, peer, missingHere: 0, missingThere: 0, forMs: Math.round(nowMs - sinceMs) };
    });
  }

  /** Owners that are none any more need not agree. */
  forgetOthers(view: ClusterView): void {
    const { self } = this.options;
    for (const [peer, partitions] of this.mismatches) {
      for (const partition of partitions.keys()) {
        if (!view.owns(peer, partition) || !view.owns(self, partition)) partitions.delete(partition);
      }
    }
  }

  private begin(peer: NodeId, partition: Partition): void {
    const nowMs = this.options.clock.monotonicMs();
    const mismatch = {
      peer,
      partition,
      sinceMs: nowMs,
      looks: 1,
      repairs: 0,
      looksSince: 0,
      dueMs: nowMs,
      isCorrupt: false,
    };
    const partitions = this.mismatches.get(peer);
    if (partitions === undefined) this.mismatches.set(peer, new Map([[partition, mismatch]]));
    else partitions.set(partition, mismatch);
    this.options.logger.debug({ peer, partition }, 'a partition seems to differ from another owner');
  }

  private differsAgain(mismatch: Mismatch): void {
    const { peer, partition, repairs, isCorrupt } = mismatch;
    mismatch.looks++;
    mismatch.looksSince++;
    if (mismatch.looks === LOOKS_MIN) {
      this.counts.mismatches++;
      this.options.logger.error({ peer, partition }, CONTENT_DIFFERS);
    }
    if (repairs < REPAIRS_MIN || mismatch.looksSince < LOOKS_MIN || isCorrupt) return;
    mismatch.isCorrupt = true;
    this.options.logger.error({ peer, partition, repairs }, CONTENT_CORRUPT);
  }

  private confirmed(): readonly Mismatch[] {
    const all = [...this.mismatches.values()].flatMap((partitions) => [...partitions.values()]);
    return all.filter(({ looks }) => looks >= LOOKS_MIN);
  }
}
