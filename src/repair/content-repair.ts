import { formatDot } from '../core/causality/dot.ts';
import { equalDotSets } from '../core/causality/dot-set.ts';
import { keyOf, type NodeId, type ObjectKey, type Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Mending } from '../replica/content-hashes.ts';
import type { ContentChecks } from './content-checks.ts';
import type { Inventory } from './inventory.ts';
import { askCompare, type PullNeeds, pauseAfter, STEPS_MAX } from './partition-pull.ts';
import { PullPace } from './pull-pace.ts';
import type { CompareAnswer } from './sync-messages.ts';

export interface ContentRepairNeeds extends PullNeeds {
  readonly contents: ContentChecks;
  readonly inventory: Inventory;
}

/** Under traffic clocks are equal for moments: so often one is waited for, and so long between two attempts. */
const ATTEMPTS = 10;
const ATTEMPT_MS = 20;
/** Keys that may change while the repair is under way: with more it breaks off, and begins again at a better time. */
const CHANGED_MAX = 100_000;
/** Keys that are named in the log, of one repair. */
const LOGGED_MAX = 20;

/**
 * Mends this node's copy of a partition that differs from a peer's although the clocks were equal (rule C10): takes in what the peer
 * has and this node has lost. The peer does the same for itself.
 *
 * The whole partition is compared, in pieces. It begins in a moment at which both clocks are equal: then every difference is damage.
 * While it goes on, both sides change (rule C2). So of the peer's siblings only those count that were in that common clock; and a key
 * that has changed here since is left alone: what it lacks now may have been overwritten a moment ago.
 */
export class ContentRepair {
  private readonly needs: ContentRepairNeeds;
  private readonly view: ClusterView;
  private readonly peer: NodeId;
  private readonly partition: Partition;
  private readonly pace = new PullPace();
  private mendedKeys = 0;

  constructor(needs: ContentRepairNeeds, view: ClusterView, peer: NodeId, partition: Partition) {
    this.needs = needs;
    this.view = view;
    this.peer = peer;
    this.partition = partition;
  }

  /** Nothing has happened when it could not begin, or broke off: the difference is still there, and the next round tries again. */
  async run(): Promise<void> {
    const { contents, logger } = this.needs;
    const { peer, partition } = this;
    try {
      await this.repair();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      contents.putOff(peer, partition);
      logger.error({ peer, partition, reason: error.message }, 'a partition cannot be mended');
    }
  }

  private async repair(): Promise<void> {
    const { inventory, contents, logger } = this.needs;
    const { peer, partition } = this;
    // If the store lost something under this node's hands, the hash does not know it yet.
    await inventory.count(partition);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const outcome = await this.attempt();
      if (outcome === 'moved') {
        await new Promise<void>((resolve) => this.needs.clock.after(ATTEMPT_MS, resolve));
        continue;
      }
      if (outcome === 'broke off') break;
      if (outcome === 'agree') return contents.compared(peer, partition, true);
      contents.repaired(peer, partition);
      logger.warn({ peer, partition, keys: this.mendedKeys }, 'mended a partition from another owner');
      return;
    }
    contents.putOff(peer, partition);
  }

  /** `moved`: it was no moment at which the clocks were equal. `agree`: the count has shown that nothing differs. */
  private async attempt(): Promise<'moved' | 'agree' | 'broke off' | 'done'> {
    const { store, contents, replica } = this.needs;
    const clock = store.clock(this.partition);
    const mine = contents.hashOf(this.partition);
    const mending = replica.content.beginMending(this.partition);
    try {
      const first = await this.ask(undefined);
      if (first === undefined) return 'broke off';
      if (mine === undefined || first.content === undefined || !equalDotSets(first.clock, clock)) return 'moved';
      if (first.content === mine) return 'agree';
      return (await this.mendAll(first, mending)) ? 'done' : 'broke off';
    } finally {
      replica.content.endMending(mending);
    }
  }

  private async mendAll(first: CompareAnswer, mending: Mending): Promise<boolean> {
    let piece: CompareAnswer | undefined = first;
    for (let step = 0; step < STEPS_MAX; step++) {
      if (piece === undefined || piece.life !== first.life || mending.changed.size > CHANGED_MAX) return false;
      this.mend(piece, first, mending);
      if (piece.isLast) return true;
      const last = piece.keys.at(-1)?.key;
      if (last === undefined) return false;
      await pauseAfter(this.needs, this.pace, piece.keys);
      piece = await this.ask(last);
    }
    return false;
  }

  private mend(piece: CompareAnswer, { clock }: CompareAnswer, { changed }: Mending): void {
    const { replica } = this.needs;
    for (const { key, theirs } of piece.keys) {
      if (changed.has(key) || !replica.mend({ partition: this.partition, key }, theirs, clock)) continue;
      this.mendedKeys++;
      if (this.mendedKeys > LOGGED_MAX) continue;
      const dots = theirs.siblings.map(({ dot }) => formatDot(dot));
      this.needs.logger.warn({ peer: this.peer, partition: this.partition, key: keyOf(key), dots }, 'mended a key');
    }
  }

  private ask(after: ObjectKey | undefined): Promise<CompareAnswer | undefined> {
    return askCompare(this.needs.calls, this.peer, { epoch: this.view.epoch, partition: this.partition, after });
  }
}
