import { actorGrant, actorMember } from '../core/causality/dot.ts';
import { type DotSet, EMPTY_DOTS, isSubset, restrictedTo, union } from '../core/causality/dot-set.ts';
import { mayHaveStrays, type PartitionDots, type Retirement } from '../core/causality/retirement.ts';
import type { LogIndex, MemberNumber, Partition } from '../core/ids.ts';
import type { HintStore, KeptHint } from './hint-store.ts';

/** Of each partition the dots in this node's hints that are of the member's actors with this grant or a lower one. Reads all hints. */
export function hintedDots(hints: HintStore, member: MemberNumber, grant: LogIndex): PartitionDots {
  const found = new Map<Partition, DotSet>();
  for (const { partition, dots } of allHints(hints)) {
    const ended = restrictedTo(dots, member, grant);
    if (ended.length > 0) found.set(partition, union(found.get(partition) ?? EMPTY_DOTS, ended));
  }
  return found;
}

/** So much is read in one step: with the values, which nobody asks for here, as much as an exchange sends in a few answers. */
const STEP_HINTS = 200;
const STEP_BYTES = 1 << 20;

/**
 * Removes the hints whose every write is of retired actors: all owners have those, so it could only be brought a second time. The
 * counter of this node's own writes as a fallback is a record of its own, and stays (rule C6). Step by step: there may be so many hints
 * that looking through them takes seconds. Errors: storage-failed.
 */
export function* discardRetired(
  hints: HintStore,
  retirements: ReadonlyMap<MemberNumber, Retirement>,
): Generator<undefined, void> {
  if (retirements.size > 0) yield* discard(hints, (hint) => isRetired(hint, retirements));
}

/**
 * Removes the hints of an older folder that have a write which was retired as lost: what that had overwritten is in their contexts, and
 * whoever asks for the hint would take it for overwritten. Step by step, as {@link discardRetired}. Errors: storage-failed.
 */
export function* discardStray(hints: HintStore, retirements: readonly Retirement[]): Generator<undefined, void> {
  yield* discard(hints, ({ partition, dots }) => mayHaveStrays(dots, partition, retirements));
}

function* discard(hints: HintStore, isDue: (hint: KeptHint) => boolean): Generator<undefined, void> {
  let looked = 0;
  let bytes = 0;
  for (const hint of allHints(hints)) {
    if (isDue(hint)) hints.delivered(hint);
    bytes += hint.bytes;
    if (++looked < STEP_HINTS && bytes < STEP_BYTES) continue;
    yield;
    looked = 0;
    bytes = 0;
  }
}

function isRetired({ partition, dots }: KeptHint, retirements: ReadonlyMap<MemberNumber, Retirement>): boolean {
  return dots.every((entry) => {
    const retirement = retirements.get(actorMember(entry.actor));
    if (retirement === undefined || actorGrant(entry.actor) > retirement.floor) return false;
    return isSubset([entry], retirement.entries.get(partition) ?? EMPTY_DOTS);
  });
}

/** One by one: they must not be in memory together. Those that are kept meanwhile may be among them or not. */
function* allHints(hints: HintStore): Generator<KeptHint, void> {
  for (const { target } of hints.totals()) {
    for (const key of hints.keysFor(target)) {
      const hint = hints.hint(target, key);
      if (hint !== undefined) yield hint;
    }
  }
}
