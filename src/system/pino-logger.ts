import { type DestinationStream, destination, pino, stdTimeFunctions } from 'pino';
import type { NodeId } from '../core/ids.ts';
import type { Logger } from '../ports.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const STDERR = 2;
/** Lines that wait for a reader slower than the log; beyond that they are dropped. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/**
 * One JSON object per line, with `level`, `time` (ISO 8601), `node` and `msg`; a field `err` is written out with its stack.
 *
 * Writing never holds the node up. What waits when the process exits, or dies of an exception, is written then.
 */
export function pinoLogger(node: NodeId, level: LogLevel, to: DestinationStream = stderr()): Logger {
  const options = {
    base: { node },
    level,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const log = pino(options, to);
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
}

/** Not synchronous, since then a full pipe would stop the node; pino itself writes the rest when the process exits. */
function stderr(): DestinationStream {
  return destination({ dest: STDERR, sync: false, minLength: 0, maxLength: WAITING_BYTES_MAX });
}
