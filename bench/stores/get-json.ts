const TIMEOUT_MS = 5000;

/** What a store says of itself. Throws on anything but success, and after five seconds. */
export async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`GET ${url}: ${response.status}`);
  return response.json();
}
