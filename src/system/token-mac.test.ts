import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../core/bytes.ts';
import { objectKey } from '../core/ids.ts';
import { tokenMacs } from './token-mac.ts';

const secret = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const key = objectKey('bücket', 'key');
const body = Uint8Array.of(1, 0, 128, 255);

describe('the MAC of a token', () => {
  it('is the first half of SHA-512/256 over secret, cluster, key and body', () => {
    const message = new ByteWriter().bytes(secret).string('cluster').string(key).raw(body).view();
    const digest = createHash('sha512-256').update(message).digest();
    expect(Buffer.from(tokenMacs('cluster', secret)(key)(body))).toEqual(digest.subarray(0, 16));
  });

  it('outlives the next one', () => {
    const macs = tokenMacs('cluster', secret);
    const first = macs(key)(body);
    const kept = Uint8Array.from(first);
    macs(key)(Uint8Array.of(2));
    expect(Uint8Array.from(first)).toEqual(kept);
  });
});
