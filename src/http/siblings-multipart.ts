import type { SiblingView } from '../coordinator/api.ts';
import { formatDot } from '../core/causality/dot.ts';
import { digestOfDots } from './etag.ts';
import { httpDate } from './http-date.ts';
import { DEFAULT_CONTENT_TYPE } from './siblings-json.ts';

export interface Multipart {
  readonly contentType: string;
  readonly body: Buffer;
}

const LINE_END = '\r\n';

/**
 * The `multipart/mixed` form of a 300 answer (RFC 2046 5.1): a part per sibling, its value as it is. The boundary follows from the
 * dots and the values alone, so that the bytes, and with them the strong validator, are the same on every node.
 */
export function siblingsMultipart(siblings: readonly SiblingView[]): Multipart {
  const boundary = freeBoundary(siblings);
  const parts: Uint8Array[] = [];
  for (const sibling of siblings) {
    parts.push(Buffer.from(`--${boundary}${LINE_END}${partHeaders(sibling)}${LINE_END}`, 'latin1'), sibling.value);
    parts.push(Buffer.from(LINE_END));
  }
  parts.push(Buffer.from(`--${boundary}--${LINE_END}`));
  return { contentType: `multipart/mixed; boundary=${boundary}`, body: Buffer.concat(parts) };
}

function partHeaders(sibling: SiblingView): string {
  const lines = [
    `Content-Type: ${sibling.contentType === '' ? DEFAULT_CONTENT_TYPE : sibling.contentType}`,
    `Content-Length: ${sibling.value.length}`,
    `Last-Modified: ${httpDate(sibling.stampMs)}`,
    `Quorate-Dot: ${formatDot(sibling.dot)}`,
    ...sibling.meta.map(([name, value]) => `Quorate-Meta-${name}: ${value}`),
  ];
  return lines.map((line) => line + LINE_END).join('');
}

/** A boundary that no value contains. A value that holds the first tries can only have been made for it; there is always a next one. */
function freeBoundary(siblings: readonly SiblingView[]): string {
  const digest = digestOfDots(siblings);
  for (let attempt = 0; ; attempt++) {
    const boundary = `quorate-${digest}-${attempt}`;
    if (
      !siblings.some(({ value }) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(boundary))
    ) {
      return boundary;
    }
  }
}
