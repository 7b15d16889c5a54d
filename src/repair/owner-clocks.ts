import { ByteWriter } from '../core/bytes.ts';
import { type DotSet, isSubset } from '../core/causality/dot-set.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { MemberNumber, Partition } from '../core/ids.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Clock } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Calls } from '../rpc/calls.ts';
import { decoded, readSyncAnswer, writeSyncRequest } from './sync-messages.ts';

interface Heard {
  clocks: ReadonlyMap<Partition, DotSet>;
  /** On the monotonic clock. */
  nextMs: number;
}

/** Between two questions to one owner. */
const ASK_MS = 500;
const CALL_MS = 2000;
/** Differs from any clock's, so that the clock is told. */
const NO_DIGEST = 0n;

/**
 * What owners that others keep hints for had on their disks when they were last asked. An owner that is back takes most of what it
 * missed from the other owners, many writes in one message: what it has by now need not be brought to it once more.
 */
export class OwnerClocks {
  private readonly calls: Calls;
  private readonly clock: Clock;
  private readonly heard = new Map<MemberNumber, Heard>();

  constructor(calls: Calls, clock: Clock) {
    this.calls = calls;
    this.clock = clock;
  }

  /** Asks the owner, unless that was done a moment ago. What it answers counts as soon as it is there. */
  ask(view: ClusterView, { id, number }: Member): void {
    const nowMs = this.clock.monotonicMs();
    const heard = this.heard.get(number) ?? { clocks: new Map(), nextMs: nowMs };
    if (nowMs < heard.nextMs) return;
    heard.nextMs = nowMs + ASK_MS;
    this.heard.set(number, heard);
    const out = new ByteWriter();
    const digests = view.partitionsOf(id).map((partition) => ({ partition, digest: NO_DIGEST, content: undefined }));
    writeSyncRequest(out, { epoch: view.epoch, digests });
    this.calls.call(id, METHOD.sync, out.view(), CALL_MS, (outcome) => {
      const answer = outcome.kind === 'reply' ? decoded(() => readSyncAnswer(outcome.body)) : undefined;
      if (answer !== undefined) heard.clocks = new Map(answer.differing.map((one) => [one.partition, one.clock]));
    });
  }

  /** Whether the owner is known to have the effects of the dots, durably. Once it has them it keeps them. */
  has(owner: MemberNumber, partition: Partition, dots: DotSet): boolean {
    const clock = this.heard.get(owner)?.clocks.get(partition);
    return clock !== undefined && isSubset(dots, clock);
  }

  forget(owner: MemberNumber): void {
    this.heard.delete(owner);
  }
}
