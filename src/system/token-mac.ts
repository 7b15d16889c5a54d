import * as crypto from 'node:crypto';
import { ByteWriter } from '../core/bytes.ts';
import { TOKEN_MAC_BYTES, type TokenMac } from '../core/causality/context-token.ts';
import type { ObjectKey } from '../core/ids.ts';

const message = new ByteWriter();
const ALGORITHM = 'sha512-256';

/** `crypto.hash` came with Node 20.12. Asked for a string, one character a byte, neither makes a buffer in native memory. */
const sha512Half: (bytes: Uint8Array) => string =
  crypto.hash === undefined
    ? (bytes) => crypto.createHash(ALGORITHM).update(bytes).digest('binary')
    : (bytes) => crypto.hash(ALGORITHM, bytes, 'binary');

/**
 * Makes the MACs of context tokens: SHA-512/256 (FIPS 180-4) over the secret, the cluster, bucket and key, and the body, cut to 16
 * bytes. All but the last carry their length, so that no two lists of them can be mistaken for each other. With the secret in front
 * this is a MAC, as it would not be with SHA-256: the digest holds back half of the state that a longer message would go on from.
 *
 * One call, without the native object that an HMAC makes for each.
 */
export function tokenMacs(clusterId: string, secret: Uint8Array): (key: ObjectKey) => TokenMac {
  const start = new ByteWriter().bytes(secret).string(clusterId).copy();
  return (key) => (body) => {
    message.reset().raw(start).string(key).raw(body);
    return Buffer.from(sha512Half(message.view()).slice(0, TOKEN_MAC_BYTES), 'latin1');
  };
}
