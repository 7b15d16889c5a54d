import type { Client } from './client.ts';
import type { OperationSource } from './operation-source.ts';
import type { Recorder } from './recorder.ts';

/**
 * Each client sends its next operation when the last one ended, until `endMs`, and waits for the end of its last one, which counts when
 * it began before. (While the store pauses, nothing is sent: what users would have waited during a pause is seen by the open loop alone.)
 */
export async function closedLoop(
  clients: readonly Client[],
  source: OperationSource,
  recorder: Recorder,
  endMs: number,
): Promise<void> {
  await Promise.all(clients.map((client) => oneByOne(client, source, recorder, endMs)));
}

async function oneByOne(client: Client, source: OperationSource, recorder: Recorder, endMs: number): Promise<void> {
  for (let startMs = performance.now(); startMs < endMs; ) {
    const operation = source.next();
    const failure = await client.run(operation);
    source.ended(operation);
    const nowMs = performance.now();
    if (failure === undefined) recorder.succeeded(startMs, nowMs - startMs);
    else recorder.failed(startMs, failure);
    startMs = nowMs;
  }
}
