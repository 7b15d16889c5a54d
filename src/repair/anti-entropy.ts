import type { SyncView } from '../coordinator/api.ts';
import { ByteWriter } from '../core/bytes.ts';
import { type DotSet, isSubset } from '../core/causality/dot-set.ts';
import type { NodeId, Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { FailureDetector } from '../membership/failure-detector.ts';
import type { Clock, Logger, Random, Store, Timer } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Replica } from '../replica/replica.ts';
import type { Calls } from '../rpc/calls.ts';
import type { Divergences } from './divergences.ts';
import { PartitionPull } from './partition-pull.ts';
import type { Retirements } from './retirements.ts';
import { decoded, readSyncAnswer, writeSyncRequest } from './sync-messages.ts';

export interface AntiEntropyOptions {
  readonly self: NodeId;
  readonly replica: Replica;
  readonly store: Store;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly detector: FailureDetector;
  readonly currentView: () => ClusterView | undefined;
  readonly digest: (clock: DotSet) => bigint;
  readonly divergences: Divergences;
  readonly retirements: Pick<Retirements, 'fold'>;
}

/** Between two exchanges with a peer, give or take half of it. */
const ROUND_MS = 2000;
/** After a peer is back, the exchange with it begins within so long. */
const RETURN_MS = 200;
const CALL_MS = 5000;
const INVENTORY_KEYS = 1000;
/** Requests come first. */
const INVENTORY_PAUSE_MS = 5;
/** Keys that are looked at for a context that the clock has caught up with, per partition and round. */
const STRIPPED_PER_ROUND = 500;

/**
 * Brings this node up to date with the other owners: every few seconds it asks each peer for the clocks of the partitions that both
 * own, and pulls what they have and this node has not. Each owner pulls for itself, so that two that agree on nothing else agree
 * on who does the work, and on the rate at which it can take it.
 *
 * One peer's round at a time: what one has brought need not be asked of another.
 */
export class AntiEntropy {
  private readonly options: AntiEntropyOptions;
  private readonly due = new Map<NodeId, number>();
  private timer: Timer | undefined;
  private isRunning = false;
  private isStopped = false;
  private hasInventory = false;
  rounds = 0;
  readonly pulled = { keys: 0, bytes: 0, comparisons: 0 };

  constructor(options: AntiEntropyOptions) {
    this.options = options;
  }

  start(): void {
    this.schedule();
  }

  stop(): void {
    this.isStopped = true;
    this.timer?.cancel();
  }

  /** The peer can be reached again: what either side has missed is to be exchanged now. */
  connected(peer: NodeId): void {
    const { clock, random } = this.options;
    this.due.set(peer, clock.monotonicMs() + RETURN_MS * random.next());
    this.schedule();
  }

  view(): SyncView {
    const { self, divergences, currentView } = this.options;
    const partitions = divergences.current();
    const view = currentView();
    let unheard = 0;
    for (const partition of view?.partitionsOf(self) ?? []) {
      for (const { id } of view?.ownersOf(partition) ?? []) {
        if (id !== self && divergences.clockOf(id, partition) === undefined) unheard++;
      }
    }
    return { node: self, oldestMs: partitions[0]?.forMs ?? null, unheard, partitions };
  }

  private schedule(): void {
    if (this.isStopped || this.isRunning) return;
    this.timer?.cancel();
    const { clock } = this.options;
    const nowMs = clock.monotonicMs();
    const earliestMs = Math.min(nowMs + ROUND_MS, ...this.due.values());
    this.timer = clock.after(Math.max(0, earliestMs - nowMs), () => void this.run());
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    try {
      await this.takeInventory();
      this.options.retirements.fold();
      for (const peer of this.duePeers()) await this.round(peer);
      this.options.retirements.fold();
      this.tidy();
    } catch (error) {
      // A broken store or invariant ends the process by itself; the peer's round is simply over.
      if (!(error instanceof StoreError)) throw error;
      this.options.logger.warn({ reason: error.message }, 'an exchange with another owner failed');
    } finally {
      this.isRunning = false;
      this.schedule();
    }
  }

