import { createHash } from 'node:crypto';
import type { SiblingView } from '../coordinator/api.ts';
import { formatDot } from '../core/causality/dot.ts';

export type Representation = 'value' | 'json' | 'multipart';

/**
 * A strong validator: dots name values, so the same dots in the same representation are the same bytes, on every node.
 * A single value's is its dot; siblings' is a digest of theirs and of the representation's name.
 */
export function etagOf(siblings: readonly SiblingView[], representation: Representation): string {
  const [only] = siblings;
  if (only !== undefined && siblings.length === 1 && representation === 'value') return `"${formatDot(only.dot)}"`;
  return `"${representation}-${digestOfDots(siblings)}"`;
}

/** 128 bits over the dots, as 22 characters. */
export function digestOfDots(siblings: readonly SiblingView[]): string {
  const dots = siblings.map((sibling) => formatDot(sibling.dot)).join(',');
  return createHash('sha256').update(dots).digest().subarray(0, 16).toString('base64url');
}

/** Whether an `If-None-Match` lists the tag (weak comparison, RFC 9110 13.1.2) or is `*`. */
export function listsEtag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag || ifNoneMatch.trim() === '*') return true;
  return [...ifNoneMatch.matchAll(/"[^"]*"/g)].some(([listed]) => listed === etag);
}
