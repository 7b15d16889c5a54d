import { Registry } from 'prom-client';
import type { ClusterConfig, NodeConfig } from './config/cluster-config.ts';
import { nodeOf } from './config/load-config.ts';
import type { NodeId } from './core/ids.ts';
import { FatalError } from './errors.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http/http-limits.ts';
import { createHttpServer } from './http/server.ts';
import { createNode, type Node } from './node.ts';
import { registerNodeMetrics } from './node-metrics.ts';
import type { Clock, Logger, Store } from './ports.ts';
import { productVersion } from './product-version.ts';
import { DEFAULT_RPC_LIMITS } from './rpc/limits.ts';
import { TcpTransport } from './rpc/tcp-transport.ts';
import { openStoreFolder } from './storage/open-store-folder.ts';
import { type Hashes, loadHashes } from './system/hash.ts';
import { pinoLogger } from './system/pino-logger.ts';
import { systemClock } from './system/system-clock.ts';
import { systemRandom } from './system/system-random.ts';
import { tokenMacs } from './system/token-mac.ts';

/** How often a node that is not ready looks again. */
const READY_CHECK_MS = 20;

/**
 * Runs one node in this process: its data folder, its sockets, its HTTP server. Resolves once HTTP listens, which is before the node
 * is ready; then prints `ready ID URL`. A node that cannot go on later ends the process through an unhandled FatalError.
 */
export async function runNode(config: ClusterConfig, id: NodeId): Promise<{ stop(): Promise<void> }> {
  const own = nodeOf(config, id);
  const logger = pinoLogger(id, 'info');
  const hashes = await loadHashes();
  const clock = systemClock;
  const random = systemRandom();
  const store = await openStoreFolder({
    folder: own.data,
    clock,
    logger,
    checksum32: hashes.checksum32,
    limits: { memtableBytesMax: config.limits.memtableBytes },
    failed: crash,
  });
  const node = assemble(config, own, { clock, logger, random, hashes, store });
  const metrics = new Registry();
  registerNodeMetrics(metrics, node, store);
  const server = createHttpServer({
    ...{ api: node.api, node: id, clock, random, logger, metrics },
    version: productVersion(),
    limits: httpLimits(config),
  });
  await server.listen(own.bind, own.http);
  const started = node.start();
  started.catch(crash);
  const readyTimer = announceWhenReady(node, own, clock, logger);
  return {
    async stop() {
      readyTimer.cancel();
      node.drain();
      await server.drain(config.timeouts.drainMs);
      await node.settle(config.timeouts.drainMs);
      await node.stop();
      logger.info({}, 'stopped');
    },
  };
}

interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: ReturnType<typeof systemRandom>;
  readonly hashes: Hashes;
  readonly store: Store;
}

function assemble(config: ClusterConfig, own: NodeConfig, parts: Parts): Node {
  const { clock, logger, random, hashes, store } = parts;
  const { peerQueueBytes, objectBytes } = config.limits;
  const transport = new TcpTransport({
    cluster: config.cluster,
    node: own.id,
    host: own.bind,
    port: own.rpc,
    ...{ clock, random, logger },
    limits: {
      queueBytesMax: peerQueueBytes,
      frameBytesMax: Math.max(DEFAULT_RPC_LIMITS.frameBytesMax, OBJECT_FRAMES * objectBytes),
    },
  });
  const { hash64, checksum32 } = hashes;
  return createNode(config, own.id, {
    ...{ clock, random, transport, store, logger, hash64, checksum32, tokenMacs },
    onFatal: crash,
  });
}

/** Concurrent writers at each of the owners can make a key this many times as large as one coordinator allows. */
const OBJECT_FRAMES = 4;

/** Out of whatever called it: the process's own handlers say why and end it. */
function crash(error: unknown): void {
  process.nextTick(() => {
    throw error instanceof Error ? error : new FatalError(String(error));
  });
}

function announceWhenReady(node: Node, own: NodeConfig, clock: Clock, logger: Logger): { cancel(): void } {
  let timer = clock.after(0, check);
  function check(): void {
    if (node.api.notReady() !== undefined) {
      timer = clock.after(READY_CHECK_MS, check);
      return;
    }
    const url = `http://${own.host}:${own.http}`;
    process.stdout.write(`ready ${own.id} ${url}\n`);
    logger.info({ url }, 'ready');
  }
  return { cancel: () => timer.cancel() };
}

function httpLimits({ limits, timeouts }: ClusterConfig): HttpLimits {
  const { valueBytes, requests, bodyBytes } = limits;
  return { ...DEFAULT_HTTP_LIMITS, valueBytes, requests, bodyBytes, requestTimeoutMs: timeouts.requestMs };
}
