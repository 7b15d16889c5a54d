import { randomBytes } from 'node:crypto';
import type { Random } from '../ports.ts';

const POOL_BYTES = 4096;

/** Chance from the system's cryptographic source. */
export function systemRandom(): Random {
  let pool = Buffer.alloc(0);
  let used = 0;
  return {
    /** 53 random bits over 2^53. From a pool: a call of its own for each number would cost a microsecond. */
    next: () => {
      if (used + 8 > pool.length) {
        pool = randomBytes(POOL_BYTES);
        used = 0;
      }
      const high = pool.readUInt32LE(used) >>> 6;
      const low = pool.readUInt32LE(used + 4) >>> 5;
      used += 8;
      return (high * 2 ** 27 + low) / 2 ** 53;
    },
    bytes: (length) => new Uint8Array(randomBytes(length)),
  };
}
