const WORD_BITS = 32;

/** Integers from 0 to a limit, with a hash that is kept up to date as they come and go (Zobrist). */
export class BitSet {
  private readonly words: Uint32Array;
  private hashed: number;

  private constructor(words: Uint32Array, hashed: number) {
    this.words = words;
    this.hashed = hashed;
  }

  /** The empty set of integers below `limit`. */
  static below(limit: number): BitSet {
    return new BitSet(new Uint32Array(Math.ceil(limit / WORD_BITS)), 0);
  }

  /** 32 bits; equal for equal sets. */
  get hash(): number {
    return this.hashed;
  }

  copy(): BitSet {
    return new BitSet(this.words.slice(), this.hashed);
  }

  has(integer: number): boolean {
    return ((this.words[Math.floor(integer / WORD_BITS)] ?? 0) & (1 << (integer % WORD_BITS))) !== 0;
  }

  /** Adds the integer, or takes it out if it is there. */
  flip(integer: number): void {
    const word = Math.floor(integer / WORD_BITS);
    this.words[word] = (this.words[word] ?? 0) ^ (1 << (integer % WORD_BITS));
    this.hashed ^= scatter(integer + 1);
  }

  /** `other` has the same limit. */
  equals(other: BitSet): boolean {
    for (let at = 0; at < this.words.length; at++) if (this.words[at] !== other.words[at]) return false;
    return true;
  }

  /** `other` has the same limit. */
  isSubsetOf(other: BitSet): boolean {
    for (let at = 0; at < this.words.length; at++) {
      if (((this.words[at] ?? 0) & ~(other.words[at] ?? 0)) !== 0) return false;
    }
    return true;
  }
}

/** 32 bits that look random, from an integer (the finalizer of MurmurHash3). */
function scatter(integer: number): number {
  let bits = integer;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
