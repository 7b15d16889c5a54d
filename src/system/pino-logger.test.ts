import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { nodeId } from '../core/ids.ts';
import { type LogLevel, pinoLogger } from './pino-logger.ts';

describe('pinoLogger', () => {
  it('writes one JSON object per line, with level, time, node and message', () => {
    const { log, lines } = logger('info');
    log.info({ partition: 7 }, 'transfer done');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        node: 'n1',
        partition: 7,
        msg: 'transfer done',
      },
    ]);
  });

  it('knows four levels and leaves out those below its own', () => {
    const { log, lines } = logger('warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines().map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'c'],
      ['error', 'd'],
    ]);
  });

  it('writes an error out with its stack', () => {
    const { log, lines } = logger('info');
    log.error({ err: new Error('no space left') }, 'flush failed');
    expect(lines()[0]).toMatchObject({ err: { message: 'no space left', stack: expect.stringContaining('Error') } });
  });

  it.each(['process.exit(3)', 'throw new Error("boom")'])(
    'loses nothing logged before %s, and keeps to stderr',
    (end) => {
      const { stdout, stderr } = runToEnd(end);
      const numbers = stderr
        .split('\n')
        .flatMap((line) => (line.startsWith('{"level"') ? [JSON.parse(line).number] : []));
      expect(numbers).toEqual(Array.from({ length: 500 }, (_, index) => index));
      expect(stdout).toBe('');
    },
  );
});

function logger(level: LogLevel): { log: ReturnType<typeof pinoLogger>; lines: () => Record<string, unknown>[] } {
  const written: string[] = [];
  const log = pinoLogger(nodeId('n1'), level, { write: (line) => written.push(line) });
  return { log, lines: () => written.map((line) => JSON.parse(line)) };
}

/** A process that logs 500 lines to its stderr and ends at once. */
function runToEnd(end: string): { stdout: string; stderr: string } {
  const script = `
    const { createViteServer } = await import('vitest/node');
    const server = await createViteServer({ configFile: false, logLevel: 'silent', server: { middlewareMode: true, ws: false } });
    const { pinoLogger } = await server.ssrLoadModule('/src/system/pino-logger.ts');
    const log = pinoLogger('n1', 'info');
    for (let number = 0; number < 500; number++) log.info({ number }, 'x'.repeat(200));
    ${end};`;
  const root = fileURLToPath(new URL('../..', import.meta.url));
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
}
