import { type Model, partitionBy } from './model.ts';

export type KeyValueInput =
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'put' | 'append'; readonly key: string; readonly value: string };

/** What a get shows; of a put or an append that it was done. */
export type KeyValueOutput = { readonly kind: 'value'; readonly value: string } | { readonly kind: 'written' };

/** Strings under keys, each of them empty at first. The state is that of one key: keys are checked one by one. */
export const keyValue: Model<string, KeyValueInput, KeyValueOutput> = {
  initial: '',
  step: (state, input, output) => {
    if (input.kind === 'get') {
      return output === undefined || (output.kind === 'value' && output.value === state) ? state : undefined;
    }
    if (output !== undefined && output.kind !== 'written') return undefined;
    return input.kind === 'put' ? input.value : state + input.value;
  },
  canMatter: (input, part) =>
    input.kind !== 'get' &&
    part.some(({ returned }) => returned?.output.kind === 'value' && returned.output.value.includes(input.value)),
  partition: (history) => partitionBy(history, ({ input }) => input.key),
  describe: (input, output) => {
    const value = input.kind === 'get' ? '' : ` ${JSON.stringify(input.value)}`;
    const answer = output?.kind === 'value' ? JSON.stringify(output.value) : output === undefined ? 'unknown' : 'ok';
    return `${input.kind} ${input.key}${value} -> ${answer}`;
  },
};
