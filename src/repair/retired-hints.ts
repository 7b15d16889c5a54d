import type { Retirement } from '../core/causality/retirement.ts';
import type { MemberNumber } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import type { HintStore } from '../replica/hint-store.ts';
import { discardRetired } from '../replica/hinted-dots.ts';

export interface RetiredHintsNeeds {
  readonly hints: HintStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between two steps: requests come first. */
const PAUSE_MS = 5;

/** Has hints go that can only be repetitions, after each retirement, and in the background: a node may keep hundreds of thousands. */
export class RetiredHints {
  private readonly needs: RetiredHintsNeeds;
  private discardedFor: ReadonlyMap<MemberNumber, Retirement> | undefined;
  private work: Iterator<undefined, void> | undefined;
  private isStopped = false;

  constructor(needs: RetiredHintsNeeds) {
    this.needs = needs;
  }

  /** Begins anew where there is another state of the retirements than the last time. */
  discard(retirements: ReadonlyMap<MemberNumber, Retirement>): void {
    if (retirements === this.discardedFor) return;
    this.discardedFor = retirements;
    const isAtWork = this.work !== undefined;
    this.work = discardRetired(this.needs.hints, retirements);
    if (!isAtWork) this.step();
  }

  stop(): void {
    this.isStopped = true;
  }

  private step(): void {
    if (this.isStopped) return;
    try {
      if (this.work?.next().done === false) {
        this.needs.clock.after(PAUSE_MS, () => this.step());
        return;
      }
    } catch (error) {
      // A broken store ends the process by itself.
      if (!(error instanceof StoreError)) throw error;
      this.needs.logger.warn({ reason: error.message }, 'retired hints were not discarded');
    }
    this.work = undefined;
  }
}
