import { EMPTY_CONTAINER, merge } from '../core/causality/container.ts';
import { keyOf, type NodeId, type Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Logger } from '../ports.ts';
import type { DamagedKey } from '../replica/damaged-keys.ts';
import type { Replica } from '../replica/replica.ts';
import type { Inventory } from './inventory.ts';
import { isSilent, KeyInquiry, type KeyInquiryNeeds, type PassedOver, type Told } from './key-inquiry.ts';
import { containerOf, RecordCompletion } from './record-completion.ts';

export interface DamageRepairNeeds extends KeyInquiryNeeds {
  readonly replica: Replica;
  readonly logger: Logger;
  readonly currentView: () => ClusterView | undefined;
  readonly inventory: Pick<Inventory, 'count'>;
}

const KEYS_PER_ROUND = 100;
/** After so long the exchanges with other owners come first. */
const TURN_MS = 1000;

/** Whoever cannot read its own record for so long has it damaged: a disk that fails now and then has been read by then. */
const UNREADABLE_MS = 60_000;

/**
 * Mends the keys whose record cannot be read any more: each is had from *every* other owner (rule C8), and where these have not had all
 * the writes that this node has seen, from who stood in for them as well ({@link KeyInquiry}). Whoever has its record damaged too is
 * passed over: at once where the others have all of this node's clock, and in the end otherwise.
 *
 * What is stored is the merge of what they hold, filled with their clocks alone. Filled with this node's clock, which has the dots of
 * what was lost, it would say that all of it was deleted. Where somebody was passed over who may have more, the clock goes on not
 * speaking for the record, until that one was heard after all ({@link RecordCompletion}).
 */
export class DamageRepair {
  private readonly needs: DamageRepairNeeds;
  /** By finding: since when others have told, and what they told may not be all. */
  private readonly unreadableSince = new Map<number, number>();
  /** Where something was damaged: not counted to the end since. */
  private readonly uncounted = new Set<Partition>();
  /** The finding that was looked at last. */
  private last = 0;
  private readonly completion: RecordCompletion;
  private isStopped = false;
  mended = 0;

  constructor(needs: DamageRepairNeeds) {
    this.needs = needs;
    this.completion = new RecordCompletion(needs);
  }

  stop(): void {
    this.isStopped = true;
    this.completion.stop();
  }

  /** As far as its time goes: whoever is connected and silent costs one time-out, and not one for each key. */
  async run(): Promise<void> {
    const { replica, clock } = this.needs;
    const endMs = clock.monotonicMs() + TURN_MS;
    const silent = new Set<NodeId>();
    for (const damaged of this.inTurn()) {
      if (this.isStopped || clock.monotonicMs() >= endMs) break;
      this.last = damaged.finding;
      await this.mend(damaged, { silent, excepted: replica.damaged.excepted });
    }
    await this.completion.run(silent, endMs);
    await this.countMended();
  }

  /** The next ones, in the order of their finding: those that cannot be mended yet must not hold up the others. */
  private inTurn(): readonly DamagedKey[] {
    const all = this.needs.replica.damaged.list().toSorted((a, b) => a.finding - b.finding);
    const findings = new Set(all.map(({ finding }) => finding));
    for (const finding of this.unreadableSince.keys()) if (!findings.has(finding)) this.unreadableSince.delete(finding);
    for (const { partition } of all) this.uncounted.add(partition);
    const next = all.findIndex(({ finding }) => finding > this.last);
    return [...all.slice(Math.max(0, next)), ...all.slice(0, Math.max(0, next))].slice(0, KEYS_PER_ROUND);
  }

  /** Contents with a damaged record were not counted to the end: once there is none, they are. */
  private async countMended(): Promise<void> {
    for (const partition of this.uncounted) {
      if (this.isStopped) return;
      if (this.needs.replica.damaged.hasSome(partition)) continue;
      this.uncounted.delete(partition);
      await this.needs.inventory.count(partition);
    }
  }

  private async mend(damaged: DamagedKey, passedOver: PassedOver): Promise<void> {
    const { self, replica, store, logger, currentView } = this.needs;
    const { partition, key } = damaged;
    const view = currentView();
    if (view === undefined) return;
    if (!view.owns(self, partition) || replica.isReadable(damaged)) return replica.damaged.mended(partition, key);
    const { told, isAll, isHeard } = await new KeyInquiry(this.needs, view, damaged, passedOver).ask(
      store.clock(partition),
    );
    // Whoever is silent may be the one that has it.
    if (told.some(isSilent)) return void this.unreadableSince.delete(damaged.finding);
    // Where no other owner has anything to tell the error stays, but for an operator's word.
    const isExcepted = view.ownersOf(partition).some(({ number }) => passedOver.excepted.has(number));
    if (!isExcepted && !told.some((one) => one.kind === 'held' && one.by !== 'fallback')) return;
    if (!isAll && this.mayBeReadLater(damaged, told)) return;
    // What has been written here meanwhile is newer than the answers.
    if (!replica.damaged.isStill(damaged)) return;
    try {
      replica.restore(damaged, told.map(containerOf).reduce(merge, EMPTY_CONTAINER), isAll || isHeard);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return;
    }
    await store.durable(store.lastSequence, 'flush');
    this.mended++;
    logger.warn({ partition, key: keyOf(key) }, 'a damaged record was had again from the other owners');
  }

  /**
   * An owner that cannot read its record now may be the only one that has something, as one that is silent may. And where no other owner
   * has all that it should, this one may.
   */
  private mayBeReadLater({ finding }: DamagedKey, told: readonly Told[]): boolean {
    const isWhole = told.some((one) => one.kind === 'held' && one.by === 'owner');
    if (isWhole && !told.some(({ kind }) => kind === 'unreadable')) {
      this.unreadableSince.delete(finding);
      return false;
    }
    const nowMs = this.needs.clock.monotonicMs();
    const sinceMs = this.unreadableSince.get(finding) ?? nowMs;
    this.unreadableSince.set(finding, sinceMs);
    return nowMs - sinceMs < UNREADABLE_MS;
  }
}
