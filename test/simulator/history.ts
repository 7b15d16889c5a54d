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

export type Siblings = readonly { readonly dot: Dot; readonly value: string }[];

export type Answer =
  /** A read of one sibling: that one, or none. */
  | { readonly kind: 'sibling'; readonly siblings: Siblings; readonly context: DotSet }
  | {
      readonly kind: 'read';
      readonly siblings: Siblings;
      readonly context: DotSet;
      readonly required: number;
      readonly owners: number;
      readonly fallbacks: number;
      readonly n: number;
    }
  | {
      readonly kind: 'written';
      /** With `returnvalue`: what the coordinating owner held after it. */
      readonly siblings: Siblings;
      readonly context: DotSet;
      readonly required: number;
      readonly owners: number;
      readonly fallbacks: number;
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

/** The values that the client was shown. */
export function shownBy(answer: Answer | undefined): Siblings {
  return answer === undefined || !('siblings' in answer) ? [] : answer.siblings;
}

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
  private readonly byOperation = new Map<number, Request>();
  private readonly eventsByOperation = new Map<number, WriteEvent[]>();
  /** Three checkers ask. */
  private readonly coverable = new Map<ObjectKey, ReadonlyMap<string, number>>();

  /** Dots of writes that were lost before anybody held them for good. */
  private readonly lost = new Set<string>();
  private readonly ownerless = new Set<string>();

  /** The write was lost together with its actor: it has overwritten nothing, unless it was itself overwritten, and what did that is there. */
  lose({ partition, dot, key }: WriteEvent): void {
    this.coverable.delete(key);
    this.lost.add(dotName(partition, dot));
  }

  isLost({ partition, dot }: WriteEvent): boolean {
    return this.lost.size > 0 && this.lost.has(dotName(partition, dot));
  }

  /**
   * No owner holds the write any more: a lost folder had the last copy but for a hint. It is not lost, but until the hint is delivered
   * no read of owners can know of it, nor of what it covered.
   */
  losesItsOwners({ partition, dot }: WriteEvent): void {
    this.ownerless.add(dotName(partition, dot));
  }

  /** Whether it ever was so. */
  wasOwnerless({ partition, dot }: WriteEvent): boolean {
    return this.ownerless.size > 0 && this.ownerless.has(dotName(partition, dot));
  }

  begin(request: Request): void {
    this.coverable.delete(request.key);
    this.requests.push(request);
    this.byOperation.set(request.operation.id, request);
    listIn(this.requestsByKey, request.key).push(request);
  }

  minted(event: WriteEvent): void {
    this.coverable.delete(event.key);
    const name = dotName(event.partition, event.dot);
    if (this.events.has(name)) this.mintedTwice.push(event);
    this.events.set(name, event);
    listIn(this.byKey, event.key).push(event);
    if (event.operation !== undefined) listIn(this.eventsByOperation, event.operation).push(event);
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

  /** The request with that number, which is also the value that a put writes. */
  requestOf(operation: number): Request | undefined {
    return this.byOperation.get(operation);
  }

  /** The events that a put has led to: one, or the store has carried it out twice. */
  eventsOfOperation(operation: number): readonly WriteEvent[] {
    return this.eventsByOperation.get(operation) ?? [];
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

  /** Again and again, as long as lost writes turn out to have been overwritten: what did that has overwritten what they had. */
  private findCoverable(key: ObjectKey): ReadonlyMap<string, number> {
    let since: ReadonlyMap<string, number> = new Map();
    for (let size = -1; since.size > size; ) {
      size = since.size;
      since = this.coveredWith(key, since);
    }
    return since;
  }

  private coveredWith(key: ObjectKey, known: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    const since = new Map<string, number>();
    const isGone = (event: WriteEvent): boolean =>
      event.version !== undefined && !known.has(event.name) && this.isLost(event);
    const cover = (name: string, atMs: number): void => {
      since.set(name, Math.min(atMs, since.get(name) ?? Number.POSITIVE_INFINITY));
    };
    const events = this.eventsOf(key);
    for (const event of events) {
      // What a write with a context may replace is what the context covers, whatever it did replace.
      if (this.wasSentWithContext(event) || isGone(event)) continue;
      for (const dot of event.replaced) cover(formatDot(dot), event.atMs);
    }
    for (const { sent, isForged, invokedMs, operation } of this.requestsOf(key)) {
      if (sent === undefined || isForged || operation.kind === 'get') continue;
      const led = this.eventsOfOperation(operation.id);
      if (led.length > 0 && led.every(isGone)) continue;
      for (const { dot, name } of events) if (hasDot(sent, dot)) cover(name, invokedMs);
    }
    return since;
  }

  /**
   * The dots of the key's write events that this one covers: what it replaced where it was minted, and what its client's context
   * covers. Of a delete with a context only the former is known: deletes do not name their requests.
   */
  coveredBy(event: WriteEvent): readonly Dot[] {
    const request = event.operation === undefined ? undefined : this.byOperation.get(event.operation);
    const sent = request?.isForged === true ? undefined : request?.sent;
    if (sent === undefined) return event.replaced;
    return this.eventsOf(event.key).flatMap(({ dot }) => (hasDot(sent, dot) ? [dot] : []));
  }

  private wasSentWithContext({ operation }: WriteEvent): boolean {
    return operation !== undefined && this.byOperation.get(operation)?.sent !== undefined;
  }
}

function listIn<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (list === undefined) {
    list = [];
    lists.set(key, list);
  }
  return list;
}

export function dotName(partition: number, dot: Dot): string {
  return `${partition}/${formatDot(dot)}`;
}