  /** Those whose time has come; every member is given its next. */
  private duePeers(): readonly NodeId[] {
    const { clock, self, random, currentView } = this.options;
    const nowMs = clock.monotonicMs();
    const peers: NodeId[] = [];
    for (const [peer, atMs] of this.due) {
      if (atMs > nowMs) continue;
      this.due.delete(peer);
      peers.push(peer);
    }
    for (const { id } of currentView()?.state.members ?? []) {
      if (id !== self && !this.due.has(id)) this.due.set(id, nowMs + ROUND_MS * (0.5 + random.next()));
    }
    return peers;
  }

  /** Once: which keys were stored with a context in an earlier life. */
  private async takeInventory(): Promise<void> {
    const { currentView, self, store, replica, clock } = this.options;
    const view = currentView();
    if (this.hasInventory || view === undefined) return;
    this.hasInventory = true;
    for (const partition of view.partitionsOf(self)) {
      for (let found = store.scan(partition, undefined, INVENTORY_KEYS); found.length > 0; ) {
        for (const { key, object } of found) replica.found(partition, key, object);
        await new Promise<void>((resolve) => clock.after(INVENTORY_PAUSE_MS, resolve));
        if (this.isStopped) return;
        found = store.scan(partition, found.at(-1)?.key, INVENTORY_KEYS);
      }
    }
  }

  private async round(peer: NodeId): Promise<void> {
    const { detector, clock, currentView } = this.options;
    const view = currentView();
    if (this.isStopped || view === undefined || !detector.isUp(peer, clock.monotonicMs())) return;
    const common = view.partitionsOf(this.options.self).filter((partition) => view.owns(peer, partition));
    if (common.length === 0) return;
    this.rounds++;
    const differing = await this.exchangeClocks(view, peer, common);
    for (const { partition, clock: theirs } of differing) {
      if (this.isStopped) return;
      if (isSubset(theirs, this.options.store.clock(partition))) continue;
      const pull = new PartitionPull(this.options, view, peer, partition, this.pulled);
      await pull.run();
    }
  }

  /** The partitions in which the peer's clock is another one, with that clock. */
  private async exchangeClocks(
    view: ClusterView,
    peer: NodeId,
    partitions: readonly Partition[],
  ): Promise<readonly { readonly partition: Partition; readonly clock: DotSet }[]> {
    const { store, calls, digest, divergences } = this.options;
    const mine = partitions.map((partition) => ({ partition, clock: store.clock(partition) }));
    await store.durable(store.lastSequence, 'flush');
    const out = new ByteWriter();
    const digests = mine.map(({ partition, clock }) => ({ partition, digest: digest(clock) }));
    writeSyncRequest(out, { epoch: view.epoch, digests });
    const outcome = await calls.request(peer, METHOD.sync, out.view(), CALL_MS);
    if (outcome.kind !== 'reply') return [];
    const answer = decoded(() => readSyncAnswer(outcome.body));
    if (answer === undefined) return [];
    const { differing, refused } = answer;
    const clocks = new Map(differing.map((one) => [one.partition, one.clock]));
    for (const { partition, clock } of mine) {
      if (!refused.includes(partition)) divergences.heard(peer, partition, clock, clocks.get(partition) ?? clock);
    }
    return differing.filter(({ partition }) => partitions.includes(partition));
  }

  /** What only waits for a clock to grow, or is remembered for owners that have it by now. */
  private tidy(): void {
    const { replica, divergences, currentView, self } = this.options;
    const view = currentView();
    if (view === undefined) return;
    for (const partition of view.partitionsOf(self)) {
      replica.strip(partition, STRIPPED_PER_ROUND);
      const others = view.ownersOf(partition).filter(({ id }) => id !== self);
      const clocks = others.map(({ id }) => divergences.clockOf(id, partition));
      const known = clocks.filter((clock) => clock !== undefined);
      if (known.length === others.length) replica.dotLog.forgetKnown(partition, known);
    }
  }
}
