import { StoreError } from '../errors.ts';
import type { Standing } from '../membership/standing.ts';
import type { Store } from '../ports.ts';
import { ACK, readReplicateRequest } from '../protocol.ts';
import type { RequestHandler } from '../rpc/incoming.ts';
import type { DurabilityOf } from './durability-of.ts';
import type { EndedActors } from './ended-actors.ts';
import type { Replica } from './replica.ts';

export interface ReplicateHandlerNeeds {
  readonly replica: Replica;
  readonly store: Store;
  readonly ended: EndedActors;
  readonly standing: Standing;
  readonly durability: DurabilityOf;
}

/**
 * Takes in a write that another owner coordinated, and acknowledges it once it is durable here. Needs no grant: it mints nothing. But
 * who has forgotten everything waits for its own: until then it does not know whose writes are not to be taken in any more (rule C9).
 */
export function replicateHandler({
  replica,
  store,
  ended,
  standing,
  durability,
}: ReplicateHandlerNeeds): RequestHandler {
  return (body, request) => {
    const update = readReplicateRequest(body);
    replica.ownership.check(update);
    if (!standing.takesIn(update.partition))
      throw new StoreError('not-ready', 'this node has lost its data, and does not know the cluster yet');
    ended.check(update);
    if (store.overloaded) throw new StoreError('overloaded', 'writes come faster than the disk takes them');
    const sequence = replica.merge(update);
    if (sequence === 0) return request.reply(ACK);
    // What has been on the disk of whoever kept it for this owner goes from there with the answer (H17).
    const level = update.delivery === true ? 'flush' : durability(update.epoch);
    return store.durable(sequence, level).then(() => request.reply(ACK));
  };
}
