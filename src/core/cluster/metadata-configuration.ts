/**
 * Who takes part in the metadata group, and the next step towards who should.
 *
 * Laws, for a configuration that {@link foundingConfiguration} made and steps that {@link nextConfiguration} gave since:
 * 1. A step adds or removes one voter at most, so that any two majorities of neighbours meet (Ongaro's dissertation, 4.1).
 * 2. A voter that is added had the whole log before, as a learner (R6).
 * 3. Once no step is left, the current Raft ids of the first {@link VOTERS_MAX} members vote and those of the others learn; an id that
 *    a member has given up never comes back.
 */
import type { LogIndex } from '../ids.ts';
import { type RaftId, raftId } from '../raft/types.ts';
import type { ClusterState, MetadataConfiguration } from './cluster-state.ts';

/** Up to so many members vote; the others learn. */
export const VOTERS_MAX = 5;

/** Above every member number, which are the founders' ids. */
const LATER_IDS = 2 ** 20;

/** The id that the command at this index gives: unique, as indexes are. */
export const laterRaftId = (index: LogIndex): RaftId => raftId(LATER_IDS + index);

export function foundingConfiguration(ids: readonly RaftId[]): MetadataConfiguration {
  return { voters: ids.slice(0, VOTERS_MAX), learners: ids.slice(VOTERS_MAX) };
}

/** The next step, undefined when none is to be taken now. `isCaughtUp`: a learner has the log, and was heard of lately. */
export function nextConfiguration(
  { members, metadata: { voters, learners } }: ClusterState,
  isCaughtUp: (learner: RaftId) => boolean,
): MetadataConfiguration | undefined {
  const current = members.map(({ raft }) => raft);
  const missing = current.find((id) => !voters.includes(id) && !learners.includes(id));
  const ended = [...voters, ...learners].find((id) => !current.includes(id));
  if (ended !== undefined || missing !== undefined) {
    const added = missing === undefined ? [] : [missing];
    return { voters: without(voters, ended), learners: ascending([...without(learners, ended), ...added]) };
  }
  const promoted = current.slice(0, VOTERS_MAX).find((id) => learners.includes(id) && isCaughtUp(id));
  if (promoted === undefined) return undefined;
  return { voters: ascending([...voters, promoted]), learners: without(learners, promoted) };
}

/** Why the second does not follow from the first in one step. */
export function stepProblem(from: MetadataConfiguration, to: MetadataConfiguration): string | undefined {
  const ids = [...to.voters, ...to.learners];
  if (new Set(ids).size !== ids.length) return 'a member of the metadata group named twice';
  if (to.voters.length === 0) return 'no voter left';
  const added = to.voters.filter((id) => !from.voters.includes(id)).length;
  const removed = from.voters.filter((id) => !to.voters.includes(id)).length;
  return added + removed > 1 ? 'more than one voter changed' : undefined;
}

export function sameConfiguration(a: MetadataConfiguration, b: MetadataConfiguration): boolean {
  return sameIds(a.voters, b.voters) && sameIds(a.learners, b.learners);
}

const sameIds = (a: readonly RaftId[], b: readonly RaftId[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);
const without = (ids: readonly RaftId[], id: RaftId | undefined): readonly RaftId[] => ids.filter((one) => one !== id);
const ascending = (ids: readonly RaftId[]): readonly RaftId[] => ids.toSorted((a, b) => a - b);
