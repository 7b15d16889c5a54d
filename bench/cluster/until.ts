const LOOK_MS = 50;

/** Looks again and again until it is so. Rejects, saying `what`, when it is not so within the time. */
export async function until(isSo: () => Promise<boolean>, withinMs: number, what: string): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not so within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
