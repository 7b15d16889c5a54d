import { ByteWriter } from '../core/bytes.ts';
import type { Standing } from '../membership/standing.ts';
import type { Clock, Durability, Store } from '../ports.ts';
import { readReadRequest, writeReadAnswer } from '../protocol.ts';
import type { IncomingRequest, RequestHandler } from '../rpc/incoming.ts';
import type { ReadSnapshot, Replica } from './replica.ts';

export interface ReadHandlerNeeds {
  readonly replica: Replica;
  readonly store: Store;
  readonly clock: Clock;
  readonly standing: Standing;
  /** How durable a value must be before it is shown. */
  readonly durability: () => Durability;
}

/** Answers another node's read with this replica's clock and stored container, once both are durable. */
export function readHandler({ replica, store, clock, standing, durability }: ReadHandlerNeeds): RequestHandler {
  const out = new ByteWriter();
  const answer = (request: IncomingRequest, snapshot: ReadSnapshot) => {
    writeReadAnswer(out.reset(), snapshot.clock, snapshot.stored);
    request.reply(out.view());
  };
  return (body, request) => {
    const address = readReadRequest(body);
    replica.check(address);
    if (!standing.readable) {
      return readWhenAllowed();
    }
    return readDurably();

    /** Until then, or until nobody waits for the answer any more. */
    function readWhenAllowed(): Promise<void> {
      return new Promise((resolve, reject) => {
        const callOff = standing.whenReadable(() => {
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
      if (snapshot.sequence !== 0) await store.durable(snapshot.sequence, durability());
      answer(request, snapshot);
    }
  };
}
