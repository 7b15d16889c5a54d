import fc from 'fast-check';
import type { CasInput, CasOutput } from './cas-register.ts';
import type { Defined, Operation } from './model.ts';

export type CasOperation = Operation<CasInput<number>, CasOutput<number>>;

/** No generated input holds it. */
export const NEVER_WRITTEN = 99;

const value = fc.nat(3);
const input: fc.Arbitrary<CasInput<number>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'read' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('write' as const), value }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cas' as const), from: value, to: value }) },
);

/**
 * What clients of a true register may see: each operation takes effect at a moment of its own, is called some time before and answered
 * some time after, so that up to a dozen overlap. Some never hear of theirs; some of those took no effect.
 */
export function executions(operationsMax: number): fc.Arbitrary<readonly CasOperation[]> {
  const fate = fc.constantFrom('answered', 'answered', 'answered', 'answered', 'unheard', 'lost');
  const draft = fc.record({ input, fate, before: fc.nat(60), after: fc.nat(60) });
  return fc.array(draft, { minLength: 1, maxLength: operationsMax, size: 'max' }).map((drafts) => {
    let held = 0;
    return drafts.map(({ input, fate, before, after }, process): CasOperation => {
      const at = process * 10;
      const call = { process, input, calledAt: at - before };
      if (fate === 'lost') return { ...call, returned: undefined };
      const output = outputOf(input, held);
      held = heldAfter(input, held);
      return { ...call, returned: fate === 'unheard' ? undefined : { at: at + after, output } };
    });
  });
}

/** What was asked and answered, whether or not it makes sense. */
export type Exchange<I, O> = readonly [input: I, output: O];

export const casExchange: fc.Arbitrary<Exchange<CasInput<number>, CasOutput<number>>> = fc
  .tuple(input, value)
  .map(([input, held]) => [input, outputOf(input, held)]);

/** Histories of any exchanges at any times: many of them wrong. A quarter of the operations has no answer. */
export function arbitraryHistories<I, O extends Defined>(
  exchange: fc.Arbitrary<Exchange<I, O>>,
  operationsMax: number,
): fc.Arbitrary<readonly Operation<I, O>[]> {
  const draft = fc.record({ exchange, calledAt: fc.nat(8), lasting: fc.nat(6), luck: fc.nat(3) });
  return fc.array(draft, { minLength: 1, maxLength: operationsMax, size: 'max' }).map((drafts) =>
    drafts.map(({ exchange: [input, output], calledAt, lasting, luck }, process) => {
      return { process, input, calledAt, returned: luck === 0 ? undefined : { at: calledAt + lasting, output } };
    }),
  );
}

function outputOf(input: CasInput<number>, held: number): CasOutput<number> {
  if (input.kind === 'read') return { kind: 'value', value: held };
  return input.kind === 'write' ? { kind: 'written' } : { kind: 'compared', isEqual: input.from === held };
}

function heldAfter(input: CasInput<number>, held: number): number {
  if (input.kind === 'write') return input.value;
  return input.kind === 'cas' && input.from === held ? input.to : held;
}
