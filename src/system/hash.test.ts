import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { vectorsFolder } from '../../test/vectors.ts';
import { objectKey } from '../core/ids.ts';
import { partitioner } from '../core/ring/hash-place.ts';
import { loadHashes } from './hash.ts';

const hashes = await loadHashes();
const folder = vectorsFolder();

describe('Hashes', () => {
  it('hashes the UTF-8 bytes of a text with XXH64, unsigned', () => {
    expect(hashes.hash64('')).toBe(0xef46_db37_51d8_e999n);
    expect(hashes.hash64('abc')).toBe(0x44bc_2cf5_ad77_0999n);
    for (const text of ['carts\x0042', 'b\0k\u00e9', 'b\0\u{1f600}', 'x'.repeat(300_000)]) {
      expect(hashes.hash64(text)).toBe(hashes.hash64Bytes(new TextEncoder().encode(text)));
    }
  });

  it('checks bytes with XXH32, unsigned', () => {
    expect(hashes.checksum32(new Uint8Array(0))).toBe(0x02cc_5d05);
    expect(hashes.checksum32(new TextEncoder().encode('abc'))).toBe(0x32d1_53ff);
  });

  it('sees a single changed bit, also in bytes that are a view into others', () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, index) => index);
    const flipped = bytes.slice();
    flipped[40] = 40 ^ 1;
    expect(hashes.checksum32(flipped)).not.toBe(hashes.checksum32(bytes));
    expect(hashes.checksum32(flipped.subarray(0, 40))).toBe(hashes.checksum32(bytes.slice(0, 40)));
  });

  it('spreads keys evenly over the partitions', () => {
    const place = partitioner(64, hashes.hash64);
    const counts = new Array<number>(64).fill(0);
    for (let index = 0; index < 64_000; index++) {
      const at = place(objectKey('carts', `user-${index}`));
      counts[at] = (counts[at] ?? 0) + 1;
    }
    // 1000 expected in each, standard deviation 31; the keys are fixed, so the outcome is too.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe.skipIf(folder === undefined)('XXH64 against the official vectors', () => {
  it('agrees with all of them, seeds included', () => {
    const text = readFileSync(join(folder ?? '', 'xxh64/xxh64.json'), 'utf8');
    const { vectors } = JSON.parse(text) as { vectors: [length: number, seed: number, hex: string][] };
    expect(vectors.length).toBeGreaterThan(0);
    for (const [length, seed, hex] of vectors) {
      expect(hashes.hash64Bytes(sanityBytes(length), BigInt(seed))).toBe(BigInt(`0x${hex}`));
    }
  });
});

/** The buffer of xxHash's own sanity check. */
function sanityBytes(length: number): Uint8Array {
  let state = 2_654_435_761n;
  return Uint8Array.from({ length }, () => {
    const byte = Number(state >> 56n);
    state = BigInt.asUintN(64, state * 11_400_714_785_074_694_797n);
    return byte;
  });
}
