import { GET, type Mix, PUT } from '../load/mix.ts';
import type { SeriesKind } from '../report/bench-report.ts';
import type { Store, Way } from '../stores/store.ts';

/** What a question asks of a store, see {@link SeriesKind}. */
export function kindOf({ reads }: Pick<Store, 'reads'>, mix: Mix, read: Way): SeriesKind {
  if (mix === PUT) return 'write';
  if (mix !== GET) return 'mix';
  return isAgreed(reads, read) ? 'agreed-read' : 'local-read';
}

/** `other`: with a number of replicas it takes a majority of them, and without one it is Consul's default, which the leader answers. */
function isAgreed(reads: readonly Way[], { strength, replicas }: Way): boolean {
  if (strength === 'one' || replicas === 1) return false;
  const majority = reads.find((way) => way.strength === 'quorum')?.replicas ?? 1;
  return strength === 'quorum' || replicas === undefined || replicas > majority;
}
