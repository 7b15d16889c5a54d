import type { ObjectKey } from '../../src/core/ids.ts';
import { StoreError } from '../../src/errors.ts';
import type { KeptHint } from '../../src/replica/hint-store.ts';
import type { Machine } from './machine.ts';

/** What the machine keeps of a key for others. None while its disk gives errors: what cannot be read is not relied upon. */
export function hintsOf({ node }: Machine, key: ObjectKey): readonly KeptHint[] {
  try {
    return node?.hints.hintsOf(key) ?? [];
  } catch (error) {
    if (error instanceof StoreError) return [];
    throw error;
  }
}
