import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderOf } from './order-of.ts';

const counts = fc.integer({ min: 1, max: 12 });

/** The rounds after which the square is complete. */
const roundsOf = (count: number): readonly (readonly number[])[] =>
  Array.from({ length: count % 2 === 0 ? count : 2 * count }, (_, round) => orderOf(count, round));

function timesEach<T>(items: readonly T[]): readonly number[] {
  const times = new Map<T, number>();
  for (const item of items) times.set(item, (times.get(item) ?? 0) + 1);
  return [...times.values()];
}

describe('the order of questions', () => {
  it('has each of them once in every round', () => {
    fc.assert(
      fc.property(counts, fc.nat(50), (count, round) => {
        expect([...orderOf(count, round)].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  it('has each of them at each place equally often', () => {
    fc.assert(
      fc.property(counts, (count) => {
        const rounds = roundsOf(count);
        for (let place = 0; place < count; place++) {
          const times = timesEach(rounds.map((order) => order[place]));
          expect(times).toEqual(Array.from({ length: count }, () => rounds.length / count));
        }
      }),
    );
  });

  it('has each of them right after each other one equally often', () => {
    fc.assert(
      fc.property(counts, (count) => {
        const rounds = roundsOf(count);
        const pairs = rounds.flatMap((order) => order.slice(1).map((one, i) => `${order[i]} ${one}`));
        expect(timesEach(pairs)).toEqual(Array.from({ length: count * (count - 1) }, () => rounds.length / count));
      }),
    );
  });
});
