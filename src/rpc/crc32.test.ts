import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32, crc32ByTable } from './crc32.ts';

it('is that of the standard, by Node and by table', () => {
  // The check value that catalogues of CRCs give for CRC-32/ISO-HDLC.
  for (const crc of [crc32, crc32ByTable]) expect(crc(Buffer.from('123456789'))).toBe(0xcbf4_3926);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => crc32ByTable(bytes) === crc32(bytes)));
});
