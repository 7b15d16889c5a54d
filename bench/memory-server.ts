/** The reference that a store cannot beat: the same HTTP server in one process, answering from memory. `node memory-server.js PORT` */
import { Registry } from 'prom-client';
import { DEFAULT_HTTP_LIMITS } from '../src/http/http-limits.ts';
import { createHttpServer } from '../src/http/server.ts';
import { pinoLogger } from '../src/system/pino-logger.ts';
import { systemClock } from '../src/system/system-clock.ts';
import { systemRandom } from '../src/system/system-random.ts';
import { MemoryStore } from './memory-store.ts';

const port = Number(process.argv[2]);
const api = new MemoryStore();
const server = createHttpServer({
  api,
  node: api.node,
  limits: DEFAULT_HTTP_LIMITS,
  clock: systemClock,
  random: systemRandom(),
  logger: pinoLogger(api.node, 'warn'),
  version: 'bench',
  metrics: new Registry(),
});
await server.listen('127.0.0.1', port);
process.stdout.write(`ready n1 http://127.0.0.1:${port}\n`);
process.on('SIGTERM', () => process.exit(0));
// Where a benchmark started it: it has ended, in whatever way.
process.on('disconnect', () => process.exit(0));
