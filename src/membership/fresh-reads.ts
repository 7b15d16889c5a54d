import type { LogIndex, NodeId } from '../core/ids.ts';
import type { ConfirmedRead } from '../core/raft/read-rounds.ts';
import type { Clock, Random } from '../ports.ts';

export interface FreshReadNeeds {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly random: Random;
}

/** Those who wait until this node has applied all that was committed when they asked. */
export class FreshReads {
  private readonly needs: FreshReadNeeds;
  private readonly waiting = new Map<string, (isFresh: boolean) => void>();
  /** Confirmed, but not yet applied up to their index. */
  private early: readonly ConfirmedRead[] = [];
  private count = 0;

  constructor(needs: FreshReadNeeds) {
    this.needs = needs;
  }

  /** `ask` puts the question under that token, and says whether it could. Resolves with false when there is no answer in time. */
  begin(ask: (token: string) => boolean, timeoutMs: number): Promise<boolean> {
    const { self, clock, random } = this.needs;
    // No earlier life of this process has used it: an old answer must not be taken for this one's.
    const token = `${self}/${this.count++}/${Math.floor(random.next() * 2 ** 48)}`;
    if (!ask(token)) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = clock.after(timeoutMs, () => this.answer(token, false));
      this.waiting.set(token, (isFresh) => {
        timer.cancel();
        resolve(isFresh);
      });
    });
  }

  /** A confirmation may overtake the entries that it speaks of: the read waits until they are applied. */
  confirmed(reads: readonly ConfirmedRead[], applied: LogIndex): void {
    const all = [...this.early, ...reads];
    this.early = all.filter(({ index }) => index > applied);
    for (const { token, index } of all) if (index <= applied) this.answer(token, true);
  }

  stop(): void {
    for (const answer of this.waiting.values()) answer(false);
    this.waiting.clear();
  }

  private answer(token: string, isFresh: boolean): void {
    this.waiting.get(token)?.(isFresh);
    this.waiting.delete(token);
  }
}
