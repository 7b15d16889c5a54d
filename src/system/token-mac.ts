import { createHmac, createSecretKey } from 'node:crypto';
import { TOKEN_MAC_BYTES, type TokenMac } from '../core/causality/context-token.ts';
import type { ObjectKey } from '../core/ids.ts';

/**
 * Makes the MACs of context tokens: HMAC-SHA-256 (RFC 2104), cut to 16 bytes, over cluster, bucket, key and body.
 * The key's length goes first, so that no key and body can be mistaken for another pair.
 */
export function tokenMacs(clusterId: string, secret: Uint8Array): (key: ObjectKey) => TokenMac {
  const secretKey = createSecretKey(secret);
  return (key) => (body) =>
    createHmac('sha256', secretKey)
      .update(`${clusterId}\0${Buffer.byteLength(key)}\0${key}`)
      .update(body)
      .digest()
      .subarray(0, TOKEN_MAC_BYTES);
}
