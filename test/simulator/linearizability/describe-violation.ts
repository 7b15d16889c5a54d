import type { Violation } from './check-linearizable.ts';
import type { Defined, Model, Operation } from './model.ts';

/** So many operations of the order are shown, the latest ones. */
const SHOWN_MAX = 12;

/** The violation for people: what cannot be explained, what came before it, and what else was under way. */
export function describeViolation<S extends Defined, I, O extends Defined>(
  model: Pick<Model<S, I, O>, 'describe'>,
  { blocked, prefix, state, unplaced, unanswered }: Violation<S, I, O>,
): string {
  const line = (operation: Operation<I, O>): string => {
    const { process, input, calledAt, returned } = operation;
    const text = model.describe(input, returned?.output);
    return `${text} (process ${process}, ${calledAt} to ${returned?.at ?? 'unknown'})`;
  };
  const lines = (operations: readonly Operation<I, O>[]): string[] => operations.map((it) => `  ${line(it)}`);
  const others = unplaced.filter((operation) => operation !== blocked);
  const hidden = prefix.length - SHOWN_MAX;
  return [
    `not linearizable: no order explains ${line(blocked)}`,
    `up to its return ${prefix.length} operations have an order:`,
    ...(hidden > 0 ? [`  (${hidden} earlier ones)`] : []),
    ...lines(prefix.slice(-SHOWN_MAX)),
    `which leads to ${JSON.stringify(state)}`,
    ...(others.length > 0 ? ['under way, and impossible next as well:', ...lines(others)] : []),
    ...(unanswered.length > 0 ? ['without an answer, and of no help:', ...lines(unanswered)] : []),
  ].join('\n');
}
