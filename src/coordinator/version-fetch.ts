import type { Container } from '../core/causality/container.ts';
import type { MergedAnswers } from '../core/causality/merged-answers.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { KeyAddress } from '../protocol.ts';
import type { CoordinatorContext } from './coordinator-context.ts';
import { askPeer } from './replica-read.ts';

export interface VersionFetchTask {
  readonly address: KeyAddress;
  readonly answers: MergedAnswers;
  /** Whose answer that is. */
  readonly ownerOf: (index: number) => Member;
  /** Those that could not be asked, to which more may come. */
  readonly lost: number[];
  readonly leftMs: () => number;
  readonly fetched?: ((owner: Member, container: Container) => void) | undefined;
}

/** `failed`: nobody who told of the sibling could be asked for it. */
export type FetchOutcome = 'whole' | 'failed' | 'timeout';

/**
 * Asks for the versions that digests left out, one owner after another, until every sibling of the merged answers is known.
 *
 * What an owner answers now may be newer than its digest: it takes the digest's place, and a sibling that it has overwritten meanwhile
 * is covered by it. `done` is called once, at once when nothing is missing.
 */
export function fetchVersions(
  context: Pick<CoordinatorContext, 'calls' | 'clock' | 'hedge'>,
  task: VersionFetchTask,
  done: (outcome: FetchOutcome) => void,
): void {
  const { address, answers, ownerOf, leftMs, fetched, lost } = task;
  if (answers.isWhole) return done('whole');
  const index = answers.holderOfUnknown(lost);
  if (index === undefined) return done('failed');
  askPeer(context, ownerOf(index), address, false, leftMs(), {
    answered: (owner, container) => {
      answers.replace(index, container);
      fetched?.(owner, container);
      fetchVersions(context, task, done);
    },
    lost: () => {
      lost.push(index);
      fetchVersions(context, task, done);
    },
    timedOut: () => done('timeout'),
  });
}
