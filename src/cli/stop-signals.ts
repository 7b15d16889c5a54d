/**
 * Two signals this close are one request: Ctrl-C reaches the whole process group and the supervisor, or npm, passes it on;
 * a service manager signals every process and the supervisor signals its nodes again.
 */
const SAME_REQUEST_MS = 1000;

/**
 * Resolves with the first request to stop (SIGTERM, SIGINT, or `disconnect` when the supervisor that started this process is gone).
 * `again` runs on each later one that is not an echo of the first.
 */
export function stopRequest(again: () => void): Promise<string> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const request = (reason: string) => {
      const nowMs = performance.now();
      firstMs ??= nowMs;
      if (nowMs - firstMs > SAME_REQUEST_MS) again();
      resolve(reason);
    };
    process.on('SIGTERM', request);
    process.on('SIGINT', request);
    // Only a process with a channel to the one that started it has `connected`; it may have been cut while modules were loading.
    if (process.connected === false) request('disconnect');
    if (process.connected) process.once('disconnect', () => request('disconnect'));
  });
}
