import { ByteWriter } from '../core/bytes.ts';
import { StoreError } from '../errors.ts';
import type { Standing } from '../membership/standing.ts';
import type { Store } from '../ports.ts';
import { ACK, readHintRequest, readReadRequest, writeHintAnswer } from '../protocol.ts';
import type { RequestHandler } from '../rpc/incoming.ts';
import type { DurabilityOf } from './durability-of.ts';
import type { EndedActors } from './ended-actors.ts';
import type { Fallback } from './fallback.ts';
import type { HintStore } from './hint-store.ts';

export interface HintHandlerNeeds {
  readonly fallback: Fallback;
  readonly hints: HintStore;
  readonly ended: EndedActors;
  readonly store: Store;
  readonly standing: Standing;
  readonly durability: DurabilityOf;
}

/**
 * Keeps a write for an owner that is away, and acknowledges it once it is durable here. Needs a grant, though it mints nothing: the
 * folder might be an older copy, whose node is about to be refused, and the acknowledgement counts.
 */
export function hintHandler({ fallback, store, ended, standing, durability }: HintHandlerNeeds): RequestHandler {
  return (body, request) => {
    const hint = readHintRequest(body);
    if (standing.actor === undefined) throw new StoreError('not-ready', 'this node has no grant yet');
    if (store.overloaded) throw new StoreError('overloaded', 'writes come faster than the disk takes them');
    ended.check(hint);
    const sequence = fallback.keep(hint);
    if (sequence === 0) return request.reply(ACK);
    return store.durable(sequence, durability(hint.epoch)).then(() => request.reply(ACK));
  };
}

/**
 * Answers with what the hints hold of a key, once that is durable; with nothing when they hold nothing, which proves nothing. Not before
 * other reads are answered: those of an older folder are to be looked through (rule C9).
 */
export function readHintHandler({ fallback, hints, store, standing, durability }: HintHandlerNeeds): RequestHandler {
  const out = new ByteWriter();
  return async (body, request) => {
    const address = readReadRequest(body);
    fallback.check(address);
    if (!standing.mayRead) throw new StoreError('not-ready', 'this node has no grant yet');
    const held = hints.held(address.key);
    if (held !== undefined && held.sequence !== 0) await store.durable(held.sequence, durability(address.epoch));
    writeHintAnswer(out.reset(), held?.container);
    request.reply(out.view());
  };
}
