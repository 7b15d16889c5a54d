import { ByteWriter } from '../core/bytes.ts';
import type { Dot } from '../core/causality/dot.ts';
import { type DotSet, dotsIn } from '../core/causality/dot-set.ts';
import type { Member } from '../core/cluster/cluster-state.ts';
import type { MemberNumber, NodeId, ObjectKey } from '../core/ids.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Standing } from '../membership/standing.ts';
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
  readonly standing: Pick<Standing, 'takesIn'>;
  readonly currentView: () => ClusterView | undefined;
}

const DELIVERY_MS = 2000;

/**
 * Of a key that is overwritten all the time, a hint has a dot for each write. More of them go in several messages: 4,096 take their owner 3
 * ms, 100,000 would hold it up for 30, and a message that is too large for a frame would never arrive.
 */
const DOTS_PER_MESSAGE = 4096;

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
  for (const dots of piecesOf(hint.dots)) {
    // With the whole container each: whoever takes in a dot must have the write's effect, also if it has lost what came before.
    const message = { epoch: view.epoch, partition, key, dots, container, delivery: true };
    const sent = (recipients.length > 0 ? recipients : owners).map((owner) => bring(needs, owner, message));
    if (!(await Promise.all(sent)).every(Boolean)) return false;
  }
  hints.delivered(hint);
  return true;
}

/** One piece at least. */
function* piecesOf(dots: DotSet): Generator<readonly Dot[], void> {
  let piece: Dot[] = [];
  for (const dot of dotsIn(dots)) {
    if (piece.length === DOTS_PER_MESSAGE) {
      yield piece;
      piece = [];
    }
    piece.push(dot);
  }
  yield piece;
}

/** True once it is on the owner's disk, whatever the cluster takes for an acknowledgement. */
async function bring(needs: DeliverNeeds, to: Member, message: ReplicateRequest): Promise<boolean> {
  const { self, calls, replica, store, ended, standing } = needs;
  if (to.id === self) {
    if (!standing.takesIn(message.partition)) return false;
    ended.check(message);
    const sequence = replica.merge(message);
    if (sequence !== 0) await store.durable(sequence, 'flush');
    return true;
  }
  writeReplicateRequest(request.reset(), message);
  const outcome = await calls.request(to.id, METHOD.replicate, request.view(), DELIVERY_MS);
  return outcome.kind === 'reply';
}
