/** Anything but undefined, which means "nobody knows" of an output and "not allowed" of a state. */
export type Defined = NonNullable<unknown> | null;

/** What one client asked and was told. Times are of any unit; only their order counts. */
export interface Operation<I, O extends Defined> {
  readonly process: number | string;
  readonly input: I;
  readonly calledAt: number;
  /**
   * Undefined: the operation took effect at some moment after its call, or never. An operation that is known to have had no effect and
   * whose answer shows nothing (a refused write) is left out of the history.
   */
  readonly returned: { readonly at: number; readonly output: O } | undefined;
}

/** What an object does when its operations come one at a time. Pure: states are never changed. */
export interface Model<S extends Defined, I, O extends Defined> {
  readonly initial: S;
  /**
   * The state after the operation, or undefined when it cannot give this output here. `output` is undefined when nobody knows it: then
   * the operation does here what it would do.
   */
  step(state: S, input: I, output: O | undefined): S | undefined;
  /** Whether the object behaves the same in both from here on. `Object.is` if left out. */
  equal?(a: S, b: S): boolean;
  /** Parts that do not affect each other (keys, say): a history is linearizable when each of them is (Herlihy and Wing, theorem 1). */
  partition?(history: readonly Operation<I, O>[]): readonly (readonly Operation<I, O>[])[];
  /**
   * Whether an operation that had this input and was not answered may explain any answer of its part of the history; if left out, always.
   * A write of what nobody was shown may not: most operations that timed out are set aside by this, and the search is short.
   */
  canMatter?(input: I, part: readonly Operation<I, O>[]): boolean;
  /** One operation in a few words, for people. */
  describe(input: I, output: O | undefined): string;
}

/** The history cut by what the operations are about, each part in the order of the history. */
export function partitionBy<T>(history: readonly T[], keyOf: (operation: T) => string): readonly (readonly T[])[] {
  const parts = new Map<string, T[]>();
  for (const operation of history) {
    const key = keyOf(operation);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [operation]);
    else part.push(operation);
  }
  return [...parts.values()];
}
