import type { Defined, Model, Operation } from './model.ts';

/**
 * The definition, word for word: is there a selection of the operations, all answered ones among them, and an order of it that is legal
 * and keeps to real time? For a handful of operations; the parts of the model are not used.
 */
export function hasOrder<S extends Defined, I, O extends Defined>(
  model: Model<S, I, O>,
  history: readonly Operation<I, O>[],
): boolean {
  return selections(history).some((chosen) =>
    permutations(chosen).some((order) => keepsRealTime(order) && finalState(model, order) !== undefined),
  );
}

/** Nothing stands before what had returned before it was called. */
export function keepsRealTime<I, O extends Defined>(order: readonly Operation<I, O>[]): boolean {
  return order.every((operation, at) =>
    order.slice(at + 1).every(({ returned }) => returned === undefined || returned.at >= operation.calledAt),
  );
}

/** The state after the operations in this order; undefined when an answer is impossible. */
export function finalState<S extends Defined, I, O extends Defined>(
  model: Model<S, I, O>,
  order: readonly Operation<I, O>[],
): S | undefined {
  let state: S | undefined = model.initial;
  for (const { input, returned } of order) {
    if (state === undefined) return undefined;
    state = model.step(state, input, returned?.output);
  }
  return state;
}

function selections<I, O extends Defined>(history: readonly Operation<I, O>[]): readonly Operation<I, O>[][] {
  let all: Operation<I, O>[][] = [[]];
  for (const operation of history) {
    const withIt = all.map((chosen) => [...chosen, operation]);
    all = operation.returned === undefined ? [...all, ...withIt] : withIt;
  }
  return all;
}

function permutations<T>(items: readonly T[]): readonly T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}
