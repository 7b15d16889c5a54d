import type { ClusterConfig } from '../config/cluster-config.ts';
import type { NodeId } from '../core/ids.ts';
import { FatalError } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { stopRequest } from './stop-signals.ts';
import { say } from './terminal.ts';

export interface RunningNode {
  /** Refuses new requests, finishes what is under way within the drain limit, closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts a node in this process and resolves once it listens, ready or not.
 * Errors: {@link FatalError} with the exit code, also later, as an unhandled rejection.
 */
export type RunNode = (config: ClusterConfig, id: NodeId) => Promise<RunningNode>;

/** How much longer than the drain limit stopping may take before the process ends regardless. */
const STOP_MARGIN_MS = 2000;

/**
 * Runs the node until it is told to stop (SIGTERM, SIGINT, or its supervisor gone), drains it and returns 0. A second signal ends
 * the process at once with 1, and so does a drain that overruns its limit. What nobody caught ends it at once too: the store is
 * made for crashes, and going on after a broken invariant is not.
 */
export async function runNodeProcess(config: ClusterConfig, id: NodeId, runNode: RunNode): Promise<number> {
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  const stop = stopRequest(() => end(`${id}: stopped by a second signal`));
  void stop.then((reason) => {
    say(`${id}: stopping (${reason})`);
    const limitMs = config.timeouts.drainMs + STOP_MARGIN_MS;
    setTimeout(() => end(`${id}: not stopped within ${limitMs} ms`), limitMs);
  });
  const node = await runNode(config, id);
  await stop;
  await node.stop();
  return EXIT.ok;
}

function end(why: string): never {
  say(why);
  process.exit(EXIT.error);
}

function crash(error: unknown): never {
  if (error instanceof FatalError) {
    say(error.message);
    process.exit(error.exitCode);
  }
  say(error instanceof Error ? (error.stack ?? error.message) : `failed: ${String(error)}`);
  process.exit(EXIT.bug);
}
