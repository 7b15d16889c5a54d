import { isUtf8 } from 'node:buffer';
import type { SiblingView } from '../coordinator/api.ts';
import { formatDot } from '../core/causality/dot.ts';

/** What stands for a content type that was not given. */
export const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** The JSON form of a 300 answer. A value is a string whenever its bytes are valid UTF-8, else base64. */
export function siblingsJson(siblings: readonly SiblingView[]): Buffer {
  return Buffer.from(JSON.stringify({ siblings: siblings.map(siblingJson) }));
}

function siblingJson(sibling: SiblingView): object {
  return {
    dot: formatDot(sibling.dot),
    contentType: sibling.contentType === '' ? DEFAULT_CONTENT_TYPE : sibling.contentType,
    ...valueJson(sibling.value),
    lastModified: new Date(sibling.stampMs).toISOString(),
    meta: Object.fromEntries(sibling.meta),
  };
}

function valueJson(value: Uint8Array): object {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(bytes) ? { value: bytes.toString('utf8') } : { valueBase64: bytes.toString('base64') };
}
