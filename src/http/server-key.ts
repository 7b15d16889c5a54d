import type { Clock, Random } from '../ports.ts';

/** Crockford's alphabet, in ascending order of bytes: keys sort as the numbers they stand for. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARS = 10;
const RANDOM_BYTES = 10;

/** A key for `POST`: 48 bits of milliseconds, then 80 random bits, as 26 characters. Sorts by time, to the millisecond. */
export function serverKey(clock: Clock, random: Random): string {
  let time = Math.max(0, Math.floor(clock.wallMs()));
  let head = '';
  for (let i = 0; i < TIME_CHARS; i++) {
    head = ALPHABET.charAt(time % 32) + head;
    time = Math.floor(time / 32);
  }
  return head + base32(random.bytes(RANDOM_BYTES));
}

/** Whole groups of 5 bytes, 8 characters each. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET.charAt((held >>> (bits - 5)) & 31);
    held &= (1 << bits) - 1;
  }
  return text;
}
