import { type Defined, type Model, partitionBy } from './model.ts';

/** `name`: whose settings (a bucket, say). A write replaces all of them. */
export type SettingsInput<V> =
  | { readonly kind: 'read'; readonly name: string }
  | { readonly kind: 'write'; readonly name: string; readonly value: V };

export type SettingsOutput<V> = { readonly kind: 'value'; readonly value: V } | { readonly kind: 'written' };

/**
 * Settings under names, as metadata commands change them and fresh reads show them: each name is a register of its own.
 *
 * A command that was refused is left out of the history; one that timed out has no answer. Values that are objects need `equal`: those
 * that went through a log come back as other objects.
 */
export function settingsRegister<V extends Defined>(
  initial: V,
  equal: (a: V, b: V) => boolean = Object.is,
): Model<V, SettingsInput<V>, SettingsOutput<V>> {
  return {
    initial,
    equal,
    step: (state, input, output) => {
      if (input.kind === 'write') return output === undefined || output.kind === 'written' ? input.value : undefined;
      return output === undefined || (output.kind === 'value' && equal(output.value, state)) ? state : undefined;
    },
    canMatter: (input, part) =>
      input.kind === 'write' &&
      part.some(({ returned }) => returned?.output.kind === 'value' && equal(returned.output.value, input.value)),
    partition: (history) => partitionBy(history, ({ input }) => input.name),
    describe: (input, output) => {
      const value = input.kind === 'read' ? '' : ` ${JSON.stringify(input.value)}`;
      const answer = output?.kind === 'value' ? JSON.stringify(output.value) : output === undefined ? 'unknown' : 'ok';
      return `${input.kind} ${input.name}${value} -> ${answer}`;
    },
  };
}
