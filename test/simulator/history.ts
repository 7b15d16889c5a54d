import type { Dot } from '../../src/core/causality/dot.ts';
import { formatDot } from '../../src/core/causality/dot.ts';
import { type DotSet, hasDot } from '../../src/core/causality/dot-set.ts';
import type { NodeId, ObjectKey } from '../../src/core/ids.ts';
import type { ErrorCode, WriteOutcome } from '../../src/errors.ts';
import type { Minted } from './observed-store.ts';
import type { Operation } from './plan.ts';

/** A client's request and what became of it. Times are virtual, in ms. */
export interface Request {
  readonly operation: Operation;
  readonly key: ObjectKey;
  readonly node: NodeId;
  /** Of the node's process: which of its lives was asked. */
  readonly life: number;
  readonly invokedMs: number;
  /** What the client sent as its context; undefined for none. */
  readonly sent: DotSet | undefined;
  readonly isForged: boolean;
  completedMs: number | undefined;
  answer: Answer | undefined;
}

export type Answer =
  | {
      readonly kind: 'read';
      readonly siblings: readonly { readonly dot: Dot; readonly value: string }[];
      readonly context: DotSet;
      readonly required: number;
      readonly owners: number;
      readonly n: number;
    }
  | {
      readonly kind: 'written';
      readonly context: DotSet;
      readonly required: number;
      readonly owners: number;
      readonly n: number;
      readonly by: readonly NodeId[];
    }
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      readonly outcome: WriteOutcome | undefined;
      readonly message: string;
    }
  /** Our own mistake: anything thrown that is no StoreError. */
  | { readonly kind: 'broken'; readonly error: string };

/** A write event: what is known of it from its birth. */
export interface WriteEvent extends Minted {
  readonly atMs: number;
  /** The dot as text: the checkers look it up many times. */
  readonly name: string;
  /** The operation of a put, by its value. */
  readonly operation: number | undefined;
}

/** What clients asked and were told, and the write events behind it: what the checkers judge. */
export class History {
  readonly requests: Request[] = [];
  /** By dot, as text with the partition: dots count per partition. */
  readonly events = new Map<string, WriteEvent>();
  readonly mintedTwice: WriteEvent[] = [];
  private readonly byKey = new Map<ObjectKey, WriteEvent[]>();
  private readonly requestsByKey = new Map<ObjectKey, Request[]>();
  /** Three checkers ask. */
  private readonly coverable = new Map<ObjectKey, ReadonlyMap<string, number>>();

  begin(request: Request): void {
    this.coverable.delete(request.key);
    this.requests.push(request);
    const list = this.requestsByKey.get(request.key);
    if (list === undefined) this.requestsByKey.set(request.key, [request]);
    else list.push(request);
  }

  minted(event: WriteEvent): void {
    this.coverable.delete(event.key);
    const name = dotName(event.partition, event.dot);
    if (this.events.has(name)) this.mintedTwice.push(event);
    this.events.set(name, event);
    const list = this.byKey.get(event.key);
    if (list === undefined) this.byKey.set(event.key, [event]);
    else list.push(event);
  }

  keys(): Iterable<ObjectKey> {
    return this.requestsByKey.keys();
  }

  eventsOf(key: ObjectKey): readonly WriteEvent[] {
    return this.byKey.get(key) ?? [];
  }

  requestsOf(key: ObjectKey): readonly Request[] {
    return this.requestsByKey.get(key) ?? [];
  }

  /**
   * For each dot of the key the moment from which it may rightly be covered: when a write event replaced it where it was minted, or a
   * client sent a context that covers it. A context is honest if all that it covers was coverable when it was given out: without the
   * time a dishonest one would make itself true by being used.
   */
  coverableSince(key: ObjectKey): ReadonlyMap<string, number> {
    const known = this.coverable.get(key);
    if (known !== undefined) return known;
    const since = this.findCoverable(key);
    this.coverable.set(key, since);
    return since;
  }

  private findCoverable(key: ObjectKey): ReadonlyMap<string, number> {
    const since = new Map<string, number>();
    const cover = (name: string, atMs: number): void => {
      since.set(name, Math.min(atMs, since.get(name) ?? Number.POSITIVE_INFINITY));
    };
    const events = this.eventsOf(key);
    for (const event of events) {
      // What a write with a context may replace is what the context covers, whatever it did replace.
      if (this.wasSentWithContext(event)) continue;
      for (const dot of event.replaced) cover(formatDot(dot), event.atMs);
    }
    for (const { sent, isForged, invokedMs, operation } of this.requestsOf(key)) {
      if (sent === undefined || isForged || operation.kind === 'get') continue;
      for (const { dot, name } of events) if (hasDot(sent, dot)) cover(name, invokedMs);
    }
    return since;
  }

  private wasSentWithContext({ operation, key }: WriteEvent): boolean {
    return this.requestsOf(key).some((request) => request.operation.id === operation && request.sent !== undefined);
  }
}

export function dotName(partition: number, dot: Dot): string {
  return `${partition}/${formatDot(dot)}`;
}
