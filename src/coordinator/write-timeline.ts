import { formatDot } from '../core/causality/dot.ts';
import type { NodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { type AskedCoordinator, Stopwatch, type WriteExplanation, type WrittenReplica } from './explanation.ts';
import type { WriteOutcome } from './write-operation.ts';

/**
 * Keeps who was asked to coordinate a write. What the owners did is told by the outcome, or by the error's details, which both come
 * back from whichever node coordinated it.
 */
export class WriteTimeline {
  private readonly stopwatch: Stopwatch;
  private readonly head: Pick<WriteExplanation, 'epoch' | 'required'>;
  private readonly owners: readonly NodeId[];
  private readonly coordinators: AskedCoordinator[] = [];

  constructor(clock: Clock, head: Pick<WriteExplanation, 'epoch' | 'required'>, owners: readonly NodeId[]) {
    this.stopwatch = new Stopwatch(clock);
    this.head = head;
    this.owners = owners;
  }

  asks(node: NodeId): void {
    this.coordinators.push({ node, askedMs: this.stopwatch.ms });
  }

  /** The one that was asked last, for the first time. Without a reason: it carried out the write, or failed in that. */
  ended(refused?: string): void {
    const last = this.coordinators.at(-1);
    if (last === undefined || last.endedMs !== undefined) return;
    this.coordinators.pop();
    const endedMs = this.stopwatch.ms;
    this.coordinators.push(refused === undefined ? { ...last, endedMs } : { ...last, endedMs, refused });
  }

  succeeded({ dot, timings }: Pick<WriteOutcome, 'dot' | 'timings'>): WriteExplanation {
    const replicas = this.withFallbacks(timings).map((replica) => {
      const timing = timings.find(({ node }) => node === replica.node);
      return timing === undefined ? replica : { ...replica, durableMs: timing.ms };
    });
    return { ...this.explanation(replicas), dot: formatDot(dot) };
  }

  /** Who acknowledged is known then, but not when. */
  failed(error: unknown): WriteExplanation {
    const { failed = [] } = error instanceof StoreError ? error.details : {};
    const replicas = this.withFallbacks(failed).map((replica) => {
      const failure = failed.find(({ node }) => node === replica.node);
      return failure === undefined ? replica : { ...replica, failed: failure.reason };
    });
    return this.explanation(replicas);
  }

  /** The owners, and after them who else is named. */
  private withFallbacks(named: readonly { readonly node: string }[]): readonly WrittenReplica[] {
    const others = named.map(({ node }) => node).filter((node) => !this.owners.some((owner) => owner === node));
    return [...this.owners.map((node) => ({ node })), ...others.map((node) => ({ node, fallback: true as const }))];
  }

  private explanation(replicas: readonly WrittenReplica[]): WriteExplanation {
    return { kind: 'write', ...this.head, coordinators: [...this.coordinators], replicas };
  }
}
