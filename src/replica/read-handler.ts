import { ByteWriter } from '../core/bytes.ts';
import { decodeContainer } from '../core/causality/container.ts';
import type { Standing } from '../membership/standing.ts';
import type { Clock, Store } from '../ports.ts';
import { type ReadRequest, readReadRequest, writeReadAnswer, writeReadDigest } from '../protocol.ts';
import type { IncomingRequest, RequestHandler } from '../rpc/incoming.ts';
import type { DurabilityOf } from './durability-of.ts';
import type { ReadSnapshot, Replica } from './replica.ts';

export interface ReadHandlerNeeds {
  readonly replica: Replica;
  readonly store: Store;
  readonly clock: Clock;
  readonly standing: Standing;
  /** How durable a value must be before it is shown. */
  readonly durability: DurabilityOf;
  /** A digest is given of what takes more bytes than this. */
  readonly digestBytes?: number | undefined;
}

/** Below it, sending the versions costs less than asking for them a second time would, should they be missing. */
const DIGEST_BYTES = 1024;

/** Answers another node's read with this replica's clock and stored container, once both are durable. */
export function readHandler(needs: ReadHandlerNeeds): RequestHandler {
  const { replica, store, clock, standing, durability, digestBytes = DIGEST_BYTES } = needs;
  const out = new ByteWriter();
  const answer = (request: IncomingRequest, { digest }: ReadRequest, snapshot: ReadSnapshot) => {
    const { stored } = snapshot;
    if (digest && stored !== undefined && stored.length > digestBytes)
      writeReadDigest(out.reset(), snapshot, decodeContainer(stored));
    else writeReadAnswer(out.reset(), snapshot, stored);
    request.reply(out.view());
  };
  return (body, request) => {
    const address = readReadRequest(body);
    replica.ownership.check(address);
    const isEnough = address.partial && standing.isCatchingUp(address.partition) && standing.takesIn(address.partition);
    if (!isEnough && !standing.isReadable(address.partition)) {
      return readWhenAllowed();
    }
    return readDurably();

    /** Until then, or until nobody waits for the answer any more. */
    function readWhenAllowed(): Promise<void> {
      return new Promise((resolve, reject) => {
        const callOff = standing.whenReadable(address.partition, () => {
          timer.cancel();
          readDurably().then(resolve, reject);
        });
        const timer = clock.after(request.deadlineMs - clock.monotonicMs(), () => {
          callOff();
          resolve();
        });
      });
    }

    async function readDurably(): Promise<void> {
      const snapshot = replica.read(address);
      if (snapshot.sequence !== 0) await store.durable(snapshot.sequence, durability(address.epoch));
      answer(request, address, snapshot);
    }
  };
}
