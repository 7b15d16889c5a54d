import type { RaftMessage } from './message.ts';
import type { ConfirmedRead } from './read-rounds.ts';
import type { Entry, HardState, Snapshot } from './types.ts';

/**
 * What is to be done, in this order. There is one Ready at a time; meanwhile the machine may be fed.
 *
 * 1. Write, in one atomic change: `snapshot` (replaces the stored snapshot and the whole stored log), then `entries`
 *    (replace the stored log from the index of the first one on), then `hardState`.
 * 2. If `mustFlush`, wait until that is on disk. If that fails, stop for good: nothing after this point may happen.
 * 3. Call `advance()`. Only now does the node's own vote and its own copy of the entries count, a lone node's too (R1).
 * 4. Send `messages`, in any order. They promise what was written in 1.
 * 5. Apply `snapshot`, then `committed`, to the state machine, in order, in the same turn as `advance()`. A snapshot and its
 *    index become the stored state together (R8): after a crash the machine is made of the snapshot and what follows it.
 * 6. Answer each of `reads` once everything up to its `index` is applied.
 *
 * A crash at any point between these is survived; the same entries may be given out to be applied again after a restart.
 */
export interface Ready {
  readonly hardState: HardState | undefined;
  readonly snapshot: Snapshot | undefined;
  readonly entries: readonly Entry[];
  /** False when nothing but the commit index changed: it is found again, so it may be lost. */
  readonly mustFlush: boolean;
  readonly messages: readonly RaftMessage[];
  readonly committed: readonly Entry[];
  readonly reads: readonly ConfirmedRead[];
}
