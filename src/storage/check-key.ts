import { invariant } from '../core/invariant.ts';

/** LMDB takes 1978 bytes, ours included. Callers validate; a longer key would only show when a checkpoint fails. */
const KEY_BYTES_MAX = 1900;

export function checkKey(key: string): void {
  invariant(
    3 * key.length <= KEY_BYTES_MAX || Buffer.byteLength(key) <= KEY_BYTES_MAX,
    'a key longer than the state can take',
  );
}
