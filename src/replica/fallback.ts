import type { Container } from '../core/causality/container.ts';
import type { Actor, Dot } from '../core/causality/dot.ts';
import { type DotSet, dotSetOf, lastCounter } from '../core/causality/dot-set.ts';
import { hintedWrites, writeAsFallback } from '../core/causality/hinted-writes.ts';
import type { MemberNumber } from '../core/ids.ts';
import { StoreError } from '../errors.ts';
import type { Sequence, Store } from '../ports.ts';
import type { HintRequest, KeyAddress } from '../protocol.ts';
import { counterKey, decodeCounter, encodeCounter } from './hint-record.ts';
import type { HintStore } from './hint-store.ts';
import type { Replica } from './replica.ts';

export interface FallbackNeeds {
  readonly store: Store;
  readonly hints: HintStore;
  readonly replica: Replica;
}

export interface CoordinatedHint {
  readonly dot: Dot;
  /** What the owners, and those who stand in for others of them, are sent. */
  readonly filled: Container;
  readonly covered: DotSet;
  readonly sequence: Sequence;
}

/** What this node does with keys of partitions that it does not own: it stands in for owners that are away, one synchronous step each. */
export class Fallback {
  private readonly needs: FallbackNeeds;

  constructor(needs: FallbackNeeds) {
    this.needs = needs;
  }

  /** Errors: conflict (no view here yet, the sender's is outdated, or this node is an owner itself). */
  check(address: KeyAddress): void {
    this.needs.replica.ownership.checkNoOwner(address);
  }

  /**
   * Keeps a write for its absent owner. The sequence must be durable before it is acknowledged.
   * Errors: as of `check`, and overloaded (no room).
   */
  keep(request: HintRequest): Sequence {
    this.check(request);
    this.needs.replica.ownership.checkOwner(request, request.target);
    const { target, container, dots } = request;
    return this.kept(this.needs.hints.keep(target, request, hintedWrites(container, dotSetOf(dots)), 'counted'));
  }

  /**
   * Mints a dot for a client's write and keeps it for `target`. The counter is of this node's own, and is stored with the hint: it
   * must outlive it, or a later write would be named like an earlier one that an owner already has (rule C6).
   * Errors: sibling-limit and overloaded (nothing was stored), storage-failed.
   */
  coordinate(
    address: KeyAddress,
    target: MemberNumber,
    actor: Actor,
    version: Uint8Array | undefined,
    context: DotSet | undefined,
  ): CoordinatedHint {
    const { hints, replica } = this.needs;
    const dot = this.nextDot(address, actor);
    const { container, covered } = writeAsFallback(hints.held(address.key)?.container, dot, version, context);
    if (version !== undefined) replica.checkSize(container);
    const counter = { key: counterKey(address.partition), value: encodeCounter(dot) };
    const writes = hintedWrites(container, dotSetOf([dot]));
    const sequence = this.kept(hints.keep(target, address, writes, 'counted', [counter]));
    return { dot, filled: container, covered, sequence };
  }

  private nextDot({ partition }: KeyAddress, actor: Actor): Dot {
    const { store } = this.needs;
    const record = store.meta(counterKey(partition));
    const last = record === undefined ? undefined : decodeCounter(record);
    const minted = last?.actor === actor ? last.counter : 0;
    return { actor, counter: Math.max(minted, lastCounter(store.clock(partition), actor)) + 1 };
  }

  private kept(sequence: Sequence | undefined): Sequence {
    if (sequence !== undefined) return sequence;
    const details = { outcome: 'not_applied', retryable: true, retryAfterS: 1 } as const;
    throw new StoreError('overloaded', 'no room for more writes to nodes that are away', details);
  }
}
