import type { PartitionDivergence } from '../coordinator/api.ts';
import { type DotSet, dotCount, equalDotSets, subtract } from '../core/causality/dot-set.ts';
import type { NodeId, Partition } from '../core/ids.ts';
import type { Clock } from '../ports.ts';

/** What this node and a peer last knew of each other in one partition. */
interface Pair {
  theirs: DotSet;
  /** On the monotonic clock: since when no exchange has found both clocks equal; undefined while they are. */
  divergedSinceMs: number | undefined;
  mine: DotSet;
}

/** The peers' clocks as they last showed them, all flushed, and since when they differ from this node's. */
export class Divergences {
  private readonly clock: Clock;
  private readonly pairs = new Map<NodeId, Map<Partition, Pair>>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** An exchange has shown both clocks. */
  heard(peer: NodeId, partition: Partition, mine: DotSet, theirs: DotSet): void {
    const pairs = this.pairsOf(peer);
    const before = pairs.get(partition);
    const isEqual = equalDotSets(mine, theirs);
    const sinceMs = isEqual ? undefined : (before?.divergedSinceMs ?? this.clock.monotonicMs());
    pairs.set(partition, { mine, theirs, divergedSinceMs: sinceMs });
  }

  clockOf(peer: NodeId, partition: Partition): DotSet | undefined {
    return this.pairs.get(peer)?.get(partition)?.theirs;
  }

  /** The oldest first. */
  current(): readonly PartitionDivergence[] {
    const nowMs = this.clock.monotonicMs();
    const found: PartitionDivergence[] = [];
    for (const [peer, pairs] of this.pairs) {
      for (const [partition, { mine, theirs, divergedSinceMs }] of pairs) {
        if (divergedSinceMs === undefined) continue;
        const missingHere = dotCount(subtract(theirs, mine));
        const missingThere = dotCount(subtract(mine, theirs));
        found.push({ partition, peer, missingHere, missingThere, forMs: Math.round(nowMs - divergedSinceMs) });
      }
    }
    return found.sort((a, b) => b.forMs - a.forMs);
  }

  private pairsOf(peer: NodeId): Map<Partition, Pair> {
    let pairs = this.pairs.get(peer);
    if (pairs === undefined) {
      pairs = new Map();
      this.pairs.set(peer, pairs);
    }
    return pairs;
  }
}
