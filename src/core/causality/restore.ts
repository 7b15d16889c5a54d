/**
 * A record that was lost, and is had again from other owners of the partition, as values. `theirs` is the merge of what they hold, each
 * filled with its own clock; `isAll` says that nobody else may have anything of the key.
 *
 * The clock here has the dots of what was lost. Filled with it, what is had again would say of every write that the others lack that it
 * was deleted: and whoever has it after all, having been away, would delete it too; while its own clock says that what was had again was
 * overwritten by it. So both would be gone everywhere. Hence, unless it is all, the record *lacks* what the clock has and they do not.
 *
 * Laws, with `r` what is stored by {@link restored}, `c` the clock, `f` the filled container of an owner that was not heard:
 * 1. `fill(r, c)` has the siblings and the context of `theirs`: it claims no dot that they did not. (With `isAll`: and all of `c`.)
 * 2. So `fill(r, c) ⊔ f = theirs ⊔ f`: what that owner alone has comes back with it.
 * 3. {@link completed} with `theirs` that have all of `c`, or with `isAll`, leaves a record that lacks nothing.
 */
import { type Container, lacking, strip, withoutLacks } from './container.ts';
import { type DotSet, EMPTY_DOTS, hasDot, union } from './dot-set.ts';
import { applyRemote, type ReplicaUpdate } from './replica-update.ts';

export function restored(clock: DotSet, theirs: Container, isAll: boolean): ReplicaUpdate {
  const added = theirs.siblings.map(({ dot }) => dot).filter((dot) => !hasDot(clock, dot));
  const container = isAll ? withoutLacks(theirs) : lacking(theirs, union(clock, theirs.lacks ?? EMPTY_DOTS));
  return { stored: strip(container, clock), clock, added };
}

/** Takes what others hold into a record that lacks something. Undefined when it changes nothing, or the record lacks nothing. */
export function completed(
  stored: Container,
  clock: DotSet,
  theirs: Container,
  isAll: boolean,
): ReplicaUpdate | undefined {
  if (stored.lacks === undefined) return undefined;
  const update = applyRemote(stored, clock, theirs, []);
  if (!isAll) return update;
  const { stored: last, ...rest } = update ?? { stored, clock, added: [] };
  return { ...rest, stored: strip(withoutLacks(last), rest.clock) };
}
