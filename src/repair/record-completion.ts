import { type Container, EMPTY_CONTAINER, merge } from '../core/causality/container.ts';
import { keyOf, type NodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Logger } from '../ports.ts';
import { firstOf } from '../replica/first-of.ts';
import type { IncompleteKey } from '../replica/incomplete-keys.ts';
import type { Replica } from '../replica/replica.ts';
import { isSilent, KeyInquiry, type KeyInquiryNeeds, type Told } from './key-inquiry.ts';

export interface RecordCompletionNeeds extends KeyInquiryNeeds {
  readonly replica: Replica;
  readonly logger: Logger;
  readonly currentView: () => ClusterView | undefined;
}

const KEYS_PER_ROUND = 100;
/** From one look through the incomplete records to the next. */
const AGAIN_MS = 5000;
/** Whoever is down is not waited for: what the others tell is true without it. */
const WHOEVER_IS_DOWN = { has: () => true };

/**
 * Finds what records lack that were had again while somebody was passed over: asks all that can be reached. What they hold is taken in at
 * once. What a record lacks then stays lacking until the contexts of others cover it, or everybody who may hold it was heard, and
 * nobody does: it is gone.
 */
export class RecordCompletion {
  private readonly needs: RecordCompletionNeeds;
  private due: IncompleteKey[] = [];
  private nextMs = 0;
  private isStopped = false;

  constructor(needs: RecordCompletionNeeds) {
    this.needs = needs;
  }

  stop(): void {
    this.isStopped = true;
  }

  /** As far as the time goes; the rest is for the next round. */
  async run(silent: Set<NodeId>, endMs: number): Promise<void> {
    const { replica, clock } = this.needs;
    if (this.due.length === 0 && clock.monotonicMs() >= this.nextMs) {
      this.due = [...replica.incomplete.list()];
      this.nextMs = clock.monotonicMs() + AGAIN_MS;
    }
    for (const one of [...firstOf(this.due, KEYS_PER_ROUND)]) {
      if (this.isStopped || clock.monotonicMs() >= endMs) return;
      this.due.shift();
      await this.attempt(one, silent);
    }
  }

  /** A record that is damaged again is mended first, and what it lacks is found then. */
  private async attempt(one: IncompleteKey, silent: Set<NodeId>): Promise<void> {
    try {
      await this.complete(one, silent);
    } catch (error) {
      // A broken store ends the process by itself.
      if (!(error instanceof StoreError)) throw error;
    }
  }

  private async complete(one: IncompleteKey, silent: Set<NodeId>): Promise<void> {
    const { self, replica, store, logger, currentView } = this.needs;
    const view = currentView();
    const lacks = replica.lackedBy(one);
    if (view === undefined || !view.owns(self, one.partition) || lacks.length === 0) return;
    const inquiry = new KeyInquiry(this.needs, view, one, { silent, excepted: WHOEVER_IS_DOWN });
    const { told, isHeard } = await inquiry.ask(lacks);
    if (this.isStopped || told.some(isSilent)) return;
    replica.complete(one, told.map(containerOf).reduce(merge, EMPTY_CONTAINER), isHeard);
    await store.durable(store.lastSequence, 'flush');
    if (replica.lackedBy(one).length > 0) return;
    logger.info(
      { partition: one.partition, key: keyOf(one.key) },
      'a record that was had again lacks nothing any more',
    );
  }
}

/** Of whoever cannot tell, nothing. */
export const containerOf = (told: Told): Container => (told.kind === 'held' ? told.container : EMPTY_CONTAINER);
