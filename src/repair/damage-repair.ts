import { ByteWriter } from '../core/bytes.ts';
import { type Container, EMPTY_CONTAINER, fill, merge } from '../core/causality/container.ts';
import { keyOf, type NodeId } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Clock, Logger, Store } from '../ports.ts';
import { METHOD, readReadAnswer, writeReadRequest } from '../protocol.ts';
import type { DamagedKey } from '../replica/damaged-keys.ts';
import type { Replica } from '../replica/replica.ts';
import type { Calls } from '../rpc/calls.ts';
import type { Inventory } from './inventory.ts';
import { decoded } from './sync-messages.ts';

export interface DamageRepairNeeds {
  readonly self: NodeId;
  readonly replica: Replica;
  readonly store: Store;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly currentView: () => ClusterView | undefined;
  readonly inventory: Pick<Inventory, 'count'>;
}

const CALL_MS = 5000;
const KEYS_PER_ROUND = 100;

/** An owner that cannot read its own record for so long has it damaged too: a disk that fails now and then has been read by then. */
const UNREADABLE_MS = 60_000;

/** What an owner has of a key; `nothing` to tell while it is catching up; undefined: it does not answer, or cannot tell yet. */
type Told = Container | 'nothing' | 'unreadable' | undefined;

/**
 * Mends the keys whose record cannot be read any more: each is had from *every* other owner (rule C8), since any of them may be the only
 * one that has some write beside the record that was lost. An owner whose record is damaged too is passed over in the end.
 *
 * What is stored is the merge of what they hold, filled with their clocks alone. Filled with this node's clock, which has the dots of
 * what was lost, it would say that all of it was deleted.
 */
export class DamageRepair {
  private readonly needs: DamageRepairNeeds;
  /** By finding: since when some owner could not read its own record either. */
  private readonly unreadableSince = new Map<number, number>();
  private isStopped = false;
  mended = 0;

  constructor(needs: DamageRepairNeeds) {
    this.needs = needs;
  }

  stop(): void {
    this.isStopped = true;
  }

  async run(): Promise<void> {
    const { replica, inventory } = this.needs;
    const due = replica.damaged.list().slice(0, KEYS_PER_ROUND);
    const findings = new Set(due.map(({ finding }) => finding));
    for (const finding of this.unreadableSince.keys()) if (!findings.has(finding)) this.unreadableSince.delete(finding);
    for (const damaged of due) {
      if (this.isStopped) return;
      await this.mend(damaged);
    }
    // Contents with a damaged record were not counted to the end.
    for (const partition of new Set(due.map((damaged) => damaged.partition))) await inventory.count(partition);
  }

  private async mend(damaged: DamagedKey): Promise<void> {
    const { self, replica, store, logger, currentView } = this.needs;
    const { partition, key } = damaged;
    const view = currentView();
    if (view === undefined) return;
    if (!view.owns(self, partition) || replica.isReadable(damaged)) return replica.damaged.mended(partition, key);
    const others = view.ownersOf(partition).filter(({ id }) => id !== self);
    const told = await Promise.all(others.map(({ id }) => this.ask(view, id, damaged)));
    const containers = told.filter((one) => typeof one === 'object');
    // Whoever is silent may be the one that has it. Where nobody has anything to tell the error stays.
    if (told.includes(undefined) || containers.length === 0) return;
    if (this.mayBeReadLater(damaged, told)) return;
    // What has been written here meanwhile is newer than the answers.
    if (!replica.damaged.isStill(damaged)) return;
    try {
      replica.restore(damaged, containers.reduce(merge));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return;
    }
    await store.durable(store.lastSequence, 'flush');
    this.mended++;
    logger.warn({ partition, key: keyOf(key) }, 'a damaged record was had again from the other owners');
  }

  /** An owner that cannot read its record now may be the only one that has something, as one that is silent may. */
  private mayBeReadLater({ finding }: DamagedKey, told: readonly Told[]): boolean {
    if (!told.includes('unreadable')) {
      this.unreadableSince.delete(finding);
      return false;
    }
    const nowMs = this.needs.clock.monotonicMs();
    const sinceMs = this.unreadableSince.get(finding) ?? nowMs;
    this.unreadableSince.set(finding, sinceMs);
    return nowMs - sinceMs < UNREADABLE_MS;
  }

  private async ask(view: ClusterView, owner: NodeId, { partition, key }: DamagedKey): Promise<Told> {
    const out = new ByteWriter();
    writeReadRequest(out, { epoch: view.epoch, partition, key }, false);
    const outcome = await this.needs.calls.request(owner, METHOD.read, out.view(), CALL_MS);
    if (outcome.kind === 'refused' && outcome.code === 'storage-failed') return 'unreadable';
    if (outcome.kind === 'refused') return outcome.code === 'not-ready' ? 'nothing' : undefined;
    if (outcome.kind === 'failed') return undefined;
    const answer = decoded(() => readReadAnswer(outcome.body));
    return answer && fill(answer.stored ?? EMPTY_CONTAINER, answer.clock);
  }
}
