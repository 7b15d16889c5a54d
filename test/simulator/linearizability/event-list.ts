import { isDeepStrictEqual } from 'node:util';
import { invariant } from '../../../src/core/invariant.ts';
import type { Defined, Operation } from './model.ts';

/** A call or a return, linked to its neighbours in time. */
export interface HistoryEvent<I, O extends Defined> {
  readonly operation: Operation<I, O>;
  readonly kind: 'answered call' | 'open call' | 'return';
  /** Of an answered call: its return. */
  readonly match: HistoryEvent<I, O> | undefined;
  /** Place among all events, from 0. */
  position: number;
  /** Of a call: its place among the answered calls, or among the open ones, from 0. */
  index: number;
  /** Of an open call: the latest one before it with an equal input. */
  twin: HistoryEvent<I, O> | undefined;
  previous: Link<I, O>;
  next: HistoryEvent<I, O> | undefined;
}

interface Link<I, O extends Defined> {
  next: HistoryEvent<I, O> | undefined;
}

/**
 * Events in the order of time, from which an operation can be lifted and put back at no cost: a doubly linked list whose removed members
 * keep their links (Wing and Gong 1993, figure 6). What was lifted last must be put back first.
 */
export class EventList<I, O extends Defined> {
  private readonly head: Link<I, O> = { next: undefined };

  constructor(events: readonly HistoryEvent<I, O>[]) {
    let last = this.head;
    for (const event of events) {
      event.previous = last;
      last.next = event;
      last = event;
    }
  }

  get first(): HistoryEvent<I, O> | undefined {
    return this.head.next;
  }

  /** Takes an operation out: its call and its return. */
  lift(call: HistoryEvent<I, O>): void {
    unlink(call);
    if (call.match !== undefined) unlink(call.match);
  }

  putBack(call: HistoryEvent<I, O>): void {
    if (call.match !== undefined) relink(call.match);
    relink(call);
  }
}

/**
 * The calls and returns of a history in the order of time.
 *
 * At equal times calls come before returns: such operations overlap, so nothing is claimed that the times do not show.
 */
export function eventsOf<I, O extends Defined>(history: readonly Operation<I, O>[]): readonly HistoryEvent<I, O>[] {
  const events = history.flatMap((operation) => callAndReturn(operation));
  events.sort((a, b) => timeOf(a) - timeOf(b) || Number(a.kind === 'return') - Number(b.kind === 'return'));
  for (const [position, event] of events.entries()) event.position = position;
  for (const [index, call] of events.filter(({ kind }) => kind === 'answered call').entries()) call.index = index;
  const twins: HistoryEvent<I, O>[] = [];
  for (const [index, call] of events.filter(({ kind }) => kind === 'open call').entries()) {
    call.index = index;
    const at = twins.findIndex((twin) => isDeepStrictEqual(twin.operation.input, call.operation.input));
    call.twin = twins[at];
    twins[at === -1 ? twins.length : at] = call;
  }
  return events;
}

function callAndReturn<I, O extends Defined>(operation: Operation<I, O>): HistoryEvent<I, O>[] {
  const { calledAt, returned } = operation;
  const unlinked = {
    operation,
    position: -1,
    index: -1,
    twin: undefined,
    previous: { next: undefined },
    next: undefined,
  };
  if (returned === undefined) return [{ ...unlinked, kind: 'open call', match: undefined }];
  invariant(calledAt <= returned.at, 'an operation returns after its call');
  const end: HistoryEvent<I, O> = { ...unlinked, kind: 'return', match: undefined };
  return [{ ...unlinked, kind: 'answered call', match: end }, end];
}

function timeOf<I, O extends Defined>({ kind, operation }: HistoryEvent<I, O>): number {
  return kind === 'return' ? (operation.returned?.at ?? Number.POSITIVE_INFINITY) : operation.calledAt;
}

function unlink<I, O extends Defined>({ previous, next }: HistoryEvent<I, O>): void {
  previous.next = next;
  if (next !== undefined) next.previous = previous;
}

function relink<I, O extends Defined>(event: HistoryEvent<I, O>): void {
  event.previous.next = event;
  if (event.next !== undefined) event.next.previous = event;
}
