import { pack, unpack } from 'msgpackr';
import type { MemberNumber, Partition } from '../core/ids.ts';
import type { MetaChange, Sequence, Store } from '../ports.ts';

/** What a data folder says of how much it lacks. */
interface Stored {
  /** All partitions were lost or set back, but for those in `closed`. */
  readonly all: boolean;
  readonly closed: readonly Partition[];
  /** Partitions that were lost alone. */
  readonly lost: readonly Partition[];
  /** Per partition the other owners with which an exchange was completed since. */
  readonly done: readonly (readonly [Partition, readonly MemberNumber[]])[];
  /** Owners that an operator has excepted. */
  readonly excepted: readonly MemberNumber[];
  /** What is here is of a folder that others may have retired actors without. Missing: it is not. */
  readonly unexamined?: boolean;
}

const NOTHING: Stored = { all: false, closed: [], lost: [], done: [], excepted: [] };
const CATCH_UP = 'catch-up';

/**
 * Which partitions of this folder must catch up before they are served (rule C8): all of them after the folder was emptied or put
 * back from a copy, one after its data was found damaged.
 *
 * A partition has caught up when an exchange that began since was completed with *every* other owner. Any one of them may be the only
 * one that holds a write beside the folder that was lost: with w = 2 of 3 that owner and this one may have been the two that
 * acknowledged it, and a read with r = 2 of this one and the third would miss it.
 *
 * What is recorded here follows, in the log, what the exchange brought: it is never durable before it.
 */
export class CatchUp {
  private readonly store: Store;
  private stored: Stored;

  constructor(store: Store) {
    this.store = store;
    const bytes = store.meta(CATCH_UP);
    this.stored = bytes === undefined ? NOTHING : unpack(bytes);
  }

  /** The record of a folder that lacks it knows not what; `unexamined`: and that may have what the cluster takes for lost. */
  static ofWholeFolder(unexamined: boolean): MetaChange {
    return { key: CATCH_UP, value: pack({ ...NOTHING, all: true, unexamined }) };
  }

  /** Takes up what was written to the folder since this was made. */
  reload(): void {
    const bytes = this.store.meta(CATCH_UP);
    this.stored = bytes === undefined ? NOTHING : unpack(bytes);
  }

  isOpen(partition: Partition): boolean {
    const { all, closed, lost } = this.stored;
    return (all && !closed.includes(partition)) || lost.includes(partition);
  }

  get isOver(): boolean {
    return this.stored === NOTHING;
  }

  /** What is here must not be compared with other owners, nor added to, before it was examined: once, under the first grant. */
  get isUnexamined(): boolean {
    return this.stored.unexamined === true;
  }

  /** What other owners do not know to be lost is all that is left. Follows, in the log, the removal of what was given up. */
  examined(): Sequence {
    return this.keep({ ...this.stored, unexamined: false });
  }

  get excepted(): readonly MemberNumber[] {
    return this.stored.excepted;
  }

  /** Whether an exchange with that owner was completed. */
  hasExchanged(partition: Partition, owner: MemberNumber): boolean {
    return this.stored.done.find(([one]) => one === partition)?.[1].includes(owner) === true;
  }

  /** An exchange with that owner was completed: all that it had is here. */
  exchanged(partition: Partition, owner: MemberNumber): Sequence {
    const { done } = this.stored;
    const known = done.find(([one]) => one === partition)?.[1] ?? [];
    if (known.includes(owner)) return 0;
    const others = done.filter(([one]) => one !== partition);
    return this.keep({ ...this.stored, done: [...others, [partition, [...known, owner]]] });
  }

  /** Nothing is missing of the partition any more. */
  close(partition: Partition): Sequence {
    const { all, closed, lost, done } = this.stored;
    return this.keep({
      ...this.stored,
      closed: all ? [...closed, partition] : [],
      lost: lost.filter((one) => one !== partition),
      done: done.filter(([one]) => one !== partition),
    });
  }

  /** Ends the catch-up once all the partitions that this node owns are closed. */
  endIfClosed(owned: readonly Partition[]): void {
    if (!this.isOver && !owned.some((partition) => this.isOpen(partition))) this.keep(NOTHING);
  }

  /** An operator has said that this owner is not to be waited for: what it alone holds beside this node may be missed by reads. */
  except(owner: MemberNumber): Sequence {
    const { excepted } = this.stored;
    return excepted.includes(owner) ? 0 : this.keep({ ...this.stored, excepted: [...excepted, owner] });
  }

  /** The partition's data is damaged, and has to be had from the other owners. */
  lose(partition: Partition): Sequence {
    const { all, closed, lost, done } = this.stored;
    return this.keep({
      ...this.stored,
      closed: all ? closed.filter((one) => one !== partition) : closed,
      lost: lost.includes(partition) ? lost : [...lost, partition],
      done: done.filter(([one]) => one !== partition),
    });
  }

  private keep(stored: Stored): Sequence {
    this.stored = stored;
    const value = stored === NOTHING ? undefined : pack(stored);
    return this.store.applyMeta([{ key: CATCH_UP, value }]);
  }
}
