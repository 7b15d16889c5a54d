import { invariant } from '../../../src/core/invariant.ts';
import { BitSet } from './bit-set.ts';
import { ConfigurationCache } from './configuration-cache.ts';
import { EventList, eventsOf, type HistoryEvent } from './event-list.ts';
import type { Defined, Model, Operation } from './model.ts';

/** Enough for hundreds of operations per part with a dozen of them at a time, and reached within seconds. */
const STEPS_MAX = 2_000_000;

export interface Limits {
  /** Steps of the model per part. No limit in time: the same history has the same verdict on every machine. */
  readonly stepsMax?: number;
}

export type Verdict<S extends Defined, I, O extends Defined> =
  /** One order per part that explains every answer. Operations without an answer stand in it only where one was needed. */
  | { readonly kind: 'linearizable'; readonly orders: readonly (readonly Operation<I, O>[])[] }
  | Violation<S, I, O>
  /** The limit was reached in some part, and no other part has a violation. */
  | { readonly kind: 'unknown' };

/**
 * Why there is no order. What was called after `blocked` returned plays no part: without it the history is as wrong.
 * Earlier operations are not thinned out any further: without its write the read of a value would look wrong, and mislead.
 */
export interface Violation<S extends Defined, I, O extends Defined> {
  readonly kind: 'violation';
  /** The operation at whose return every order has failed; up to then there is one. The same whatever order the search takes. */
  readonly blocked: Operation<I, O>;
  /** An order of all that had returned by then and of as many answers as possible besides, with as few unanswered ones as it takes. */
  readonly prefix: readonly Operation<I, O>[];
  /** Where it leads. */
  readonly state: S;
  /** The answered operations under way at that moment that are not in it, `blocked` among them: `state` allows none of their answers. */
  readonly unplaced: readonly Operation<I, O>[];
  /** The unanswered operations called by then that might matter and are not in it: none of them helps. */
  readonly unanswered: readonly Operation<I, O>[];
}

/**
 * Whether there is an order of the operations that the model allows and that keeps every operation between its call and its return
 * (Herlihy and Wing 1990). An operation without a return may stand anywhere after its call, or nowhere.
 *
 * The search is Wing and Gong's (1993) with Lowe's memory of configurations (2017), part by part, as in Porcupine.
 */
export function checkLinearizable<S extends Defined, I, O extends Defined>(
  model: Model<S, I, O>,
  history: readonly Operation<I, O>[],
  { stepsMax = STEPS_MAX }: Limits = {},
): Verdict<S, I, O> {
  const parts = model.partition?.(history) ?? [history];
  const operations = parts.reduce((sum, part) => sum + part.length, 0);
  invariant(operations === history.length, 'the parts hold every operation once');
  const orders: (readonly Operation<I, O>[])[] = [];
  for (const part of parts) {
    const verdict = new Search(model, part, stepsMax).run();
    if (verdict.kind === 'violation') return verdict;
    if (verdict.kind === 'linearizable') orders.push(...verdict.orders);
  }
  return orders.length === parts.length ? { kind: 'linearizable', orders } : { kind: 'unknown' };
}

interface Placed<S, I, O extends Defined> {
  readonly call: HistoryEvent<I, O>;
  /** The state before it. */
  readonly before: S;
}

/**
 * Depth first over the orders of one part. What may come next are the operations called before the first return in the list, the
 * deadline: there the operation that returns is due, and the search goes back.
 *
 * Unanswered operations are what makes this explode. They are tried after the answered ones, and not
 * 1. where the same answers led to the same state with fewer of them ({@link ConfigurationCache}),
 * 2. right after another one that makes no difference there,
 * 3. while an earlier one of equal input is left.
 * No verdict changes: take an order with the fewest of them, those of equal input in the order of their calls. Where it broke a rule
 * there would be one with fewer.
 */
class Search<S extends Defined, I, O extends Defined> {
  private readonly model: Model<S, I, O>;
  private readonly equal: (a: S, b: S) => boolean;
  private readonly stepsMax: number;
  /** Answered operations not yet placed: calls and returns. */
  private readonly answered: EventList<I, O>;
  /** Unanswered operations not yet placed: calls. */
  private readonly open: EventList<I, O>;
  private readonly answeredPlaced: BitSet;
  private readonly openPlaced: BitSet;
  private readonly visited: ConfigurationCache<S>;
  private readonly placed: Placed<S, I, O>[] = [];
  private state: S;
  /** The return that the latest walk ended at. Going back over an unanswered operation leaves it right: the returns are the same. */
  private deadline: HistoryEvent<I, O> | undefined;
  private steps = 0;
  /** How many answered operations are not yet placed. */
  private due: number;
  private furthest: { position: number; due: number; violation: Violation<S, I, O> } | undefined;

