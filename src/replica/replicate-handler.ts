import { StoreError } from '../errors.ts';
import type { Durability, Store } from '../ports.ts';
import { ACK, readReplicateRequest } from '../protocol.ts';
import type { RequestHandler } from '../rpc/incoming.ts';
import type { EndedActors } from './ended-actors.ts';
import type { Replica } from './replica.ts';

export interface ReplicateHandlerNeeds {
  readonly replica: Replica;
  readonly store: Store;
  readonly ended: EndedActors;
  readonly durability: () => Durability;
}

/** Takes in a write that another owner coordinated, and acknowledges it once it is durable here. Needs no grant: it mints nothing. */
export function replicateHandler({ replica, store, ended, durability }: ReplicateHandlerNeeds): RequestHandler {
  return (body, request) => {
    const update = readReplicateRequest(body);
    replica.check(update);
    ended.check(update);
    if (store.overloaded) throw new StoreError('overloaded', 'writes come faster than the disk takes them');
    const sequence = replica.merge(update);
    if (sequence === 0) return request.reply(ACK);
    return store.durable(sequence, durability()).then(() => request.reply(ACK));
  };
}
