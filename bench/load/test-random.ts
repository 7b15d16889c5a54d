/** Chance from a seed, uniform in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each number below `size` was drawn, as shares of one. */
export function sharesOf(draw: () => number, size: number, draws: number): number[] {
  const counts = new Array<number>(size).fill(0);
  for (let i = 0; i < draws; i++) {
    const drawn = draw();
    counts[drawn] = (counts[drawn] ?? Number.NaN) + 1;
  }
  return counts.map((count) => count / draws);
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
