import type { Model } from './model.ts';

export type CasInput<V> =
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly value: V }
  | { readonly kind: 'cas'; readonly from: V; readonly to: V };

export type CasOutput<V> =
  | { readonly kind: 'value'; readonly value: V }
  | { readonly kind: 'written' }
  /** Whether the register held `from`, and so holds `to` now. */
  | { readonly kind: 'compared'; readonly isEqual: boolean };

/**
 * One register that can be read, written, and written if it holds a certain value.
 *
 * Any unanswered write may matter: one of a value that nobody was shown is what made a comparison fail.
 */
export function casRegister<V extends string | number | null>(initial: V): Model<V, CasInput<V>, CasOutput<V>> {
  return {
    initial,
    step: (state, input, output) => {
      switch (input.kind) {
        case 'read':
          return output === undefined || (output.kind === 'value' && output.value === state) ? state : undefined;
        case 'write':
          return output === undefined || output.kind === 'written' ? input.value : undefined;
        case 'cas': {
          const isEqual = input.from === state;
          if (output !== undefined && (output.kind !== 'compared' || output.isEqual !== isEqual)) return undefined;
          return isEqual ? input.to : state;
        }
      }
    },
    describe: (input, output) => `${describeInput(input)} -> ${describeOutput(output)}`,
  };
}

function describeInput(input: CasInput<unknown>): string {
  if (input.kind === 'read') return 'read';
  return input.kind === 'write' ? `write ${input.value}` : `cas ${input.from} to ${input.to}`;
}

function describeOutput(output: CasOutput<unknown> | undefined): string {
  if (output === undefined) return 'unknown';
  if (output.kind === 'compared') return output.isEqual ? 'equal' : 'unequal';
  return output.kind === 'value' ? `${output.value}` : 'ok';
}
