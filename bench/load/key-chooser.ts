import { Zipfian } from './zipfian.ts';

/** Draws which key is next: a number from 0. */
export type KeyChooser = () => number;

export function uniform(keys: number, random: () => number): KeyChooser {
  return () => Math.floor(random() * keys);
}

/**
 * A few keys are asked for most, and they are spread over all: a rank is drawn from ten billion, hashed, and taken modulo the number of keys
 * (YCSB's ScrambledZipfianGenerator, with another hash). With 100,000 keys the hottest gets 3.8 % of all operations.
 */
export function scrambledZipfian(keys: number, random: () => number): KeyChooser {
  const ranks = new Zipfian(YCSB_ITEMS, random, YCSB_ZETA);
  return () => hash(ranks.next()) % keys;
}

/**
 * The newest key is asked for most, the one before it less, and so on back to the first (YCSB's SkewedLatestGenerator). `count` tells how many
 * keys there are by now, at least 2; it never goes down.
 */
export function latest(count: () => number, random: () => number): KeyChooser {
  const ages = new Zipfian(count(), random);
  return () => {
    const keys = count();
    ages.grow(keys);
    return keys - 1 - ages.next();
  };
}

/** YCSB draws ranks from so many whatever the number of keys, so that the skew does not depend on it; and their zeta for 0.99, which YCSB has as a constant too. */
const YCSB_ITEMS = 10_000_000_000;
const YCSB_ZETA = 26.46902820178302;

/** 32 bits of a rank of up to 53, by the finalizer of MurmurHash3 over both halves. */
function hash(rank: number): number {
  return mix(mix(Math.floor(rank / 2 ** 32) ^ 0x9e3779b9) ^ (rank >>> 0));
}

function mix(bits: number): number {
  let h = bits;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
