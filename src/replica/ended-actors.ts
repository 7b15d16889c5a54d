import { ByteReader, ByteWriter, DecodeError } from '../core/bytes.ts';
import { actorGrant, actorMember, type Dot, formatDot } from '../core/causality/dot.ts';
import { floorGrant, hasDot } from '../core/causality/dot-set.ts';
import { isStray, type Retirement, readPartitionDots, writePartitionDots } from '../core/causality/retirement.ts';
import { logIndex, type MemberNumber, memberNumber, type Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Sequence, Store } from '../ports.ts';
import type { ReplicateRequest } from '../protocol.ts';

const PROMISES = 'ended/';
const VERSION = 1;

/**
 * Which writes of ended actors this node still takes in from messages (rule C9).
 *
 * 1. After a promise: those among its entries, and those that the clock has; from hints that are brought to their owner, any. An
 *    exchange is not asked here: it brings what another owner has flushed, and an older folder takes part in none before it was looked
 *    through ({@link examineOlderFolder}).
 * 2. After a retirement: those among its entries. Any other was lost before it, and its floor claims that it is incorporated: what
 *    the write had overwritten would go, and the write with it.
 * 3. A promise is durable before it is given, and outlives the process.
 */
export class EndedActors {
  private readonly store: Store;
  private readonly retirements: () => ReadonlyMap<MemberNumber, Retirement>;
  private readonly promises = new Map<MemberNumber, Retirement>();
  /** Messages that were refused, since the start. */
  refused = 0;

  /** Finds what earlier lives of the process have promised. Errors: storage-failed. */
  constructor(store: Store, retirements: () => ReadonlyMap<MemberNumber, Retirement>) {
    this.store = store;
    this.retirements = retirements;
    for (const { value } of store.metaWithPrefix(PROMISES)) {
      const promise = decoded(value);
      this.promises.set(promise.member, promise);
    }
  }

  /** From now on direct messages bring no other dots of these actors than the entries. To be told to nobody before the sequence is durable. */
  promise(retirement: Retirement): Sequence {
    const before = this.promises.get(retirement.member);
    // An earlier promise about more actors was made on all that these had written: it is the stricter one.
    if (before !== undefined && before.floor > retirement.floor) return this.store.lastSequence;
    this.promises.set(retirement.member, retirement);
    return this.store.applyMeta([{ key: `${PROMISES}${retirement.member}`, value: encoded(retirement) }]);
  }

  /** Errors: conflict, when the message brings a write that must not come any more. */
  check({ partition, dots, container, delivery }: ReplicateRequest): void {
    const isDelivery = delivery === true;
    for (const dot of dots) this.checkDot(partition, dot, isDelivery);
    for (const { dot } of container.siblings) this.checkDot(partition, dot, isDelivery);
  }

  private checkDot(partition: Partition, dot: Dot, isDelivery: boolean): void {
    const member = actorMember(dot.actor);
    const retirement = this.retirements().get(member);
    const isPast = retirement !== undefined && isStray(retirement, partition, dot);
    if (!isPast && (isDelivery || !this.isForsworn(partition, dot, retirement))) return;
    this.refused++;
    throw new StoreError('conflict', `the actor of ${formatDot(dot)} has ended`, { outcome: 'not_applied' });
  }

  /** A retirement has taken the place of the promises on which it rests, and of late ones. */
  private isForsworn(partition: Partition, dot: Dot, retirement: Retirement | undefined): boolean {
    const promise = this.promises.get(actorMember(dot.actor));
    if (promise === undefined || promise.floor <= (retirement?.floor ?? 0)) return false;
    return isStray(promise, partition, dot) && !this.isHeld(partition, dot);
  }

  /** In the clock by itself: what a floor says of it is what is in question. */
  private isHeld(partition: Partition, dot: Dot): boolean {
    const clock = this.store.clock(partition);
    return hasDot(clock, dot) && floorGrant(clock, actorMember(dot.actor)) < actorGrant(dot.actor);
  }
}

function encoded({ member, floor, entries }: Retirement): Uint8Array {
  const out = new ByteWriter();
  writePartitionDots(out.u8(VERSION).varint(member).varint(floor), entries);
  return out.copy();
}

/** Damage is an error, never an absence (H1). */
function decoded(bytes: Uint8Array): Retirement {
  try {
    const source = new ByteReader(bytes);
    const version = source.u8();
    if (version !== VERSION) throw new DecodeError(`promise version ${version}`);
    const promise = {
      member: memberNumber(source.varint()),
      floor: logIndex(source.varint()),
      entries: readPartitionDots(source),
    };
    source.end();
    return promise;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new StoreError('storage-failed', 'a damaged promise about ended actors', {}, { cause: error });
  }
}
