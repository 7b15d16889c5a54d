import type { TokenMac } from '../core/causality/context-token.ts';
import type { MemberNumber, NodeId, ObjectKey, Partition } from '../core/ids.ts';
import type { HedgeDelay } from '../core/quorum/hedge-delay.ts';
import { type Quorum, type QuorumLevel, resolveQuorum } from '../core/quorum/quorum-spec.ts';
import type { QuorumReport } from '../core/quorum/reply-tally.ts';
import { type ErrorDetails, StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { FailureDetector } from '../membership/failure-detector.ts';
import type { Standing } from '../membership/standing.ts';
import type { Clock, Durability, Store } from '../ports.ts';
import type { Fallback } from '../replica/fallback.ts';
import type { HintStore } from '../replica/hint-store.ts';
import type { Replica } from '../replica/replica.ts';
import type { Calls } from '../rpc/calls.ts';
import type { ReadRepairs } from './read-repairs.ts';

/** What the coordinator of a request works with. */
export interface CoordinatorContext {
  readonly self: NodeId;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly store: Store;
  readonly replica: Replica;
  readonly fallback: Fallback;
  readonly hints: HintStore;
  readonly standing: Standing;
  readonly detector: FailureDetector;
  readonly partitionOf: (key: ObjectKey) => Partition;
  readonly currentView: () => ClusterView | undefined;
  /** The MAC of context tokens for one key, under the cluster's secret. */
  readonly tokenMac: (view: ClusterView, key: ObjectKey) => TokenMac;
  readonly readRepairs: ReadRepairs;
  readonly hedge: HedgeDelay;
}

/** Errors: not-ready before this node knows a cluster state. */
export function requireView(context: CoordinatorContext): ClusterView {
  const view = context.currentView();
  if (view === undefined) throw new StoreError('not-ready', 'the cluster state is not known yet', { retryAfterS: 1 });
  return view;
}

export const durabilityOf = (view: ClusterView): Durability => view.state.settings.durability;

/** The request's quorum against the N of this view (H13). Errors: bad-parameter naming `r`, `w`, `pr` or `pw`. */
export function requireQuorum(
  view: ClusterView,
  kind: 'r' | 'w',
  bucket: string,
  total: QuorumLevel | undefined,
  owners: QuorumLevel | undefined,
): Quorum {
  const level = total ?? view.state.buckets.get(bucket)?.[kind] ?? view.state.settings[kind];
  const resolved = resolveQuorum({ total: level, owners: owners ?? 0 }, view.state.n);
  if (resolved.kind === 'quorum') return resolved.quorum;
  const field = resolved.part === 'total' ? kind : `p${kind}`;
  throw new StoreError('bad-parameter', `${field}: ${resolved.reason}`, { field });
}

/** How far a request came that missed its quorum, for its error. */
export function quorumDetails(view: ClusterView, required: number, report: QuorumReport): ErrorDetails {
  const nameOf = (number: MemberNumber): NodeId => view.withNumber(number).id;
  return {
    required,
    acked: report.acked.map(nameOf),
    failed: report.failed.map(({ node, reason }) => ({ node: nameOf(node), reason })),
    pending: report.pending.map(nameOf),
    epoch: view.epoch,
  };
}
