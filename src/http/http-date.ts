let lastSecond = Number.NaN;
let lastText = '';

/** An HTTP date (RFC 9110 5.6.7). The latest is remembered: most answers of one moment carry the same. */
export function httpDate(wallMs: number): string {
  const second = Math.floor(wallMs / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = new Date(second * 1000).toUTCString();
  }
  return lastText;
}
