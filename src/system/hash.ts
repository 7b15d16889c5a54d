import xxhash from 'xxhash-wasm';

/** xxHash (Collet): fast, well mixed, no defence against an adversary. Synchronous once loaded. */
export interface Hashes {
  /** XXH64, seed 0, of the text's UTF-8 bytes: 0..2^64-1. */
  hash64(text: string): bigint;
  /** XXH64 of the bytes. */
  hash64Bytes(bytes: Uint8Array, seed?: bigint): bigint;
  /** XXH32, seed 0, of the bytes: 0..2^32-1. Guards stored records against damage. */
  checksum32(bytes: Uint8Array): number;
}

/** Compiles the hash functions; once per process. */
export async function loadHashes(): Promise<Hashes> {
  const { h64, h64Raw, h32Raw } = await xxhash();
  return {
    hash64: (text) => h64(text),
    hash64Bytes: (bytes, seed = 0n) => h64Raw(bytes, seed),
    checksum32: (bytes) => h32Raw(bytes),
  };
}
