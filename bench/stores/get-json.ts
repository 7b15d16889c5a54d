const TIMEOUT_MS = 5000;

/** What a store says of itself. Throws, naming the URL, on anything but success, and after five seconds. */
export async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: unknown) => {
    throw new Error(`GET ${url}: ${reasonOf(error)}`, { cause: error });
  });
  if (!response.ok) throw new Error(`GET ${url}: ${response.status}`);
  return response.json();
}

/** Why a connection failed is told by the cause alone. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
