import { actorGrant, actorMember, type Dot } from '../core/causality/dot.ts';
import { type DotSet, dotsIn, EMPTY_DOTS, restrictedTo, union } from '../core/causality/dot-set.ts';
import { isStray, type PartitionDots, type Retirement } from '../core/causality/retirement.ts';
import type { LogIndex, MemberNumber, Partition } from '../core/ids.ts';
import type { HintStore, KeptHint } from './hint-store.ts';

/** Of each partition the dots in this node's hints that are of the member's actors with this grant or a lower one. Errors: storage-failed. */
export function hintedDots(hints: HintStore, member: MemberNumber, grant: LogIndex): PartitionDots {
  const found = new Map<Partition, DotSet>();
  for (const { partition, dots } of allHints(hints)) {
    const ended = restrictedTo(dots, member, grant);
    if (ended.length > 0) found.set(partition, union(found.get(partition) ?? EMPTY_DOTS, ended));
  }
  return found;
}

/**
 * Removes the hints whose every write is of retired actors: all owners have those, so it could only be brought a second time. The
 * counter of this node's own writes as a fallback is a record of its own, and stays (rule C6). Errors: storage-failed.
 */
export function discardRetired(hints: HintStore, retirements: ReadonlyMap<MemberNumber, Retirement>): void {
  const isRetired = (partition: Partition, dot: Dot): boolean => {
    const retirement = retirements.get(actorMember(dot.actor));
    if (retirement === undefined || actorGrant(dot.actor) > retirement.floor) return false;
    return !isStray(retirement, partition, dot);
  };
  for (const hint of allHints(hints)) {
    if ([...dotsIn(hint.dots)].every((dot) => isRetired(hint.partition, dot))) hints.delivered(hint);
  }
}

function allHints(hints: HintStore): readonly KeptHint[] {
  return hints
    .totals()
    .flatMap(({ target }) => Array.from(hints.keysFor(target)).flatMap((key) => hints.hint(target, key) ?? []));
}
