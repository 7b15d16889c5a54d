import { invariant } from '../invariant.ts';
import type { RaftId } from './types.ts';

/** Time is counted in ticks: what a tick is in milliseconds is the driver's affair. */
export interface RaftConfig {
  readonly id: RaftId;
  /**
   * Without a sign of a leader for this long a follower tries to become one (at a random moment before twice this), and for
   * this long after one it helps nobody else to. A leader that has not heard from a quorum for this long steps down.
   */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Uniform in [0, 1): spreads the election time-outs. */
  readonly random: () => number;
  /** One append carries no more than this, unless a single entry is larger. */
  readonly appendBytesMax: number;
  /** Appends to one follower that may be unanswered. */
  readonly inflightAppendsMax: number;
  /** Above this many bytes of uncommitted data a proposal is refused, unless it is the only one. */
  readonly uncommittedBytesMax: number;
  /** Reads that may wait for their confirmation, at a leader and at a follower. */
  readonly pendingReadsMax: number;
}

export function assertRaftConfig(config: RaftConfig): void {
  invariant(Number.isSafeInteger(config.id) && config.id >= 1, 'a raft id is a whole number from 1');
  invariant(config.heartbeatTicks >= 1, 'a heartbeat takes at least one tick');
  invariant(config.electionTicks > config.heartbeatTicks, 'heartbeats are more frequent than elections');
  const limits = [config.appendBytesMax, config.inflightAppendsMax, config.uncommittedBytesMax, config.pendingReadsMax];
  invariant(
    limits.every((limit) => limit >= 1),
    'every limit lets something through',
  );
}
