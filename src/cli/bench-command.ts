import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** A program of its own, which comes with this one: the store does not carry what only its benchmark needs. */
const PROGRAM = fileURLToPath(new URL('../../bench/run.js', import.meta.url));

/** Runs the benchmark with this terminal, and returns its exit code: 128 + n when signal n ended it. A signal is passed on, and then waited for. */
export async function bench(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: 'inherit' });
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, passOn);
  try {
    await once(child, 'close');
    return child.exitCode ?? SIGNALLED + constants.signals[child.signalCode ?? 'SIGKILL'];
  } finally {
    for (const signal of SIGNALS) process.off(signal, passOn);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** As shells have it. */
const SIGNALLED = 128;
