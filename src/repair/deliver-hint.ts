import { ByteWriter } from '../core/bytes.ts';
import { dotsIn } from '../core/causality/dot-set.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { MemberNumber, NodeId, ObjectKey } from '../core/ids.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Store } from '../ports.ts';
import { METHOD, type ReplicateRequest, writeReplicateRequest } from '../protocol.ts';
import type { EndedActors } from '../replica/ended-actors.ts';
import type { HintStore } from '../replica/hint-store.ts';
import type { Replica } from '../replica/replica.ts';
import type { Calls } from '../rpc/calls.ts';

export interface DeliverNeeds {
  readonly self: NodeId;
  readonly calls: Calls;
  readonly store: Store;
  readonly hints: HintStore;
  readonly replica: Replica;
  readonly ended: EndedActors;
  readonly currentView: () => ClusterView | undefined;
}

const DELIVERY_MS = 2000;

const request = new ByteWriter();

/**
 * Brings one hint to its owner, or where that is no owner any more, to all present ones (H19), and removes it once they have it
 * durably. A merge like any other: it mints nothing and may happen twice. False: it stays. Errors: storage-failed.
 */
export async function deliverHint(needs: DeliverNeeds, target: MemberNumber, key: ObjectKey): Promise<boolean> {
  const { hints, store, currentView } = needs;
  const hint = hints.hint(target, key);
  const view = currentView();
  if (hint === undefined) return true;
  if (view === undefined) return false;
  const level = view.state.settings.durability;
  if (hint.sequence !== 0) await store.durable(hint.sequence, level);
  const owners = view.ownersOf(hint.partition);
  const recipients = owners.filter(({ number }) => number === target);
  const { partition, container } = hint;
  const message = { epoch: view.epoch, partition, key, dots: [...dotsIn(hint.dots)], container, delivery: true };
  const sent = (recipients.length > 0 ? recipients : owners).map((owner) => bring(needs, owner, message));
  if (!(await Promise.all(sent)).every(Boolean)) return false;
  hints.delivered(hint);
  return true;
}

async function bring(
  { self, calls, replica, store, ended, currentView }: DeliverNeeds,
  to: Member,
  message: ReplicateRequest,
) {
  if (to.id === self) {
    ended.check(message);
    const sequence = replica.merge(message);
    if (sequence !== 0) await store.durable(sequence, currentView()?.state.settings.durability ?? 'flush');
    return true;
  }
  writeReplicateRequest(request.reset(), message);
  const outcome = await calls.request(to.id, METHOD.replicate, request.view(), DELIVERY_MS);
  return outcome.kind === 'reply';
}
