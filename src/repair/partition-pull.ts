import { ByteWriter } from '../core/bytes.ts';
import { EMPTY_CONTAINER } from '../core/causality/container.ts';
import { type DotSet, isSubset } from '../core/causality/dot-set.ts';
import { compareKeys, type NodeId, type ObjectKey, type Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { ClusterView } from '../membership/cluster-view.ts';
import type { Clock, Logger, Store, StoredObject } from '../ports.ts';
import { METHOD } from '../protocol.ts';
import type { Comparison, Replica } from '../replica/replica.ts';
import type { Calls } from '../rpc/calls.ts';
import { PullPace } from './pull-pace.ts';
import {
  type CompareAnswer,
  type CompareRequest,
  decoded,
  type MissingAnswer,
  type ReceivedKey,
  readCompareAnswer,
  readMissingAnswer,
  writeCompareRequest,
  writeMissingRequest,
} from './sync-messages.ts';

export interface PullNeeds {
  readonly replica: Replica;
  readonly store: Store;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Counters of all pulls of the node. */
export interface PullCounts {
  keys: number;
  bytes: number;
  comparisons: number;
}

/** Keys of an answer that could not be taken in, and what was wrong with the first of them. */
interface Damage {
  readonly error: StoreError;
  readonly keys: number;
}

const CALL_MS = 10_000;
/** Of this node's own keys, in one turn. */
const SCAN_KEYS = 100;
const SCAN_BYTES = 256 * 1024;
/** Turns of one pull: more than any partition takes, so that no fault of ours goes round for ever. */
export const STEPS_MAX = 1_000_000;

/** Takes in what one owner of a partition has and this one has not: by the dots that are missing, or by comparing all keys. */
export class PartitionPull {
  private readonly needs: PullNeeds;
  private readonly view: ClusterView;
  private readonly peer: NodeId;
  private readonly partition: Partition;
  private readonly counts: PullCounts;
  private readonly pace = new PullPace();
  /** The peer has left a question unanswered: there is no use in asking it more for now. One that refuses may answer of other partitions. */
  isUnanswered = false;

  constructor(needs: PullNeeds, view: ClusterView, peer: NodeId, partition: Partition, counts: PullCounts) {
    this.needs = needs;
    this.view = view;
    this.peer = peer;
    this.partition = partition;
    this.counts = counts;
  }

  /**
   * Ends when nothing is missing that the peer had when it was last asked, or when it refuses or does not answer. Errors: storage-failed, when
   * what is left cannot be taken in, because what is here of these keys is damaged.
   */
  async run(): Promise<void> {
    for (let step = 0; step < STEPS_MAX; step++) {
      const answer = await this.askMissing();
      if (answer === undefined) return;
      if (answer.kind === 'unknown') return this.compare();
      if (answer.keys.length === 0) return;
      const damage = this.takeIn(answer.keys, answer.clock);
      if (damage !== undefined && damage.keys === answer.keys.length) throw damage.error;
      if (isSubset(answer.clock, this.needs.store.clock(this.partition))) return;
      await this.pause(answer.keys);
    }
  }

  private async askMissing(): Promise<MissingAnswer | undefined> {
    const { store } = this.needs;
    const clock = store.clock(this.partition);
    // The peer forgets what it is told that this node has: that must be so after a crash as well (rule C3).
    await store.durable(store.lastSequence, 'flush');
    const out = new ByteWriter();
    writeMissingRequest(out, { epoch: this.view.epoch, partition: this.partition, clock });
    return this.ask(METHOD.missing, out, (body) => readMissingAnswer(body));
  }

  /**
   * Every key of the partition, in order and in pieces. The peer's clock of the first piece is taken in after the last one; until
   * then the keys that were passed are judged by it as well (rule C2, {@link Replica.beginComparison}).
   */
  private async compare(): Promise<void> {
    this.counts.comparisons++;
    this.needs.logger.info({ peer: this.peer, partition: this.partition }, 'comparing a partition in full');
    const first = await this.askCompare(undefined);
    if (first === undefined) return;
    const { replica } = this.needs;
    const comparison = replica.beginComparison(this.partition, first.clock);
    try {
      if (await this.compareAll(first, comparison)) replica.absorbClock(this.partition, first.clock);
    } finally {
      replica.endComparison(this.partition, comparison);
    }
  }

  /** False when it broke off. One step for each turn: what is here between two keys of the peer's may be far more than a piece. */
  private async compareAll(first: CompareAnswer, comparison: Comparison): Promise<boolean> {
    let piece: CompareAnswer | undefined = first;
    for (let step = 0; step < STEPS_MAX; step++) {
      if (piece === undefined || piece.life !== first.life) return false;
      if (!piece.isLast && piece.keys.length === 0) return false;
      const isPassed = this.passKeys(piece, comparison);
      if (isPassed && piece.isLast) return true;
      await this.pause(isPassed ? piece.keys : []);
      if (this.needs.calls.isStopped) return false;
      if (isPassed) piece = await this.askCompare(comparison.passed);
    }
    return false;
  }

  /**
   * Goes on behind what has been passed, up to the end of the piece or as far as one look at this node's keys reaches. True at the end.
   *
   * All of it is one synchronous step, in this order. A key of the piece that was taken in and not passed would let a late copy of what
   * the peer has deleted live again; one that was passed and not taken in yet would lose the siblings that the peer still has (rule C2).
   */
  private passKeys(piece: CompareAnswer, comparison: Comparison): boolean {
    const after = comparison.passed;
    const mine = this.needs.store.scan(this.partition, after, SCAN_KEYS, SCAN_BYTES);
    const end = piece.isLast ? undefined : piece.keys.at(-1)?.key;
    const reached = mine.at(-1)?.key;
    const isPastEnd = reached === undefined || (end !== undefined && compareKeys(reached, end) >= 0);
    // Fewer keys than were asked for need not be the last ones.
    const isPassed = isPastEnd || (mine.length < SCAN_KEYS && this.isLastHere(reached));
    const bound = isPassed ? end : reached;
    const isWithin = ({ key }: { readonly key: ObjectKey }): boolean =>
      bound === undefined || compareKeys(key, bound) <= 0;
    const theirs = piece.keys.filter(
      (one) => (after === undefined || compareKeys(one.key, after) > 0) && isWithin(one),
    );
    const damage = this.takeIn(theirs, piece.clock);
    // The clock must not take in what a key that was passed over lacks.
    if (damage !== undefined) throw damage.error;
    this.dropAbsent(mine.filter(isWithin), theirs, piece.clock);
    if (bound !== undefined) comparison.passed = bound;
    return isPassed;
  }

  private isLastHere(key: ObjectKey): boolean {
    return this.needs.store.scan(this.partition, key, 1).length === 0;
  }

  private readonly noteSilence = (): void => {
    this.isUnanswered = true;
  };

  private askCompare(after: ObjectKey | undefined): Promise<CompareAnswer | undefined> {
    const request = { epoch: this.view.epoch, partition: this.partition, after };
    return askCompare(this.needs.calls, this.peer, request, this.noteSilence);
  }

  /** One key that cannot be read here does not hold up the others: it remains missing. */
  private takeIn(keys: readonly ReceivedKey[], theirClock: DotSet): Damage | undefined {
    let damage: Damage | undefined;
    for (const { key, dots, theirs, bytes } of keys) {
      try {
        this.needs.replica.absorb({ partition: this.partition, key }, theirs, theirClock, dots);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        damage = { error: damage?.error ?? error, keys: (damage?.keys ?? 0) + 1 };
        continue;
      }
      this.counts.keys++;
      this.counts.bytes += bytes;
    }
    return damage;
  }

  /** Keys that are here and not there: what the peer's clock has of them was overwritten or deleted. */
  private dropAbsent(mine: readonly StoredObject[], theirs: readonly ReceivedKey[], theirClock: DotSet): void {
    const there = new Set(theirs.map(({ key }) => key));
    for (const { key } of mine) {
      if (!there.has(key))
        this.needs.replica.absorb({ partition: this.partition, key }, EMPTY_CONTAINER, theirClock, []);
    }
  }

  private async ask<T>(
    method: number,
    out: ByteWriter,
    read: (body: Parameters<typeof readMissingAnswer>[0]) => T,
  ): Promise<T | undefined> {
    const outcome = await this.needs.calls.request(this.peer, method, out.view(), CALL_MS);
    if (outcome.kind === 'failed') this.noteSilence();
    return outcome.kind === 'reply' ? decoded(() => read(outcome.body)) : undefined;
  }

  /** Also until the disk has caught up: what is pulled must not keep writes out. */
  private async pause(keys: readonly ReceivedKey[]): Promise<void> {
    do await pauseAfter(this.needs, this.pace, keys);
    while (this.needs.store.overloaded);
  }
}

/** One piece of the peer's copy of a partition. Undefined when it refuses or, which `silent` is told, does not answer. */
export async function askCompare(
  calls: Calls,
  peer: NodeId,
  request: CompareRequest,
  silent: () => void = () => {},
): Promise<CompareAnswer | undefined> {
  const out = new ByteWriter();
  writeCompareRequest(out, request);
  const outcome = await calls.request(peer, METHOD.compare, out.view(), CALL_MS);
  if (outcome.kind === 'failed') silent();
  return outcome.kind === 'reply' ? decoded(() => readCompareAnswer(outcome.body)) : undefined;
}

/** Waits as long as the pace says after these keys: requests come first. */
export function pauseAfter(
  { calls, clock }: Pick<PullNeeds, 'calls' | 'clock'>,
  pace: PullPace,
  keys: readonly ReceivedKey[],
): Promise<void> {
  const bytes = keys.reduce((sum, one) => sum + one.bytes, 0);
  const pauseMs = pace.pauseAfter(bytes, calls.stats().pending + calls.serving);
  return new Promise((resolve) => clock.after(pauseMs, resolve));
}
