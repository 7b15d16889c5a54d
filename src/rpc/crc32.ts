import * as zlib from 'node:zlib';

/** The CRC-32 of gzip and PNG (ISO 3309): Node's own where it has one (from 20.15 on). */
export const crc32: (bytes: Uint8Array) => number = zlib.crc32 ?? crc32ByTable;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

/** @internal */
export function crc32ByTable(bytes: Uint8Array): number {
  let value = 0xffff_ffff;
  for (const byte of bytes) value = (TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return (value ^ 0xffff_ffff) >>> 0;
}