  constructor(model: Model<S, I, O>, history: readonly Operation<I, O>[], stepsMax: number) {
    const mayMatter = ({ input, returned }: Operation<I, O>): boolean =>
      returned !== undefined || model.canMatter === undefined || model.canMatter(input, history);
    const events = eventsOf(history.filter(mayMatter));
    const openCalls = events.filter(({ kind }) => kind === 'open call');
    this.model = model;
    this.equal = (a, b) => (model.equal === undefined ? Object.is(a, b) : model.equal(a, b));
    this.stepsMax = stepsMax;
    this.answered = new EventList(events.filter(({ kind }) => kind !== 'open call'));
    this.open = new EventList(openCalls);
    this.due = history.filter(({ returned }) => returned !== undefined).length;
    this.answeredPlaced = BitSet.below(this.due);
    this.openPlaced = BitSet.below(openCalls.length);
    this.visited = new ConfigurationCache(this.equal);
    this.state = model.initial;
    this.visited.visit(this.answeredPlaced, this.openPlaced, this.state);
  }

  run(): Verdict<S, I, O> {
    let event = this.answered.first;
    while (this.due > 0) {
      if (event === undefined) {
        this.noteFailure();
        const last = this.goBack();
        if (last === undefined) break;
        event = this.following(last);
      } else if (event.kind === 'return') {
        this.deadline = event;
        event = this.beforeDeadline(this.open.first);
      } else if (this.steps >= this.stepsMax) return { kind: 'unknown' };
      else event = this.place(event) ? this.answered.first : this.following(event);
    }
    if (this.due === 0) return { kind: 'linearizable', orders: [this.order()] };
    invariant(this.furthest !== undefined, 'a search that gives up has failed somewhere');
    return this.furthest.violation;
  }

  /** What to look at after this call; undefined when nothing is left to try. */
  private following({ kind, next }: HistoryEvent<I, O>): HistoryEvent<I, O> | undefined {
    return kind === 'answered call' ? next : this.beforeDeadline(next);
  }

  private beforeDeadline(call: HistoryEvent<I, O> | undefined): HistoryEvent<I, O> | undefined {
    invariant(this.deadline !== undefined, 'what is due returns');
    return call !== undefined && call.position < this.deadline.position ? call : undefined;
  }

  private place(call: HistoryEvent<I, O>): boolean {
    const { twin } = call;
    if (twin !== undefined && !this.openPlaced.has(twin.index)) return false;
    const after = this.step(this.state, call);
    if (after === undefined || this.isPointless(call, after)) return false;
    this.flip(call);
    if (!this.visited.visit(this.answeredPlaced, this.openPlaced, after)) {
      this.flip(call);
      return false;
    }
    this.listOf(call).lift(call);
    this.placed.push({ call, before: this.state });
    this.state = after;
    if (call.kind === 'answered call') this.due--;
    return true;
  }

  /** Whether this call and the one before it are unanswered and the other one might as well be left out. */
  private isPointless(call: HistoryEvent<I, O>, after: S): boolean {
    const last = this.placed.at(-1);
    if (call.kind !== 'open call' || last?.call.kind !== 'open call') return false;
    const without = this.step(last.before, call);
    return without !== undefined && this.equal(without, after);
  }

  private goBack(): HistoryEvent<I, O> | undefined {
    const last = this.placed.pop();
    if (last === undefined) return undefined;
    this.listOf(last.call).putBack(last.call);
    this.flip(last.call);
    this.state = last.before;
    if (last.call.kind === 'answered call') this.due++;
    return last.call;
  }

  private step(state: S, { operation }: HistoryEvent<I, O>): S | undefined {
    this.steps++;
    return this.model.step(state, operation.input, operation.returned?.output);
  }

  private flip({ kind, index }: HistoryEvent<I, O>): void {
    if (kind === 'open call') this.openPlaced.flip(index);
    else this.answeredPlaced.flip(index);
  }

  private listOf({ kind }: HistoryEvent<I, O>): EventList<I, O> {
    return kind === 'open call' ? this.open : this.answered;
  }

  /** Keeps the failure at the latest return; of those, one with most answers explained; of those, a shortest. */
  private noteFailure(): void {
    const { furthest, deadline, due, state } = this;
    invariant(deadline !== undefined, 'what is due returns');
    const { position, operation: blocked } = deadline;
    if (furthest !== undefined) {
      const shorter = furthest.violation.prefix.length - this.placed.length;
      if ((position - furthest.position || furthest.due - due || shorter) <= 0) return;
    }
    const prefix = this.order();
    const unplaced = callsBefore(this.answered.first, position);
    const unanswered = callsBefore(this.open.first, position);
    this.furthest = { position, due, violation: { kind: 'violation', blocked, prefix, state, unplaced, unanswered } };
  }

  private order(): readonly Operation<I, O>[] {
    return this.placed.map(({ call }) => call.operation);
  }
}

function callsBefore<I, O extends Defined>(
  first: HistoryEvent<I, O> | undefined,
  position: number,
): readonly Operation<I, O>[] {
  const calls: Operation<I, O>[] = [];
  for (let event = first; event !== undefined && event.position < position; event = event.next) {
    calls.push(event.operation);
  }
  return calls;
}
