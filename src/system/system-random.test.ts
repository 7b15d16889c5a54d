import { describe, expect, it } from 'vitest';
import { systemRandom } from './system-random.ts';

describe('systemRandom', () => {
  it('draws numbers from 0 up to but not including 1, spread evenly', () => {
    const random = systemRandom();
    const tenths = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 20_000; draw++) {
      const number = random.next();
      expect(number >= 0 && number < 1).toBe(true);
      tenths[Math.floor(number * 10)] = (tenths[Math.floor(number * 10)] ?? 0) + 1;
    }
    // 2000 expected, standard deviation 42: ten of them away fails once in 10^22 runs.
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(424);
  });

  it('uses all 53 bits that a number has room for', () => {
    const random = systemRandom();
    const seen = new Set(Array.from({ length: 200 }, () => (random.next() * 2 ** 53) % 2 ** 20));
    expect(seen.size).toBeGreaterThan(190);
  });

  it('gives as many fresh bytes as asked for', () => {
    const random = systemRandom();
    expect(random.bytes(0)).toEqual(new Uint8Array(0));
    expect(random.bytes(32)).toHaveLength(32);
    expect(random.bytes(32)).not.toEqual(random.bytes(32));
  });
});
