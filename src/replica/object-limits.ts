import type { Container } from '../core/causality/container.ts';
import { StoreError } from '../errors.ts';

/** What one key may grow to. */
export interface ObjectLimits {
  /** Siblings side by side. */
  readonly siblings: number;
  /** Bytes of all siblings together. */
  readonly objectBytes: number;
}

/** A single value is always within the limits: they bound what concurrent writers can pile up. Errors: sibling-limit. */
export function checkObjectSize({ siblings: siblingsMax, objectBytes }: ObjectLimits, { siblings }: Container): void {
  if (siblings.length <= 1) return;
  const bytes = siblings.reduce((sum, { version }) => sum + version.length, 0);
  if (siblings.length <= siblingsMax && bytes <= objectBytes) return;
  throw new StoreError(
    'sibling-limit',
    `the key would have ${siblings.length} siblings of ${bytes} bytes together, the limits are ${siblingsMax} and ${objectBytes}: read it, merge, and write with the read's Causal-Context`,
    { outcome: 'not_applied', retryable: false },
  );
}
