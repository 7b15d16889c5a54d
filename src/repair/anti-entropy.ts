import type { SyncView } from '../coordinator/api.ts';
import { ByteWriter } from '../core/bytes.ts';
import { type DotSet, isSubset } from '../core/causality/dot-set.ts';
import type { NodeId, Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { CatchUp } from '../membership/catch-up.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { FailureDetector } from '../membership/failure-detector.ts';
import type { Standing } from '../membership/standing.ts';
import type { Clock, Logger, Random, Store, Timer } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { HintStore } from '../replica/hint-store.ts';
import type { Replica } from '../replica/replica.ts';
import type { Calls } from '../rpc/calls.ts';
import type { ContentChecks } from './content-checks.ts';
import { ContentRepair } from './content-repair.ts';
import { DamageRepair } from './damage-repair.ts';
import type { Divergences } from './divergences.ts';
import type { ExchangeLimits } from './exchange-limits.ts';
import { Inventory } from './inventory.ts';
import { PartitionPull } from './partition-pull.ts';
import type { Retirements } from './retirements.ts';
import { decoded, readSyncAnswer, type SyncAnswer, writeSyncRequest } from './sync-messages.ts';

export interface AntiEntropyOptions {
  readonly self: NodeId;
  readonly replica: Replica;
  readonly store: Store;
  readonly hints: HintStore;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly detector: FailureDetector;
  readonly currentView: () => ClusterView | undefined;
  readonly digest: (clock: DotSet) => bigint;
  readonly divergences: Divergences;
  /** What this node has to catch up with before it serves (rule C8). */
  readonly catchUp: CatchUp;
  readonly standing: Standing;
  /** The other owners that a partition waits for before it is served. */
  readonly waitsFor: (view: ClusterView, partition: Partition) => readonly unknown[];
  readonly contents: ContentChecks;
  readonly limits: ExchangeLimits;
  readonly retirements: Pick<Retirements, 'fold'>;
}

/** What this node has of a partition in the moment of an exchange. */
interface Held {
  readonly partition: Partition;
  readonly clock: DotSet;
  readonly content: number | undefined;
}

/** Between two exchanges with a peer, give or take half of it. */
const ROUND_MS = 2000;
/** After a peer is back, the exchange with it begins within so long. */
const RETURN_MS = 200;
const CALL_MS = 5000;
/** Between two looks whether there is a grant. */
const UNGRANTED_MS = 50;
/** Between two exchanges while a partition cannot be served yet. */
const CATCH_UP_ROUND_MS = 200;
/** Keys that are looked at for a context that the clock has caught up with, per partition and round. */
const STRIPPED_PER_ROUND = 500;

/**
 * Brings this node up to date with the other owners: every few seconds it asks each peer for the clocks of the partitions that both
 * own, and pulls what they have and this node has not. Each owner pulls for itself, so that two that agree on nothing else agree
 * on who does the work, and on the rate at which it can take it.
 *
 * Where clocks are equal the contents must be: their hashes are compared, and what differs is mended ({@link ContentRepair}).
 *
 * One peer's round at a time: what one has brought need not be asked of another. None before this node has its grant: its folder may be
 * an older copy, which is looked through before anything is compared with it (rule C9).
 */
export class AntiEntropy {
  private readonly options: AntiEntropyOptions;
  private readonly inventory: Inventory;
  readonly damageRepair: DamageRepair;
  private readonly due = new Map<NodeId, number>();
  private timer: Timer | undefined;
  /** Undefined while none is under way. */
  private running: Promise<void> | undefined;
  private isStopped = false;
  rounds = 0;
  readonly pulled = { keys: 0, bytes: 0, comparisons: 0 };

  constructor(options: AntiEntropyOptions) {
    this.options = options;
    const { store, replica, clock, logger, limits } = options;
    this.inventory = new Inventory({ store, replica, clock, logger, keys: limits.keys });
    this.damageRepair = new DamageRepair({ ...options, inventory: this.inventory });
  }

  start(): void {
    this.schedule();
  }

  /** Resolves when nothing more is written to the store. What is being asked of others must fail, or it takes as long as that does. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.inventory.stop();
    this.damageRepair.stop();
    this.timer?.cancel();
    await this.running;
  }

  /** The peer can be reached again: what either side has missed is to be exchanged now. */
  connected(peer: NodeId): void {
    const { clock, random } = this.options;
    this.due.set(peer, clock.monotonicMs() + RETURN_MS * random.next());
    this.schedule();
  }

  view(): SyncView {
    const { self, divergences, contents, currentView } = this.options;
    const partitions = [...divergences.current(), ...contents.current()].sort((a, b) => b.forMs - a.forMs);
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
    if (this.isStopped || this.running !== undefined) return;
    this.timer?.cancel();
    const { clock } = this.options;
    const nowMs = clock.monotonicMs();
    const dueMs = this.isGranted ? [...this.due.values()] : [nowMs + UNGRANTED_MS];
    const earliestMs = Math.min(nowMs + ROUND_MS, ...dueMs);
    this.timer = clock.after(Math.max(0, earliestMs - nowMs), () => {
      this.running = this.run().finally(() => {
        this.running = undefined;
        this.schedule();
      });
    });
  }

  private get isGranted(): boolean {
    return this.options.standing.actor !== undefined;
  }

  private async run(): Promise<void> {
    const { currentView, self, retirements } = this.options;
    if (!this.isGranted) return;
    try {
      await this.inventory.take(currentView()?.partitionsOf(self) ?? []);
      if (this.isStopped) return;
      retirements.fold();
      for (const peer of this.duePeers()) await this.round(peer);
      if (this.isStopped) return;
      retirements.fold();
      await this.damageRepair.run();
      if (!this.isStopped) await this.tidy();
    } catch (error) {
      // A broken store or invariant ends the process by itself; the round is simply over.
      if (!(error instanceof StoreError)) throw error;
      this.options.logger.warn({ reason: error.message }, 'an exchange with other owners failed');
    }
  }

  /** Those whose time has come; every member is given its next. */
  private duePeers(): readonly NodeId[] {
    const { clock, self, random, currentView, catchUp } = this.options;
    const nowMs = clock.monotonicMs();
    const roundMs = catchUp.isOver ? ROUND_MS : CATCH_UP_ROUND_MS;
    const peers: NodeId[] = [];
    for (const [peer, atMs] of this.due) {
      if (atMs > nowMs) continue;
      this.due.delete(peer);
      peers.push(peer);
    }
    for (const { id } of currentView()?.state.members ?? []) {
      if (id !== self && !this.due.has(id)) this.due.set(id, nowMs + roundMs * (0.5 + random.next()));
    }
    return peers;
  }

  /** What cannot be done in one partition, because something in it is damaged, must not hold up the others. */
  private async attempt(partition: Partition, task: () => void | Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      // A broken store or invariant ends the process by itself.
      if (!(error instanceof StoreError)) throw error;
      this.options.logger.warn({ partition, reason: error.message }, 'a partition could not be compared or tidied');
    }
  }

  private async round(peer: NodeId): Promise<void> {
    const { detector, clock, currentView } = this.options;
    const view = currentView();
    if (this.isStopped || view === undefined || !detector.isUp(peer, clock.monotonicMs())) return;
    const common = view.partitionsOf(this.options.self).filter((partition) => view.owns(peer, partition));
    if (common.length === 0) return;
    this.rounds++;
    const heard = await this.exchangeClocks(view, peer, common);
    if (this.isStopped) return;
    for (const { partition, clock } of heard) this.covered(view, peer, partition, clock);
    for (const { partition, clock: theirs } of heard) {
      if (this.isStopped) return;
      if (isSubset(theirs, this.options.store.clock(partition))) continue;
      const pull = new PartitionPull(this.options, view, peer, partition, this.pulled);
      await this.attempt(partition, () => pull.run());
      if (this.isStopped) return;
      this.covered(view, peer, partition, theirs);
      // Whoever is silent must not keep this node from the others, a time-out for each partition.
      if (pull.isUnanswered) return;
    }
    for (const partition of this.options.contents.due(peer)) {
      if (this.isStopped) return;
      await new ContentRepair({ ...this.options, inventory: this.inventory }, view, peer, partition).run();
    }
  }

  /** The partitions of which the peer could speak, each with the clock that it had. */
  private async exchangeClocks(
    view: ClusterView,
    peer: NodeId,
    partitions: readonly Partition[],
  ): Promise<readonly { readonly partition: Partition; readonly clock: DotSet }[]> {
    const { store, calls, digest, divergences, contents } = this.options;
    const mine = partitions.map((partition) => {
      return { partition, clock: store.clock(partition), content: contents.hashOf(partition) };
    });
    await store.durable(store.lastSequence, 'flush');
    const out = new ByteWriter();
    const digests = mine.map(({ partition, clock, content }) => ({ partition, digest: digest(clock), content }));
    writeSyncRequest(out, { epoch: view.epoch, digests });
    const outcome = await calls.request(peer, METHOD.sync, out.view(), CALL_MS);
    // It has no grant yet.
    if (outcome.kind === 'refused' && outcome.code === 'not-ready') this.connected(peer);
    if (outcome.kind !== 'reply') return [];
    const answer = decoded(() => readSyncAnswer(outcome.body));
    if (answer === undefined) return [];
    const { differing, refused } = answer;
    const clocks = new Map(differing.map((one) => [one.partition, one.clock]));
    const heard = mine.filter(({ partition }) => !refused.includes(partition));
    for (const { partition, clock } of heard) divergences.heard(peer, partition, clock, clocks.get(partition) ?? clock);
    this.compareContents(peer, mine, answer);
    return heard.map(({ partition, clock }) => ({ partition, clock: clocks.get(partition) ?? clock }));
  }

  /** All that the peer had then is here, if it is. Rule C8: that counts as an exchange with it, the last owner's completes the partition. */
  private covered(view: ClusterView, peer: NodeId, partition: Partition, theirs: DotSet): void {
    const { catchUp, contents, store } = this.options;
    if (!isSubset(theirs, store.clock(partition))) return;
    contents.covers(peer, partition);
    const owner = view.member(peer);
    if (!catchUp.isOpen(partition) || owner === undefined) return;
    catchUp.exchanged(partition, owner.number);
    this.endCatchUp(view);
  }

  /** Partitions that wait for nobody any more are served again: as the owners are since this node has its grant. */
  private endCatchUp(view: ClusterView): void {
    const { catchUp, standing, waitsFor, self, logger } = this.options;
    if (catchUp.isOver || !standing.mayEndCatchUp) return;
    const owned = view.partitionsOf(self);
    for (const partition of owned) {
      if (catchUp.isOpen(partition) && waitsFor(view, partition).length === 0) catchUp.close(partition);
    }
    catchUp.endIfClosed(owned);
    if (catchUp.isOver) logger.info({ node: self }, 'caught up with the other owners');
  }

  private compareContents(peer: NodeId, mine: readonly Held[], answer: SyncAnswer): void {
    const { differing, refused, uncompared, mismatched } = answer;
    const others = new Set([...differing.map(({ partition }) => partition), ...refused, ...uncompared]);
    const different = new Set(mismatched);
    for (const { partition, content } of mine) {
      if (content !== undefined && !others.has(partition))
        this.options.contents.compared(peer, partition, !different.has(partition));
    }
  }

  /** What only waits for a clock to grow, or is remembered for owners that have it by now. */
  private async tidy(): Promise<void> {
    const { replica, divergences, contents, currentView, self } = this.options;
    const view = currentView();
    if (view === undefined) return;
    this.endCatchUp(view);
    contents.forgetOthers(view);
    for (const partition of view.partitionsOf(self)) {
      await this.attempt(partition, () => replica.strip(partition, STRIPPED_PER_ROUND));
      const others = view.ownersOf(partition).filter(({ id }) => id !== self);
      const clocks = others.map(({ id }) => divergences.clockOf(id, partition));
      const known = clocks.filter((clock) => clock !== undefined);
      if (known.length === others.length) replica.dotLog.forgetKnown(partition, known);
    }
  }
}
