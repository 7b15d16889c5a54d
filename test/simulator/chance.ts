/**
 * Chance that is no accident: everything is a function of the seed.
 *
 * {@link Dice} is a sequence, for drawing a plan in a fixed order. {@link roll} is a hash of names, for the small decisions while a
 * world runs: the fate of message 17 stays what it was when something else is taken out of the plan.
 */
export class Dice {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number) {
    this.a = mix(seed, 0x9e3779b9);
    this.b = mix(seed, 0x85ebca6b);
    this.c = mix(seed, 0xc2b2ae35);
    for (let i = 0; i < 12; i++) this.next();
  }

  /** Uniform in [0, 1). The generator is sfc32 (Doty-Humphrey, PractRand). */
  next(): number {
    const sum = (this.a + this.b + this.counter++) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.whole(0, choices.length - 1)];
    if (choice === undefined) throw new Error('nothing to pick from');
    return choice;
  }

  /** `least` or more, now and then much more: the tail that finds time-outs. */
  skewed(least: number, most: number): number {
    return least + (most - least) * this.next() ** 3;
  }
}

/** Uniform in [0, 1), the same for the same seed and names. */
export function roll(seed: number, ...names: readonly number[]): number {
  let hash = mix(seed, 0x27d4eb2f);
  for (const name of names) hash = mix(hash ^ (name | 0), (name / 2 ** 32) | 0);
  return (hash >>> 0) / 2 ** 32;
}

/** MurmurHash3's finaliser over two words. */
export function mix(a: number, b: number): number {
  let hash = (a ^ Math.imul(b, 0x9e3779b1)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
