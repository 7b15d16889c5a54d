import type { NodeId } from '../core/ids.ts';

export interface WriteBackTask {
  /** How many more owners must have it. */
  readonly needed: number;
  /** Owners that lack it. All of them are sent it. */
  readonly behind: readonly NodeId[];
  /** Further owners, of which nothing is known: each takes the place of one that failed. */
  readonly spare: readonly NodeId[];
  /** Calls back once, with why not, or undefined when the owner has it durably. */
  readonly bring: (owner: NodeId, done: (failure: string | undefined) => void) => void;
}

/**
 * Brings a read's result to so many owners that every quorum after it meets one of them (H11).
 *
 * Calls `done` once: with true when enough have it, with false as soon as that has become impossible.
 */
export function writeBack({ needed, behind, spare, bring }: WriteBackTask, done: (isEnough: boolean) => void): void {
  const next = spare.values();
  let missing = needed;
  let running = 0;
  let isOver = false;
  const settle = (): void => {
    if (isOver || (missing > 0 && running >= missing)) return;
    isOver = true;
    done(missing <= 0);
  };
  const send = (owner: NodeId): void => {
    running++;
    bring(owner, (failure) => {
      running--;
      if (failure === undefined) missing--;
      else if (!isOver) replace();
      settle();
    });
  };
  const replace = (): void => {
    const { value } = next.next();
    if (value !== undefined) send(value);
  };
  // All are counted as under way before the first, this node itself perhaps, reports back.
  running = behind.length;
  for (const owner of behind) {
    running--;
    send(owner);
  }
  settle();
}
