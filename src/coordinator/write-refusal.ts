import { type ErrorCode, type ErrorDetails, StoreError } from '../errors.ts';

/**
 * Why a node leaves a write to others: it may not write there yet (`not-ready`), does not own the key, or sees nobody to stand in for
 * (`conflict`), cannot read what it holds of the key, or store anything any more (`storage-failed`), or has no room for more hints
 * (`overloaded`).
 *
 * No refusals are `sibling-limit`, which others would say too, and the `overloaded` of a node whose disk is behind: what it is spared
 * would come back to it as replication, and blind writes that no longer pass through one owner become siblings.
 */
const REFUSAL_CODES = ['not-ready', 'conflict', 'storage-failed', 'overloaded'] as const;

type RefusalCode = (typeof REFUSAL_CODES)[number];

export function isRefusal(code: ErrorCode): code is RefusalCode {
  return REFUSAL_CODES.some((refusal) => refusal === code);
}

/**
 * This node does not coordinate the write and has stored nothing of it, here or anywhere: another may (H3).
 *
 * Between nodes it is the failure of the forwarded request. Whatever else becomes of a write, one that was begun above all, is told in a
 * reply: so a failure with one of these codes proves that nothing was stored.
 */
export class WriteRefusal extends StoreError {
  constructor(code: RefusalCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(code, message, { ...details, outcome: 'not_applied' }, options);
  }
}
