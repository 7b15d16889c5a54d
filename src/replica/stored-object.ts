import { DecodeError } from '../core/bytes.ts';
import { type Container, decodeContainer } from '../core/causality/container.ts';
import type { Partition } from '../core/ids.ts';
import { StoreError } from '../errors.ts';

/** No container has this form: it stands for a record that cannot be read. */
export const NO_BYTES = new Uint8Array(0);

/** The container as it is stored. Damage is an error, never an absence (H1). Errors: storage-failed. */
export function decodeStored(partition: Partition, bytes: Uint8Array): Container {
  try {
    return decodeContainer(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new StoreError('storage-failed', `a damaged record in partition ${partition}`, {}, { cause: error });
  }
}
